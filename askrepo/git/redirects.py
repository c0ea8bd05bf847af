"""Where the redirects of a repository's server lead, followed within its origin and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urljoin, urlsplit

from askrepo.errors import RepositoryError, UsageError
from askrepo.git.process import RedirectedError
from askrepo.git.repository_urls import parse_repository, redacted
from askrepo.git.url_credentials import MAX_CHARS

MAX_REDIRECTS = 5

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What git asks for below a repository's URL.
_TAILS = ("/info/refs", "/git-upload-pack")
# Lines of GIT_TRACE_CURL; a proxy's answers come before the server's.
_ASKED = re.compile(r"\S+ \S+ +=> Send header: (?:GET|POST) (\S+)")
_STATUS = re.compile(r"\S+ \S+ +<= Recv header: HTTP/")
_LOCATION = re.compile(r"\S+ \S+ +<= Recv header: location: *(.*)", re.IGNORECASE)
_NOT_SHOWN = re.compile(r"[^\x21-\x7e]")


class Address:
    """Where git asks for a repository: at its URL, or where the server of that URL says that it is now.

    :ivar url: what to give to git.
    :ivar shows_headers: what to give to `run_git`: the first redirect asks for it, because git does not say by itself
        where one leads.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.shows_headers = False
        self._given = url
        self._followed = 0

    def follow(self, error: RedirectedError) -> None:
        """Prepare the next call of git after one that met a redirect.

        :raises RepositoryError: the redirect leads to another origin (scheme, host, port; https after http counts as
            the same), to no repository, or is one too many. The message names the new address, without credentials.
        """
        if not self.shows_headers:
            self.shows_headers = True
            return
        if self._followed == MAX_REDIRECTS:
            raise RepositoryError(f"{self._name} redirects more than {MAX_REDIRECTS} times: check the URL")
        self._followed += 1
        self.url = self._next(*_asked_and_location(self.url, error.headers))

    @property
    def _name(self) -> str:
        return redacted(self._given)

    def _next(self, asked: str, location: str | None) -> str:
        target = location and _joined(asked, location)
        if not target:
            raise RepositoryError(f"{self._name} redirects, and does not say to which address: check the URL")
        origin = _shown_origin(target)
        if target.scheme not in _DEFAULT_PORTS:
            raise RepositoryError(f"{self._name} redirects to {origin}, where git is not sent: check the URL")
        tail = next((tail for tail in _TAILS if target.path.endswith(tail)), None)
        if tail is None:
            raise RepositoryError(
                f"{self._name} redirects to a page of {origin} instead of a repository: "
                "it is private, or not there; check the URL"
            )
        moved = self._plain(f"{origin}{target.path.removesuffix(tail)}")
        if moved and _is_same_origin(urlsplit(self.url), target):
            return moved
        if moved:
            raise RepositoryError(f"{self._name} has moved to {moved}; write that address instead")
        raise RepositoryError(f"{self._name} redirects to an address of {origin} that is not supported: check the URL")

    def _plain(self, url: str) -> str | None:
        """The URL as a user may write it; None when it would be refused."""
        try:
            parsed = parse_repository(url, allow_local=self._given.startswith("http:"))
        except UsageError:
            return None
        return parsed.url if parsed.ref is None else None


def _asked_and_location(url: str, headers: Sequence[str]) -> tuple[str, str | None]:
    """The URL that git asked for last, and where the answer to it redirects."""
    asked, location = url, None
    for header in headers:
        if found := _ASKED.match(header):
            asked = urljoin(url, found[1])
        elif _STATUS.match(header):
            location = None
        elif found := _LOCATION.match(header):
            location = found[1].strip()
    return asked, location


def _joined(asked: str, location: str) -> SplitResult | None:
    """The address that a `Location` means; None for what makes no sense."""
    if len(location) > MAX_CHARS or _NOT_SHOWN.search(location):
        return None
    try:
        target = urlsplit(urljoin(asked, location))
        _ = target.port
    except ValueError:
        return None
    return target if target.scheme else None


def _shown_origin(target: SplitResult) -> str:
    """Scheme, host, and a port that is not the usual one; no user, no password."""
    host = target.hostname or ""
    host = f"[{host}]" if ":" in host else host
    is_usual = target.port in (None, _DEFAULT_PORTS.get(target.scheme))
    return f"{target.scheme}://{host}" if is_usual else f"{target.scheme}://{host}:{target.port}"


def _is_same_origin(asked: SplitResult, target: SplitResult) -> bool:
    if asked.hostname != target.hostname:
        return False
    ports = [parts.port or _DEFAULT_PORTS.get(parts.scheme) for parts in (asked, target)]
    if (asked.scheme, target.scheme) == ("http", "https"):
        return ports == [80, 443]
    return asked.scheme == target.scheme and ports[0] == ports[1]

"""Repositories as users name them: parsed, checked and given short names."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from askrepo.errors import UsageError
from askrepo.types import Repository

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_REMOTE_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_SCP = re.compile(r"(?P<user>[A-Za-z0-9_][\w.-]*)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?!//)(?P<path>.+)")
# Neither part may start with `-`: ssh would take it as an option.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
_SSH_USER = re.compile(r"[A-Za-z0-9_][\w.-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What `git check-ref-format` refuses, and the glob characters that ls-remote would expand.
_BAD_REF = re.compile(r"^-|^/|/$|//|\.\.|@\{|[\s~^:?*\[\\]|\.$|/\.|^\.|\.lock(/|$)|^@$")
_ADVICE = "give https://host/owner/name, ssh://git@host/owner/name or git@host:owner/name, optionally with @ref"


def parse_repository(text: str, *, allow_local: bool) -> Repository:
    """The repository that a text names: `url`, `url@ref`, `git@host:owner/name.git` or, when allowed, a local path.

    The ref starts at the first `@` after the host, so that tags such as `package@1.2.0` can be named.

    :param allow_local: admit paths and `file://` of this machine, and `http://` to a loopback host.
    :raises UsageError: the text names no repository that askrepo may read; credentials are never repeated.
    """
    text = text.strip()
    _refuse_dangerous(text)
    if _SCHEME.match(text):
        return _parse_url(text, allow_local=allow_local)
    if scp := _SCP.fullmatch(text):
        path = scp["path"].lstrip("/")
        return _parse_url(f"ssh://{scp['user']}@{scp['host']}/{path}", allow_local=allow_local)
    return _parse_path(text, allow_local=allow_local)


def parse_repositories(texts: Iterable[str], *, allow_local: bool) -> tuple[Repository, ...]:
    """The repositories of one alias, each under a name of its own.

    Equal names get their host in front (`gitlab.com/owner/name`); one repository at two refs gets the ref behind.

    :raises UsageError: a text is wrong, or the same repository is named twice.
    """
    repositories = [parse_repository(text, allow_local=allow_local) for text in texts]
    for widen in (_with_host, _with_ref):
        repositories = _widen_clashes(repositories, widen)
    names = Counter(repository.name for repository in repositories)
    for name, count in names.items():
        if count > 1:
            raise UsageError(f"repository {name!r} is given {count} times: name each repository and ref once")
    return tuple(repositories)


def check_repository(repository: Repository, *, allow_local: bool) -> None:
    """Refuse a repository that `parse_repository` would not have made, wherever it came from.

    :raises UsageError: its URL or ref is not acceptable.
    """
    parsed = parse_repository(repository.url, allow_local=allow_local)
    if parsed.url != repository.url or parsed.ref is not None:
        raise UsageError(f"{redacted(repository.url)} is not a plain repository URL: {_ADVICE}")
    if repository.ref is not None:
        _check_ref(repository.ref)


def repository_id(url: str, ref: str | None = None) -> str:
    """A folder name for a URL, or for one ref of it: readable, and different for different ones."""
    words = re.sub(r"[^a-z0-9]+", "-", _path_name(urlsplit(url).path).lower()).strip("-")
    digest = hashlib.sha256(f"{url}@{ref or ''}".encode()).hexdigest()
    return f"{words[-40:].lstrip('-') or 'repository'}-{digest[:12]}"


def redacted(url: str) -> str:
    """The URL without what may be a user or a password in it, fit for a message."""
    return re.sub(r"(://|^[^/]*:).*@", r"\1***@", _CONTROL.sub("?", url))


def _refuse_dangerous(text: str) -> None:
    if not text:
        raise UsageError(f"the repository's URL is empty: {_ADVICE}")
    if _CONTROL.search(text):
        raise UsageError(f"the repository's URL contains a control character: {_ADVICE}")
    if text.startswith("-"):
        raise UsageError(f"{redacted(text)!r} starts with '-' and could be taken as an option: {_ADVICE}")
    if _REMOTE_HELPER.match(text):
        raise UsageError(f"remote helpers such as {text.split('::', 1)[0]}:: are not supported: {_ADVICE}")


def _parse_url(text: str, *, allow_local: bool) -> Repository:
    scheme, rest = text.split("://", 1)
    scheme = scheme.lower()
    if scheme == "file":
        return _parse_path(unquote(rest), allow_local=allow_local)
    authority, _, path = rest.partition("/")
    url = f"{scheme}://{authority}/{path}"
    parts = _split(url)
    _check_scheme(parts, allow_local=allow_local)
    _refuse_credentials(parts)
    path, ref = _cut_ref(path)
    path = path.rstrip("/")
    if re.search(r"[?#\s]", path):
        raise UsageError(f"{redacted(url)!r} has a query, a fragment or a space in it: {_ADVICE}")
    if not _path_name(path):
        raise UsageError(f"{redacted(url)!r} names a host but no repository on it: {_ADVICE}")
    return Repository(name=_path_name(path), url=f"{scheme}://{authority.lower()}/{path}", ref=ref)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"the host or port of {redacted(url)!r} is malformed: {_ADVICE}") from None
    if not _HOST.fullmatch(host):
        raise UsageError(f"{redacted(url)!r} has no valid host: {_ADVICE}")
    return parts


def _check_scheme(parts: SplitResult, *, allow_local: bool) -> None:
    if parts.scheme in ("https", "ssh"):
        return
    if parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS and allow_local:
        return
    raise UsageError(f"protocol {parts.scheme}:// is not supported: {_ADVICE}")


def _refuse_credentials(parts: SplitResult) -> None:
    is_plain_user = parts.scheme == "ssh" and parts.password is None and _SSH_USER.fullmatch(parts.username or "git")
    if "@" in parts.netloc and not is_plain_user:
        raise UsageError(
            f"the URL of a repository on {parts.hostname} carries credentials, which would end up in logs: remove "
            "them and give the user and token through an Airflow connection or the environment"
        )


def _parse_path(text: str, *, allow_local: bool) -> Repository:
    """A repository of this machine; when the path itself contains an `@`, an existing directory wins over a ref."""
    is_path = text.startswith(("/", "./", "../", "~")) or text in (".", "..") or Path(text).is_dir()
    path, ref = (text, None) if Path(text).expanduser().is_dir() else _cut_ref(text)
    if not is_path and not Path(path).is_dir():
        raise UsageError(f"{redacted(text)!r} is neither a URL nor a directory: {_ADVICE}")
    if not allow_local:
        raise UsageError(
            f"{text!r} is a repository of this machine, which this installation does not admit: set "
            "ASKREPO_ALLOW_LOCAL=1, or give a URL"
        )
    absolute = Path(path).expanduser().resolve()
    return Repository(name=absolute.name.removesuffix(".git") or "root", url=absolute.as_uri(), ref=ref)


def _cut_ref(path: str) -> tuple[str, str | None]:
    path, at, ref = path.partition("@")
    if not at:
        return path, None
    _check_ref(ref)
    return path, ref


def _check_ref(ref: str) -> None:
    if not ref or _BAD_REF.search(ref) or _CONTROL.search(ref):
        raise UsageError(f"{_CONTROL.sub('?', ref)!r} is not a ref: give a branch, a tag or all digits of a commit")


def _path_name(path: str) -> str:
    """`owner/name`, or the whole path below the host when it is deeper; the last name only for one word."""
    return unquote(path).strip("/").removesuffix(".git").strip("/")


def _widen_clashes(repositories: list[Repository], widen: Callable[[Repository], str]) -> list[Repository]:
    urls: dict[str, set[str]] = {}
    for repository in repositories:
        urls.setdefault(repository.name, set()).add(repository.url)
    counts = Counter(repository.name for repository in repositories)
    return [
        replace(repository, name=widen(repository))
        if counts[repository.name] > 1 and (widen is _with_ref or len(urls[repository.name]) > 1)
        else repository
        for repository in repositories
    ]


def _with_host(repository: Repository) -> str:
    parts = urlsplit(repository.url)
    return f"{parts.hostname}/{repository.name}" if parts.hostname else _path_name(parts.path)


def _with_ref(repository: Repository) -> str:
    return repository.name if repository.ref is None else f"{repository.name}@{repository.ref}"

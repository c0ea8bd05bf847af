"""Repositories as users name them: parsed, checked and given short names."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from askrepo.errors import UsageError
from askrepo.git.local_repositories import LocalAccess, check_local
from askrepo.git.pasted_urls import owner_behind, repository_behind
from askrepo.git.url_credentials import ADVICE as CREDENTIALS_ADVICE
from askrepo.git.url_credentials import MAX_CHARS, carries_credentials
from askrepo.types import Repository

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_REMOTE_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_SCP = re.compile(r"(?P<user>[A-Za-z0-9_][\w.-]*)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?!//)(?P<path>.+)")
# Neither part may start with `-`: ssh would take it as an option.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
# What copying from a list, a sentence or a table leaves around a URL.
_LEFT_AROUND = " \t\r\n\ufeff\u200b\u200c\u200d\u2060\u00a0\"'`<>,;"
_LEFT_BEHIND = ".:!"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
# What a browser adds to the address of a repository's page.
_PAGE_PARTS = re.compile(r"(\?tab=[\w.-]*)?(#[\w.-]*)?")
# Clone buttons of Azure DevOps put the organisation, no secret, before the host.
_AZURE = re.compile(r"(?i)(https://)([^/@:]+)@(dev\.azure\.com/\2/)")
_FORGES = frozenset({"github", "gitlab", "bitbucket", "codeberg"})
_OTHER_SCHEMES = frozenset({"http", "git", "git+https", "git+http"})
_OTHER_SSH = frozenset({"git+ssh", "ssh+git"})
_HOST_AND_PATH = re.compile(r"(?:www\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?::\d+)?/[^\s@]+")
_OWNER_AND_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What `git check-ref-format` refuses, and the glob characters that ls-remote would expand.
_BAD_REF = re.compile(r"^-|^/|/$|//|\.\.|@\{|[\s~^:?*\[\\]|\.$|/\.|^\.|\.lock(/|$)|^@$")
_ADVICE = "give https://host/owner/name, ssh://git@host/owner/name or git@host:owner/name, optionally with @ref"


def parse_repository(text: str, *, allow_local: LocalAccess) -> Repository:
    """The repository that a text names: `url`, `url@ref`, `git@host:owner/name.git` or, when allowed, a local path.

    The ref starts at the first `@` after the host, so that tags such as `package@1.2.0` can be named.

    :param allow_local: admit paths and `file://` of this machine, all or those below a folder, and `http://` to a
        loopback host.
    :raises UsageError: the text names no repository that askrepo may read; credentials are never repeated.
    """
    text = _cleaned(text)
    _refuse_dangerous(text)
    if _SCHEME.match(text):
        return _parse_url(text, allow_local=allow_local)
    if scp := _SCP.fullmatch(text):
        path = scp["path"].lstrip("/")
        return _parse_url(f"ssh://{scp['user']}@{scp['host']}/{path}", allow_local=allow_local)
    return _parse_path(text, allow_local=allow_local)


def parse_repositories(texts: Sequence[str], *, allow_local: LocalAccess) -> tuple[Repository, ...]:
    """The repositories of one alias, each under a name of its own.

    Equal names get their host in front (`gitlab.com/owner/name`); one repository at two refs gets the ref behind.

    :raises UsageError: a text is wrong, or the same repository is named twice.
    """
    named = [text for text in map(_cleaned, texts) if text] or list(texts)
    for number, text in enumerate(named, 1):
        if len(named) > 1 and carries_credentials(text):
            raise UsageError(f"the URL of repository {number} of {len(named)} {CREDENTIALS_ADVICE}")
    repositories = [parse_repository(text, allow_local=allow_local) for text in named]
    for widen in (_with_host, _with_ref):
        repositories = _widen_clashes(repositories, widen)
    names = Counter(repository.name for repository in repositories)
    for name, count in names.items():
        if count > 1:
            raise UsageError(f"repository {name!r} is given {count} times: name each repository and ref once")
    return tuple(repositories)


def check_repository(repository: Repository, *, allow_local: LocalAccess) -> None:
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
    before, at, rest = _CONTROL.sub("?", url).rpartition("@")
    scheme, colon, _ = before.partition("/")[0].rpartition(":")
    if not colon:
        scheme, colon, _ = before.partition("://")
    return f"{scheme}{colon}***@{rest}" if at and colon else f"{before}{at}{rest}"


def _cleaned(text: str) -> str:
    """The text without what was left around it, and without an organisation that Azure DevOps repeats as a user."""
    bare = text.strip()
    if not bare.startswith(("/", ".", "~")):
        bare = _without_punctuation(bare.strip(_LEFT_AROUND))
    return _AZURE.sub(r"\1\3", bare[:MAX_CHARS]) + bare[MAX_CHARS:]


def _without_punctuation(text: str) -> str:
    """The text without the brackets it stood in, and without the end of a sentence when it is a URL."""
    bare = text.lstrip("".join(_BRACKETS.values()) + _LEFT_AROUND)
    if not (_SCHEME.match(bare) or _SCP.fullmatch(bare)):
        return text
    while bare and (bare[-1] in _LEFT_AROUND + _LEFT_BEHIND or _BRACKETS.get(bare[-1], bare) not in bare):
        bare = bare[:-1]
    return bare


def _refuse_dangerous(text: str) -> None:
    if not text:
        raise UsageError(f"the repository's URL is empty: {_ADVICE}")
    if len(text) > MAX_CHARS:
        raise UsageError(f"the repository's URL has more than {MAX_CHARS:,} characters: {_ADVICE}")
    if carries_credentials(text):
        raise UsageError(f"the URL of a repository {CREDENTIALS_ADVICE}")
    if _CONTROL.search(text) or _CONTROL.search(unquote(text)):
        raise UsageError(f"the repository's URL contains a control character: {_ADVICE}")
    if text.startswith("-"):
        raise UsageError(f"{redacted(text)!r} starts with '-' and could be taken as an option: {_ADVICE}")
    if _REMOTE_HELPER.match(text):
        raise UsageError(f"remote helpers such as {text.split('::', 1)[0]}:: are not supported: {_ADVICE}")


def _parse_url(text: str, *, allow_local: LocalAccess) -> Repository:
    scheme, rest = text.split("://", 1)
    scheme = scheme.lower()
    if scheme == "file":
        return _parse_path(unquote(rest), allow_local=allow_local)
    authority, _, path = rest.partition("/")
    url = f"{scheme}://{authority}/{path}"
    parts = _split(url)
    _check_scheme(parts, allow_local=allow_local)
    path, ref = _path_and_ref(path, host=_web_host(parts))
    authority = authority.lower()
    if authority.startswith("www.") and _FORGES & set(authority.split(".")):
        authority = authority.removeprefix("www.")
    if not _path_name(path):
        raise UsageError(f"{redacted(url)!r} names a host but no repository on it: {_ADVICE}")
    return Repository(name=_path_name(path), url=f"{scheme}://{authority}/{path}", ref=ref)


def _web_host(parts: SplitResult) -> str:
    return (parts.hostname or "").removeprefix("www.") if parts.scheme == "https" else ""


def _path_and_ref(path: str, *, host: str) -> tuple[str, str | None]:
    """The repository's path and its ref.

    :param host: where a path may be that of a page; empty when it cannot.
    :raises UsageError: it is more than that; the message says what to write instead.
    """
    whole = path
    if parts := re.search(r"[?#]", path):
        if not _PAGE_PARTS.fullmatch(path[parts.start() :]):
            _refuse_page(host, path[: parts.start()], path[parts.start() + 1 :], whole)
        path = path[: parts.start()]
    path, ref = _cut_ref(path)
    path = path.rstrip("/")
    if re.search(r"\s|,[a-z+]+:/", path):
        raise UsageError(f"{redacted(path)!r} has a space in it, or is more than one repository: {_ADVICE}")
    if host and (owner := owner_behind(host, path)):
        found = f"'https://{host}/{redacted(path)}' names an owner and no repository"
        raise UsageError(f"{found}: write https://{host}/{redacted(owner)}/NAME")
    if host and repository_behind(host, path) is not None:
        _refuse_page(host, path, "", whole)
    return path, ref


def _refuse_page(host: str, path: str, query: str, whole: str) -> None:
    """Say what to write for a page; a suggestion must itself be a repository."""
    behind = repository_behind(host, path.partition("@")[0], query) or f"https://{host}/{path.rstrip('/')}"
    if not host or re.search(r"[\s?#]", behind):
        raise UsageError(f"{redacted(whole)!r} has a query, a fragment or a space in it: {_ADVICE}")
    raise UsageError(f"'https://{host}/{redacted(whole)}' is a page that shows a repository: write {behind}")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"the host or the port of a repository's URL is malformed: {_ADVICE}") from None
    if not _HOST.fullmatch(host):
        raise UsageError(f"{redacted(url)!r} has no valid host: {_ADVICE}")
    return parts


def _check_scheme(parts: SplitResult, *, allow_local: LocalAccess) -> None:
    if parts.scheme in ("https", "ssh"):
        return
    if parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS and allow_local:
        return
    if parts.scheme in _OTHER_SSH:
        raise UsageError(
            f"protocol {parts.scheme}:// is not supported: write ssh://{parts.netloc}{parts.path}, or {_ADVICE}"
        )
    if parts.scheme in _OTHER_SCHEMES and parts.hostname not in LOOPBACK_HOSTS:
        write = f"https://{parts.netloc}{parts.path}"
        raise UsageError(f"protocol {parts.scheme}:// is not supported: write {write}, or {_ADVICE}")
    raise UsageError(f"protocol {parts.scheme}:// is not supported: {_ADVICE}")


def _parse_path(text: str, *, allow_local: LocalAccess) -> Repository:
    """A repository of this machine; when the path itself contains an `@`, an existing directory wins over a ref."""
    is_path = text.startswith(("/", "./", "../", "~")) or text in (".", "..") or _is_folder(text)
    path, ref = (text, None) if _is_folder(text) else _cut_ref(text)
    if not is_path and not _is_folder(path):
        raise UsageError(f"{redacted(text)!r} is neither a URL nor a directory: {_meant(text)}{_ADVICE}")
    try:
        absolute = Path(path).expanduser().resolve()
        with suppress(FileNotFoundError, NotADirectoryError):
            absolute.stat()  # from Python 3.13 on it is this, and not `resolve`, that meets a ring of links
        check_local(absolute, access=allow_local)
    except (OSError, RuntimeError) as error:  # a ring of links, no such user, no permission
        raise UsageError(f"{redacted(text)!r} cannot be read as a repository: {error}") from error
    return Repository(name=absolute.name.removesuffix(".git") or "root", url=absolute.as_uri(), ref=ref)


def _is_folder(text: str) -> bool:
    """Whether the text names a directory; one that the system refuses to look at is none."""
    try:
        return Path(text).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):  # too long, no such user, out of reach
        return False


def _meant(text: str) -> str:
    if _HOST_AND_PATH.fullmatch(text):
        return f"write https://{text.removeprefix('www.')}, or "
    if _OWNER_AND_NAME.fullmatch(text):
        return f"write https://github.com/{text} when it is on GitHub, or "
    return ""


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

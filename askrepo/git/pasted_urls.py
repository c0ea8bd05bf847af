"""What to write instead of the address of a page that shows a repository."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

# Words that no host allows for a repository's name, because a page's address goes on after them.
_PAGES = frozenset({"tree", "blob", "raw", "blame", "edit", "commits"})
_REF_IS_NEXT = _PAGES | {"commit", "src", "browse", "branch", "tag", "log", "zipball", "tarball"}
_GITEA_KINDS = frozenset({"branch", "tag", "commit"})
# Hosts whose repositories are always `owner/name`.
_TWO_WORDS = frozenset({"bitbucket.org", "codeberg.org", "git.sr.ht"})
# Pages of cgit, after the repository's path, which may have any number of words.
_CGIT = frozenset({
    "about", "atom", "blame", "commit", "diff", "log", "patch", "plain", "refs", "snapshot", "stats", "summary", "tag",
    "tree",
})  # fmt: skip
_ARCHIVE = re.compile(r"\.(zip|tar\.gz|tar\.bz2)$")
_AZURE_REF = re.compile(r"G[BTC](.+)")


def repository_behind(host: str, path: str, query: str = "") -> str | None:
    """The text that names the repository which a page belongs to, with the page's ref; None for what is no page.

    :param path: without the slash it begins with.
    """
    parts = [part for part in path.split("/") if part]
    if host == "raw.githubusercontent.com" and len(parts) > 2:
        return _written("github.com", parts[:2], parts[2])
    if host == "codeload.github.com" and len(parts) > 3:
        return _written("github.com", parts[:2], _ref_of(["archive", *parts[3:]]))
    if host == "api.github.com" and parts[:1] == ["repos"] and len(parts) > 2:
        return _written("github.com", parts[1:3], _ref_of(parts[3:]))
    for separator in ("-", "+"):  # GitLab; Gitiles
        if separator in parts[1:]:
            cut = parts.index(separator, 1)
            return _written(host, parts[:cut], _ref_of(parts[cut + 1 :]))
    if "_git" in parts:  # Azure DevOps
        cut = parts.index("_git") + 2
        version = _AZURE_REF.fullmatch(parse_qs(query).get("version", [""])[0])
        return _written(host, parts[:cut], version[1] if version else None) if version or len(parts) > cut else None
    if parts[:1] == ["projects"] and parts[2:3] == ["repos"] and len(parts) > 3:  # Bitbucket Server
        return _written(host, ["scm", parts[1].lower(), f"{parts[3]}.git"], None)
    if cgit := _behind_cgit(host, parts, query):
        return cgit
    if len(parts) > 2 and not parts[-1].endswith(".git") and (_has_two_words(host) or _is_page(parts[2:])):
        return _written(host, parts[:2], _ref_of(parts[2:]))
    return None


def owner_behind(host: str, path: str) -> str | None:
    """Whose repositories a page lists; None for what may be a repository.

    :param path: without the slash it begins with.
    """
    parts = [part for part in path.split("/") if part]
    if host == "github.com" and parts[:1] == ["orgs"]:
        return parts[1] if len(parts) > 1 else None
    return parts[0] if len(parts) == 1 and (_has_two_words(host) or host == "gitlab.com") else None


def _behind_cgit(host: str, parts: list[str], query: str) -> str | None:
    asked = parse_qs(query)
    ref = next((asked[name][0] for name in ("id", "h") if name in asked), None)
    cuts = [at for at in range(1, len(parts)) if parts[at] in _CGIT and (ref or parts[at - 1].endswith(".git"))]
    cut = cuts[0] if cuts else len(parts)
    if cuts or (ref and parts and parts[-1].endswith(".git")):
        return _written(host, parts[:cut], ref)
    return None


def _has_two_words(host: str) -> bool:
    return host in _TWO_WORDS or ("github" in host.split(".") and not host.startswith("gist."))


def _is_page(rest: list[str]) -> bool:
    return len(rest) > 1 and (rest[0] in _PAGES or (rest[0] == "src" and rest[1] in _GITEA_KINDS))


def _ref_of(parts: list[str]) -> str | None:
    """The ref in what follows the repository; of a branch with slashes only the beginning can be told."""
    if parts[:1] == ["releases"] and parts[1:2] == ["tag"]:
        return parts[2] if len(parts) > 2 else None
    if parts[:1] == ["src"] and parts[1:2] and parts[1] in _GITEA_KINDS:
        return parts[2] if len(parts) > 2 else None
    if parts[:1] == ["archive"] and len(parts) > 1:
        parts = [*parts[1:-1], _ARCHIVE.sub("", parts[-1])]
        return parts[0] if len(parts) == 1 else _ref_of(parts)
    if parts[:2] == ["refs", "heads"] or parts[:2] == ["refs", "tags"]:
        return parts[2] if len(parts) > 2 else None
    return parts[1] if parts[:1] and parts[0] in _REF_IS_NEXT and len(parts) > 1 else None


def _written(host: str, parts: list[str], ref: str | None) -> str:
    url = f"https://{host}/{'/'.join(parts)}"
    return f"{url}@{ref}" if ref else url

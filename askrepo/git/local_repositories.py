"""Which repositories of this machine may be read, and where a folder's repository really is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from askrepo.errors import UsageError

LocalAccess = bool | Path
"""Whether repositories of this machine may be cloned: none, any, or those below a folder."""

# A repository may borrow objects from another, and that from a third; git follows five.
_ALTERNATES_DEPTH = 5


def check_local(folder: Path, *, access: LocalAccess) -> None:
    """Refuse a folder that may not be cloned, or that lies inside of a checkout.

    :param folder: absolute, with links resolved.
    :raises UsageError: it is not admitted, or not the top of a repository; the message says what to write.
    """
    if access is False:
        raise UsageError(
            f"'{folder}' is a repository of this machine, and none of these may be cloned here: set "
            "ASKREPO_ALLOW_LOCAL to a folder that it lies in, or give a URL"
        )
    if isinstance(access, Path):
        root = access.expanduser().resolve()
        for place in (folder, *_places(folder)):
            if not place.is_relative_to(root):
                raise UsageError(
                    f"'{folder}' is outside of '{root}', the only folder here to clone repositories from: set "
                    "ASKREPO_ALLOW_LOCAL to a folder that it lies in, or give a URL"
                )
    _refuse_inside_of_checkout(folder)


def _refuse_inside_of_checkout(folder: Path) -> None:
    if not folder.is_dir() or _is_repository(folder):
        return
    top = next((parent for parent in folder.parents if _is_checkout(parent)), None)
    if top is not None:
        below = folder.relative_to(top).as_posix()
        raise UsageError(
            f"'{folder}' is a folder inside of the checkout '{top}': give that, and include the pattern '{below}/*'"
        )


def _is_repository(folder: Path) -> bool:
    return _is_checkout(folder) or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


def _is_checkout(folder: Path) -> bool:
    return (folder / ".git").exists()


def _places(folder: Path) -> Iterator[Path]:
    """Where else git would read for this repository, links resolved."""
    git = folder / ".git"
    here = git.resolve() if git.exists() else folder
    if git.is_file():
        here = _named(git, "gitdir:", folder)
    common = _named(here / "commondir", "", here) if (here / "commondir").is_file() else here
    yield from (here, common)
    yield from _object_folders(common / "objects", _ALTERNATES_DEPTH)


def _object_folders(objects: Path, depth: int) -> Iterator[Path]:
    yield objects.resolve()
    yield (objects / "pack").resolve()
    alternates = objects / "info" / "alternates"
    if depth and alternates.is_file():
        for line in _text(alternates).splitlines():
            if line and not line.startswith("#"):
                yield from _object_folders((objects / line.strip('"')).resolve(), depth - 1)


def _named(file: Path, prefix: str, base: Path) -> Path:
    return (base / _text(file).strip().removeprefix(prefix).strip()).resolve()


def _text(file: Path) -> str:
    with file.open(encoding="utf-8", errors="surrogateescape") as stream:
        return stream.read(64 * 1024).replace("\0", "")

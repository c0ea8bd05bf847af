"""Where things may be stored: characters of a path or URL that a store would take for something else."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from askrepo.errors import UsageError

# Deep Lake 4.7.4 takes what follows an `@` for a version, and writes to the folder before it. It knows no escape; of
# 50 other names (`?`, `#`, `%40`, `:`, `*`, quotes, spaces, newlines, backslashes, …) each stayed what it was.
_VERSION = "@"
# In the URL of a remote store these mean something to one of the two clients only, so that they would disagree.
_REMOTE = re.compile(r"[@?#%\\\s\x00-\x1f\x7f]")


def local_folder(url: str) -> Path:
    """The absolute directory that a path or a `file://` URL names; a URL is taken as it stands, `%20` and all.

    :raises UsageError: the URL names a host, or a user that there is not, or the current directory is gone.
    """
    path = url
    if urlsplit(url).scheme == "file":
        path = re.sub(r"^file:(//(localhost(?=/))?)?", "", url, flags=re.IGNORECASE)
        if not path.startswith("/"):
            raise UsageError(f"{url!r} names a host, not a directory: write file:///{path}")
    try:
        return Path(path).expanduser().absolute()
    except FileNotFoundError as error:
        raise UsageError(f"{url!r}: the current directory was removed: write the whole path") from error
    except RuntimeError as error:
        raise UsageError(f"{url!r}: no home directory is known for that user: write the whole path") from error


def check_remote(url: str) -> str:
    """The remote store's URL itself, when all that read it agree on what it names.

    :raises UsageError: it has a character that they do not agree on. The URL, which
        may hold a password, is not repeated.
    """
    found = _REMOTE.search(url)
    if found or {".", ".."} & set(url.split("/")):
        what = repr(found[0]) if found else "'.' or '..' as a folder"
        raise UsageError(
            f"the {urlsplit(url).scheme}:// URL has {what}: choose a name of letters, digits, '-', '_', '.' and '/'; "
            "credentials go into the environment or an Airflow connection"
        )
    return url


def check_dataset_place(url: str, *, setting: str = "ASKREPO_WORKSPACE (or ASKREPO_DATASETS)") -> str:
    """The URL or path itself, when datasets can be there.

    :param setting: what the user can set to another place.
    :raises UsageError: Deep Lake would read or write somewhere else.
    """
    if "://" in url and urlsplit(url).scheme != "file":
        return check_remote(url)
    path = str(local_folder(url))
    if _VERSION in path:
        raise UsageError(
            f"no dataset can be at {path}: Deep Lake takes what follows '{_VERSION}' for a version and would use "
            f"{path.partition(_VERSION)[0]!r}; set {setting} to a path without '{_VERSION}', which may be a symbolic "
            "link to this one"
        )
    return url

"""Object stores on the network: opened with time limits and retries, their errors turned into ours."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from askrepo.errors import (
    AskrepoError,
    CredentialsError,
    ForbiddenError,
    StorageError,
    UnavailableError,
    UsageError,
)
from askrepo.workspace.s3_access import S3Access

REMOTE_SCHEMES = ("s3", "gs", "az")

_CONNECT_TIMEOUT = "3s"
# How long a store may be silent. What is sent counts as silence too, so that uploads get more.
_ANSWER_TIMEOUT = "10s"
_UPLOAD_ANSWER_TIMEOUT = "120s"
# Of one request as a whole, which may be a file of gigabytes.
_TIMEOUT = "1h"
# A store that answers 5xx or drops connections is asked six times within about two seconds (measured: 1.3 to 1.6 s).
_MAX_RETRIES = 5
_RETRY_TIMEOUT = timedelta(seconds=10)
_FIRST_PAUSE = timedelta(milliseconds=100)
_LONGEST_PAUSE = timedelta(seconds=2)

_CODE = re.compile(r"<Code>(\w+)</Code>")
_REFUSALS = frozenset({"AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"})
_NO_PLACE = frozenset({"NoSuchBucket", "ContainerNotFound"})
_ROLE_HOSTS = ("169.254.169.254", "169.254.170.2", "metadata.google.internal")
_MAX_DETAIL = 300
# How obstore words a failure of the operating system.
_OS_ERROR = re.compile(r"\(os error (\d{1,9})\)")
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EISDIR, errno.ELOOP})


class ObjectMissingError(StorageError):
    """There is no object of that key."""


class ObjectExistsError(StorageError):
    """Somebody else created that key first."""


class ObjectTooLargeError(StorageError):
    """The object is far larger than what was written under such a key."""


def open_store(url: str, env: Mapping[str, str], *, for_uploads: bool = False) -> Any:
    """The obstore store at an `s3://`, `gs://` or `az://` URL.

    :param env: where keys, region and endpoint of `s3://` come from. Google's and Azure's are read by obstore, from
        the process's own environment.
    :param for_uploads: wait longer for an answer.
    :raises UsageError: the URL names no bucket, or a setting is wrong.
    :raises CredentialsError: the credentials are incomplete.
    """
    from obstore import exceptions
    from obstore.store import S3Store, from_url

    parts = urlsplit(url)
    if not parts.netloc:
        raise UsageError(f"{url!r} names no bucket: write {parts.scheme}://bucket/folder")
    client: Any = {
        "connect_timeout": _CONNECT_TIMEOUT,
        "read_timeout": _UPLOAD_ANSWER_TIMEOUT if for_uploads else _ANSWER_TIMEOUT,
        "timeout": _TIMEOUT,
    }
    backoff: Any = {"init_backoff": _FIRST_PAUSE, "max_backoff": _LONGEST_PAUSE, "base": 2}
    retries: Any = {"max_retries": _MAX_RETRIES, "retry_timeout": _RETRY_TIMEOUT, "backoff": backoff}
    try:
        if parts.scheme != "s3":
            return from_url(url, client_options=client, retry_config=retries)
        access = S3Access.from_env(env)
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=_s3_config(access),
            client_options={**client, "allow_http": access.is_plain_http},
            retry_config=retries,
            credential_provider=access.obstore_credential if access.access_key_id else None,
        )
    except (exceptions.BaseError, ValueError) as error:
        raise UsageError(f"{url} cannot be opened: {_detail(error)}") from None


def _s3_config(access: S3Access) -> dict[str, Any]:
    """The keys come from a provider, so that none of the process's own environment is mixed with them."""
    config: dict[str, Any] = {}
    if access.region:
        config["aws_region"] = access.region
    if access.endpoint:
        # The one name that wins over AWS_ENDPOINT_URL_S3 in the process's environment (obstore 0.12.1).
        config["aws_endpoint_url_s3"] = access.endpoint
    return config


@contextmanager
def store_errors(action: str) -> Iterator[None]:
    """Turn obstore's exceptions into ours.

    Its own are not chained: an answer that refuses a session token repeats it.

    :param action: what was attempted, as in "cannot {action}".
    """
    from obstore import exceptions

    try:
        yield
    except AskrepoError:
        raise
    except (exceptions.AlreadyExistsError, FileExistsError):
        raise ObjectExistsError(f"cannot {action}: it exists already") from None
    except ValueError:  # the store refuses `..` and empty segments before touching anything
        raise UsageError(f"cannot {action}: not a key of the workspace") from None
    except (exceptions.BaseError, OSError) as error:
        raise _known(error, f"cannot {action}") from None


def _known(error: Exception, failed: str) -> AskrepoError:
    """Which of our errors one of obstore's is."""
    from obstore import exceptions

    text = str(error)
    number = _os_error(error, text)
    if number is not None:
        return _of_this_machine(number, failed)
    match = _CODE.search(text)
    code = match[1] if match else ""
    if code in _NO_PLACE:
        return UnavailableError(f"{failed}: there is no such bucket; create it, or correct the URL")
    if isinstance(error, (exceptions.NotFoundError, FileNotFoundError)):
        return ObjectMissingError(f"{failed}: no such object")
    if code in _REFUSALS or isinstance(error, (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)):
        return CredentialsError(f"{failed}: the store refused the credentials{f' ({code})' if code else ''}")
    if any(host in text for host in _ROLE_HOSTS):
        return CredentialsError(
            f"{failed}: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; in Airflow, "
            "name a connection of type aws in ASKREPO_WORKSPACE_CONN_ID"
        )
    if "HTTP error" in text:
        return StorageError(f"{failed}: the store cannot be reached or does not answer ({_detail(error)})")
    return StorageError(f"{failed}: {_detail(error)}")


def _os_error(error: Exception, text: str) -> int | None:
    """The operating system's number of a failure on this machine's disk; None for a missing file, and elsewhere."""
    told = _OS_ERROR.findall(text.partition("LocalFileSystem")[2])
    number = error.errno if isinstance(error, OSError) and error.errno else int(told[-1]) if told else None
    return None if number == errno.ENOENT else number


def _of_this_machine(number: int, failed: str) -> AskrepoError:
    """What is wrong with a local workspace: permissions, what is in the way, the disk; never damage."""
    reason = os.strerror(number).lower()
    if number in _FORBIDDEN:
        return ForbiddenError(f"{failed}: {reason}; give this user the right to it, or run as its owner")
    if number in _IN_THE_WAY:
        return UnavailableError(f"{failed}: {reason}; something else is in the place of a file or a folder")
    if number in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(f"{failed}: {reason}; make room on the disk")
    return StorageError(f"{failed}: {reason}")


def _detail(error: Exception) -> str:
    """The error's first part, on one line, without what the store wrote in its answer but for its code."""
    text = str(error).split("\n\nDebug source")[0]
    code = _CODE.search(text)
    shown = " ".join(text.split("<", 1)[0].split())[:_MAX_DETAIL].rstrip(" :")
    return f"{shown}: {code[1]}" if code else shown

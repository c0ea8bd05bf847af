"""OpenAI-compatible endpoints: their address checked, and HTTP clients that send to no other place."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from askrepo.errors import CredentialsError, RemoteRefusedError, RemoteUnavailableError, UsageError

if TYPE_CHECKING:
    import openai

DEFAULT_BASE_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""The client insists on a key; self-hosted services ignore it."""
SMALLEST_TIMEOUT_S = 0.001
"""A timeout of zero would mean "do not block" to a socket."""
_HOST = re.compile(r"[\w.:-]+")
_SHOWABLE = re.compile(r"[\w.:/~+-]{1,200}")
"""A URL of these characters holds neither a password in front of its host nor a query."""
_ENDINGS = re.compile(r"/(?:chat/completions|completions|embeddings|responses|models)$")
_AZURE = re.compile(r"\.(?:openai|cognitiveservices)\.azure\.com$|\.azure-api\.net$")
_LOCAL = re.compile(r"localhost|[\d.]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def checked_base_url(url: str | None, *, of: str) -> str:
    """The URL in one spelling: scheme and host in lower case, no default port, no slash at the end.

    Credentials and a query are refused, as the URL is shown in messages, in HTTP logs and in fingerprints.

    :param url: None for OpenAI's own service.
    :param of: whose it is, for the message: `the embedder`, `the chat model`.
    :raises UsageError: it is no http(s) URL, holds credentials or names one call of the API; says what to write.
    """
    if not url:
        return DEFAULT_BASE_URL
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:  # not quoted: where it is broken, it may still hold a password
        raise UsageError(
            f"the base URL of {of} is no URL; write it like https://host/v1, check OPENAI_BASE_URL"
        ) from None
    if "@" in url or "%40" in url or parts.query or parts.fragment:
        raise UsageError(_refused_parts(of, host if _HOST.fullmatch(host) else "?"))
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host) or not (parts.path.isascii() and " " not in url):
        raise UsageError(_no_url(url.strip(), of))
    host = f"[{host}]" if ":" in host else host
    place = f"{host}:{port}" if port and port != _DEFAULT_PORTS[scheme] else host
    checked = urlunsplit((scheme, place, parts.path.rstrip("/"), "", ""))
    if _ENDINGS.search(checked):
        raise UsageError(
            f"the base URL of {of} names one call of the API: write {_ENDINGS.sub('', checked)} into OPENAI_BASE_URL"
        )
    return checked


def _refused_parts(of: str, host: str) -> str:
    said = (
        f"the base URL of {of}, on host {host}, must hold neither credentials nor a query: put the key into "
        "OPENAI_API_KEY or the Airflow connection, and check OPENAI_BASE_URL"
    )
    if _AZURE.search(host):
        said += f"; for Azure write https://{host}/openai/v1, without api-version"
    return said


def _no_url(url: str, of: str) -> str:
    """What is wrong with a base URL, and what to write instead; quoted only when it can hold no secret."""
    if not _SHOWABLE.fullmatch(url):
        return f"the base URL of {of} is no http(s) URL; it looks like https://host/v1, check OPENAI_BASE_URL"
    host = url.partition("/")[0].partition(":")[0]
    if "://" not in url and ("." in host or host == "localhost"):
        scheme = "http" if _LOCAL.fullmatch(host) else "https"
        return f"the base URL of {of} has no scheme: write {scheme}://{url} into OPENAI_BASE_URL"
    return f"no base URL of {of}: {url!r}; it looks like https://host/v1, check OPENAI_BASE_URL"


def checked_key(api_key: str | None, place: str, *, of: str) -> str:
    """The key to send, `NO_KEY` where none is needed.

    :raises CredentialsError: OpenAI's own service needs one, or it cannot be a key; it is not quoted.
    """
    key = (api_key or "").strip()
    if not key and place == DEFAULT_BASE_URL:
        raise CredentialsError(
            f"no key for OpenAI, which {of} needs: set OPENAI_API_KEY, or give the Airflow connection of type OpenAI "
            "a password; for a service that needs no key set OPENAI_BASE_URL"
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        # an HTTP library would quote it in its complaint
        raise CredentialsError("the OpenAI key holds spaces or characters that no key has: check OPENAI_API_KEY")
    return key or NO_KEY


class Allowance:
    """What an exchange may still take: time until a deadline, and bytes. Each thread has its own."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def start(self, *, seconds: float, max_bytes: int) -> None:
        """Begin an exchange."""
        self._of_thread.ends = time.monotonic() + seconds
        self._of_thread.bytes_left = max_bytes

    @property
    def seconds_left(self) -> float:
        """Until the deadline, negative after it."""
        return float(getattr(self._of_thread, "ends", float("inf"))) - time.monotonic()

    def within(self, timeout: float | None) -> float:
        """The timeout, or what is left until the deadline when that is less."""
        left = max(SMALLEST_TIMEOUT_S, self.seconds_left)
        return left if timeout is None else min(timeout, left)

    def take(self, count: int) -> None:
        """Count bytes that arrived.

        :raises RemoteUnavailableError: more than the exchange may bring.
        """
        self._of_thread.bytes_left = getattr(self._of_thread, "bytes_left", count) - count
        if self._of_thread.bytes_left < 0:
            raise RemoteUnavailableError("the endpoint's answer does not end: more was sent than any answer needs")


def open_http_client(*, timeout_s: float, allowance: Allowance) -> openai.DefaultHttpxClient:
    """A client that goes where it was told only, within its allowance; proxies of the environment are used.

    :param timeout_s: how long a connection may stay silent.
    :raises UsageError: a proxy or certificate file that the environment names cannot be used.
    """
    import openai

    client: openai.DefaultHttpxClient = _opened(openai.DefaultHttpxClient, timeout_s, check_response)
    # httpx has no door for this: without it a deadline could not end an answer that drips in byte by byte.
    transports = [client._transport, *client._mounts.values()]  # noqa: SLF001
    for pool in (getattr(transport, "_pool", None) for transport in transports):
        if pool is not None:
            pool._network_backend = _BoundedBackend(pool._network_backend, allowance)  # noqa: SLF001
    return client


def open_async_http_client(*, timeout_s: float) -> openai.DefaultAsyncHttpxClient:
    """Likewise for coroutines, which LangChain objects may be asked for; without an allowance."""
    import openai

    async def check(response: Any) -> None:
        check_response(response)

    client: openai.DefaultAsyncHttpxClient = _opened(openai.DefaultAsyncHttpxClient, timeout_s, check)
    return client


def _opened(kind: Callable[..., Any], timeout_s: float, check: Callable[[Any], Any]) -> Any:
    """A client of that kind, or our error; the library's own is not quoted, as it may hold a proxy's password."""
    try:
        return kind(
            timeout=timeout_s,
            # an answer must not unfold to more than was sent
            headers={"accept-encoding": "identity"},
            event_hooks={"response": [check]},
        )
    except Exception as error:  # noqa: BLE001 - whatever a strange proxy or certificate meets
        found = type(error).__name__
    raise UsageError(
        f"the environment's settings for connections cannot be used ({found}): "
        "check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE"
    )


def check_response(response: Any) -> None:
    """Stop before a redirect is followed to another origin (scheme, host, port), or as another kind of request.

    :raises RemoteRefusedError: the endpoint redirects elsewhere, or compresses unasked.
    """
    asked = response.request.url
    location = response.headers.get("location")
    if 300 <= response.status_code < 400 and location is not None:
        target = _joined(asked, location)
        if target is None or _origin(target) != _origin(asked) or response.status_code not in (307, 308):
            raise RemoteRefusedError(_redirected(response.status_code, asked, target))
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise RemoteRefusedError(
            f"{_shown(asked)} compresses its answer, though it was asked not to; "
            "turn compression off there, or name another endpoint with OPENAI_BASE_URL"
        )


def _redirected(status: int, asked: Any, target: Any) -> str:
    """Names origins only: a path or query may hold a secret."""
    where = "an address that makes no sense" if target is None else _shown(target)
    if target is not None and _origin(target) == _origin(asked):
        # such a redirect turns the request into another one, without what was asked
        return (
            f"{_shown(asked)} redirects to another path of its own (HTTP {status}): check the path in OPENAI_BASE_URL"
        )
    advice = "check OPENAI_BASE_URL" if target is None else f"if {where} is your endpoint, name it in OPENAI_BASE_URL"
    return f"{_shown(asked)} redirects to {where} (HTTP {status}); nothing was sent there: {advice}"


def _joined(asked: Any, location: str) -> Any:
    try:
        target = asked.join(location)
    except Exception:  # noqa: BLE001 - httpx's InvalidURL, or whatever a strange location meets on the way
        return None
    return target if target.host else None


def _origin(url: Any) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or _DEFAULT_PORTS.get(url.scheme)


def _shown(url: Any) -> str:
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}" + (f":{url.port}" if url.port else "")


class _BoundedBackend:
    """A network backend of httpcore whose connections keep within an allowance."""

    def __init__(self, inner: Any, allowance: Allowance) -> None:
        self._inner = inner
        self._allowance = allowance

    def connect_tcp(self, *args: Any, timeout: float | None = None, **options: Any) -> _BoundedStream:
        timeout = self._allowance.within(timeout)
        return _BoundedStream(self._inner.connect_tcp(*args, timeout=timeout, **options), self._allowance)

    def connect_unix_socket(self, *args: Any, timeout: float | None = None, **options: Any) -> _BoundedStream:
        timeout = self._allowance.within(timeout)
        return _BoundedStream(self._inner.connect_unix_socket(*args, timeout=timeout, **options), self._allowance)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _BoundedStream:
    """A connection of httpcore likewise."""

    def __init__(self, inner: Any, allowance: Allowance) -> None:
        self._inner = inner
        self._allowance = allowance

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        content: bytes = self._inner.read(max_bytes, timeout=self._allowance.within(timeout))
        self._allowance.take(len(content))
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout=self._allowance.within(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _BoundedStream:
        timeout = self._allowance.within(timeout)
        return _BoundedStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._allowance)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

"""The `openai:<model>` embedder: any OpenAI-compatible endpoint, through langchain-openai."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from askrepo.errors import (
    AskrepoError,
    CredentialsError,
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
    UsageError,
    VerificationError,
)
from askrepo.tokens import count_tokens, truncate
from askrepo.types import digest_of

if TYPE_CHECKING:
    import numpy as np
    import openai
    from numpy.typing import NDArray

DEFAULT_BASE_URL = "https://api.openai.com/v1"
MAX_TOKENS_PER_TEXT = 8191
"""Longest input of OpenAI's embedding models (platform documentation, embeddings)."""
MAX_TEXTS_PER_REQUEST = 2048
"""Most inputs of one request (API reference, create embeddings)."""
MAX_TOKENS_PER_REQUEST = 200_000
"""The API reference allows 300,000; the rest is for models that count otherwise than cl100k_base."""
REQUEST_TIMEOUT_S = 120.0
"""A self-hosted model on a slow machine needs a minute for 256 chunks."""
ATTEMPTS = 4
"""Requests made before a rate limit is passed on to the caller, who may try the whole task later."""
MAX_WAIT_S = 60.0
"""Longest wait for one rate limit; a longer one is the scheduler's business."""
FIRST_WAIT_S = 1.0
"""Wait when the service does not say how long; doubled each time."""
QUOTA_CODE = "insufficient_quota"
"""A 429 with this code means an empty account, which waiting does not fill."""
SENT_WITHOUT_KEY = "none"
"""The client insists on a key; self-hosted services ignore it."""
MAX_QUOTED_CHARS = 300
_KEY_LIKE = re.compile(r"\bsk-[\w*.-]+")
"""Keys, also those that a service has shortened by asterisks."""
_HOST = re.compile(r"[\w.:-]+")


class OpenAIEmbedder:
    """Vectors from a remote model, scaled to length 1.

    No error it raises carries the key: the client's own exceptions may, so they are neither shown nor chained.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Check the settings; nothing is sent before the first text.

        :param base_url: None for OpenAI's own service, which needs a key.
        :param sleep: how to wait for a rate limit.
        :raises CredentialsError: no key for OpenAI's service, or one that cannot be a key.
        :raises UsageError: base_url is not an http(s) URL, or holds credentials.
        """
        self.spec = f"openai:{model}"
        self._model = model
        self._place = _checked_base_url(base_url or DEFAULT_BASE_URL)
        self._api_key = _checked_key(api_key, self._place)
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._client: Any = None
        identity = {"embedder": "openai", "model": model, "max_tokens": MAX_TOKENS_PER_TEXT}
        if self._place != DEFAULT_BASE_URL:
            identity["base_url"] = self._place
        self.fingerprint = digest_of(identity)[:32]

    def __repr__(self) -> str:
        return f"OpenAIEmbedder({self._model!r}, base_url={self._place!r})"

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n_texts, dimension) float32, rows of length 1; (0, 0) without texts: only the service knows the dimension.

        :raises CredentialsError: the key was refused.
        :raises RateLimitedError: the service still asked to slow down after the last attempt.
        :raises RemoteUnavailableError: no connection, no answer in time, a server error or half an answer.
        :raises RemoteRefusedError: the service will not embed these texts, or has no such model.
        :raises VerificationError: vectors of several lengths, or with numbers that are none.
        """
        import numpy as np

        if not texts:
            return np.empty((0, 0), np.float32)
        rows = [row for batch in batches(texts) for row in self._embed_batch(batch)]
        return self._unit_rows(rows)

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """(dimension,) float32, of length 1. Raises what `embed_texts` raises."""
        vector: NDArray[np.float32] = self.embed_texts([text])[0]
        return vector

    def warm_up(self) -> None:
        """Nothing to load."""

    def _embed_batch(self, texts: list[str]) -> list[list[float]]:
        """The service's vectors of one request, waiting out rate limits."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                rows = self._request(texts)
            except RateLimitedError as error:
                wait_s = FIRST_WAIT_S * 2 ** (attempt - 1) if error.retry_after_s is None else error.retry_after_s
                if attempt == ATTEMPTS or wait_s > MAX_WAIT_S:
                    raise
                self._sleep(wait_s)
            else:
                break
        if len(rows) != len(texts):
            raise RemoteUnavailableError(
                f"{self._place} was asked for {len(texts)} vectors of {self._model!r} and answered with {len(rows)}"
            )
        return rows

    def _request(self, texts: list[str]) -> list[list[float]]:
        """One request. Failures are raised outside `except`, so that no exception with the key is chained to them."""
        import openai

        client = self._open_client()
        failure: AskrepoError
        try:
            rows: list[list[float]] = client.embed_documents(texts)
        except openai.APIStatusError as error:
            failure = self._refusal(error)
        except openai.APITimeoutError:
            failure = RemoteUnavailableError(f"{self._place} did not answer within {self._timeout_s:g} s")
        except openai.APIConnectionError as error:
            failure = RemoteUnavailableError(f"cannot reach {self._place}: {self._quoted(error.__cause__ or error)}")
        except (openai.OpenAIError, ValueError, TypeError, AttributeError, KeyError) as error:
            # an answer that is no embeddings response fails in the client wherever it is first looked into
            found = type(error).__name__
            failure = RemoteUnavailableError(f"{self._place} answered with something else than vectors ({found})")
        else:
            return rows
        raise failure

    def _open_client(self) -> Any:
        if self._client is None:
            from langchain_openai import OpenAIEmbeddings
            from pydantic import SecretStr

            self._client = OpenAIEmbeddings(
                model=self._model,
                api_key=SecretStr(self._api_key),
                base_url=self._place,
                check_embedding_ctx_length=False,  # plain strings: other services know no OpenAI token numbers
                disallowed_special=(),  # "<|endoftext|>" in a repository is text
                chunk_size=MAX_TEXTS_PER_REQUEST,
                max_retries=0,  # ours: bounded, and honouring retry-after
                timeout=self._timeout_s,
            )
        return self._client

    def _refusal(self, error: openai.APIStatusError) -> AskrepoError:
        """Our error for an HTTP status."""
        status = error.status_code
        if status in (401, 403):
            # the service's own message may repeat the key
            return CredentialsError(
                f"{self._place} refused the key for {self._model!r} (HTTP {status}): "
                "check OPENAI_API_KEY or the Airflow connection"
            )
        said = f"{self._place}, model {self._model!r}: HTTP {status}: {self._quoted(error)}"
        if status == 429 and error.code == QUOTA_CODE:
            return RemoteRefusedError(f"{said}; the account's quota is used up")
        if status == 429:
            return RateLimitedError(said, retry_after_s=_retry_after_s(error.response.headers))
        return RemoteUnavailableError(said) if status >= 500 or status == 408 else RemoteRefusedError(said)

    def _quoted(self, error: BaseException) -> str:
        """What an exception says, without the key, on one line, not endless."""
        text = str(error)
        if self._api_key != SENT_WITHOUT_KEY:
            text = text.replace(self._api_key, "***")
        text = _KEY_LIKE.sub("***", text)
        printable = "".join(letter if letter.isprintable() else " " for letter in text)
        return printable if len(printable) <= MAX_QUOTED_CHARS else printable[:MAX_QUOTED_CHARS] + "…"

    def _unit_rows(self, rows: list[list[float]]) -> NDArray[np.float32]:
        import numpy as np

        dimensions = sorted({len(row) for row in rows})
        if len(dimensions) != 1:
            raise VerificationError(f"{self._place} answered with vectors of several dimensions: {dimensions}")
        vectors = np.array(rows, np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise VerificationError(
                f"{self._place} answered with a vector of {self._model!r} that is zero or not finite"
            )
        unit: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
        return unit


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts, each cut at the model's limit, in groups that fit into one request, in order."""
    batch: list[str] = []
    batch_tokens = 0
    for text in texts:
        # a question from the terminal may hold bytes that are not UTF-8, which JSON cannot carry
        cut = truncate(text.encode("utf-8", "replace").decode(), MAX_TOKENS_PER_TEXT)
        tokens = count_tokens(cut)
        if batch and (len(batch) == MAX_TEXTS_PER_REQUEST or batch_tokens + tokens > MAX_TOKENS_PER_REQUEST):
            yield batch
            batch, batch_tokens = [], 0
        batch.append(cut)
        batch_tokens += tokens
    if batch:
        yield batch


def _checked_base_url(url: str) -> str:
    """The URL in one spelling: scheme and host in lower case, no default port, no slash at the end.

    Credentials and a query are refused, as the URL is shown in messages, in HTTP logs and in the fingerprint.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:  # not quoted: where it is broken, it may still hold a password
        raise UsageError("the base URL of the embedder is no URL, check OPENAI_BASE_URL") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            f"the base URL of the embedder, on host {host or '?'}, must hold neither credentials nor a query: "
            "put the key into OPENAI_API_KEY or the Airflow connection, and check OPENAI_BASE_URL"
        )
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise UsageError(f"no base URL of an embedder: {url!r}; it looks like https://host/v1, check OPENAI_BASE_URL")
    host = f"[{host}]" if ":" in host else host
    place = f"{host}:{port}" if port and (scheme, port) not in {("http", 80), ("https", 443)} else host
    return urlunsplit((scheme, place, parts.path.rstrip("/"), "", ""))


def _checked_key(api_key: str | None, place: str) -> str:
    key = (api_key or "").strip()
    if not key and place == DEFAULT_BASE_URL:
        raise CredentialsError(
            "no key for OpenAI: set OPENAI_API_KEY, or give the Airflow connection of type OpenAI a password; "
            "for a service that needs no key set OPENAI_BASE_URL"
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        # an HTTP library would quote it in its complaint
        raise CredentialsError("the OpenAI key holds spaces or characters that no key has: check OPENAI_API_KEY")
    return key or SENT_WITHOUT_KEY


def _retry_after_s(headers: Any) -> float | None:
    """Seconds from `retry-after-ms` or `retry-after`; None when absent or a date, which few services send."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if 0 <= wait_s < float("inf"):
            return wait_s
    return None

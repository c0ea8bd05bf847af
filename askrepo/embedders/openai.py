"""The `openai:<model>` embedder: any OpenAI-compatible endpoint, through the client beneath langchain-openai."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from askrepo.embedders.endpoints import DEFAULT_BASE_URL, Allowance, checked_base_url, checked_key, open_http_client
from askrepo.embedders.remote_errors import Endpoint, Refusal
from askrepo.errors import AskrepoError, RateLimitedError, RemoteUnavailableError, VerificationError
from askrepo.text.tokens import count_tokens, truncate
from askrepo.types import digest_of

if TYPE_CHECKING:
    import numpy as np
    import openai
    from numpy.typing import NDArray

MAX_TOKENS_PER_TEXT = 8191
"""Longest input of OpenAI's embedding models (platform documentation, embeddings)."""
MAX_TEXTS_PER_REQUEST = 2048
"""Most inputs of one request (API reference, create embeddings)."""
MAX_TOKENS_PER_REQUEST = 200_000
"""The API reference allows 300,000; the rest is for models that count otherwise than cl100k_base."""
REQUEST_TIMEOUT_S = 120.0
"""A self-hosted model on a slow machine needs a minute for 256 chunks."""
MAX_BYTES_PER_TEXT = 400_000
"""Of an answer: 16,000 numbers of 25 characters, several times the longest vectors there are."""
ATTEMPTS = 4
"""Requests made before a rate limit is passed on to the caller, who may try the whole task later."""
MAX_WAIT_S = 60.0
"""Longest wait for one rate limit; a longer one is the scheduler's business."""
FIRST_WAIT_S = 1.0
"""Wait when the service does not say how long; doubled each time."""
SHORTENED_TO = (3, 4)
"""The share of a text that is tried when a service finds it too long: it counts by a tokenizer we do not know."""
MIN_TOKENS = 32
"""A service that finds this too long does not mean the length."""
TOO_MUCH = frozenset({400, 413, 422})
"""How services refuse a batch with too many texts, or a text with too many tokens."""
MAX_NAME_CHARS = 60
_ABOUT_LENGTH = r"token|length|\blong\b|large|\bsize|context|truncat|too big|charact|exceed"
# In an error of the server itself, which a retry may cure, only plain words count.
_TOO_LARGE = (
    r"too (?:large|long|big|many (?:inputs|texts|tokens))|batch size|context (?:length|size)|maximum \w+ tokens"
)
_ABOUT_MODEL = (
    r"model\b.{0,80}\b(?:not (?:found|exist|supported|available|loaded)|does not exist|unknown)|invalid model"
)

log = logging.getLogger(__name__)


class OpenAIEmbedder:
    """Vectors from a remote model, scaled to length 1.

    No error it raises carries the key: the client's own exceptions may, so they are neither shown nor chained.

    :ivar shortened: texts that the service found too long and got shortened.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        max_texts: int | None = None,
        max_tokens: int | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Check the settings; nothing is sent before the first text.

        :param base_url: None for OpenAI's own service, which needs a key.
        :param max_texts: most texts of one request; None for OpenAI's limit, as for max_tokens.
        :param max_tokens: longer texts are cut to so many tokens (cl100k_base); part of the fingerprint.
        :param sleep: how to wait for a rate limit.
        :raises CredentialsError: no key for OpenAI's service, or one that cannot be a key.
        :raises UsageError: base_url is not an http(s) URL, or holds credentials.
        """
        self.spec = f"openai:{model}"
        self.shortened = 0
        place = checked_base_url(base_url, of="the embedder")
        self._endpoint = Endpoint("embedding endpoint", place, model, checked_key(api_key, place, of=self.spec))
        self._max_texts = max_texts or MAX_TEXTS_PER_REQUEST
        self._max_tokens = max_tokens or MAX_TOKENS_PER_TEXT
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._allowance = Allowance()
        self._api: openai.OpenAI | None = None
        # Plain numbers: what services make of the other format, base64, is refused, ignored and empty vectors.
        self._format = {"encoding_format": "float"}
        identity = {"embedder": "openai", "model": model, "max_tokens": self._max_tokens}
        if place != DEFAULT_BASE_URL:
            identity["base_url"] = place
        self.fingerprint = digest_of(identity)[:32]

    def __repr__(self) -> str:
        return f"OpenAIEmbedder({self._endpoint.model!r}, base_url={self._endpoint.place!r})"

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n_texts, dimension) float32, rows of length 1; (0, 0) without texts: only the service knows the dimension.

        A batch that the service finds too large is halved; a text that it finds too long is shortened, by steps that
        depend on the text alone, so that its vector does not depend on the others of its batch.

        :raises CredentialsError: the key was refused.
        :raises RateLimitedError: the service still asked to slow down after the last attempt.
        :raises RemoteUnavailableError: no connection, no answer in time, a server error or half an answer.
        :raises RemoteRefusedError: the service will not embed these texts, or has no such model.
        :raises VerificationError: vectors of several lengths, with numbers that are none, or of unknown texts.
        """
        import numpy as np

        if not texts:
            return np.empty((0, 0), np.float32)
        groups = batches(texts, max_texts=self._max_texts, max_tokens=self._max_tokens)
        rows = [row for batch in groups for row in self._embed_batch(batch)]
        return self._unit_rows(rows, texts)

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """(dimension,) float32, of length 1. Raises what `embed_texts` raises."""
        vector: NDArray[np.float32] = self.embed_texts([text])[0]
        return vector

    def warm_up(self) -> None:
        """Nothing to load."""

    def _embed_batch(self, texts: list[str]) -> list[NDArray[np.float64]]:
        """The vectors of a batch, in halves when the service finds it too large."""
        if len(texts) <= self._max_texts:
            refusal = None
            try:
                return self._ask(texts)
            except _TooMuchError as refused:
                refusal = refused.refusal
            if len(texts) == 1:
                return [self._embed_shortened(texts[0], refusal)]
        middle, shortened = (len(texts) + 1) // 2, self.shortened
        rows = [*self._embed_batch(texts[:middle]), *self._embed_batch(texts[middle:])]
        if self.shortened == shortened:  # it was the number of texts: the next batches need not be refused first
            self._max_texts = min(self._max_texts, middle)
        return rows

    def _embed_shortened(self, text: str, refusal: Refusal) -> NDArray[np.float64]:
        """The vector of as much of a text as the service takes."""
        tokens = limit = count_tokens(text)
        name = self._name(text)
        while (limit := limit * SHORTENED_TO[0] // SHORTENED_TO[1]) >= MIN_TOKENS and _is_about_size(refusal):
            try:
                row = self._ask([truncate(text, limit)])[0]
            except _TooMuchError as refused:
                refusal = refused.refusal
            else:
                self.shortened += 1
                log.warning(
                    "%s found the text of %s too long and got %d of its %d tokens (texts shortened so far: %d): %s",
                    self._endpoint, name, limit, tokens, self.shortened,
                    self._endpoint.scrubbed(refusal.reason) or f"HTTP {refusal.status}",
                )  # fmt: skip
                return row
        raise self._about(self._endpoint.error(refusal), [text]) from None

    def _ask(self, texts: list[str]) -> list[NDArray[np.float64]]:
        """The service's vectors of one request, waiting out rate limits.

        :raises _TooMuchError: it refused, and may take less.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._request(texts)
            except RateLimitedError as error:
                wait_s = FIRST_WAIT_S * 2 ** (attempt - 1) if error.retry_after_s is None else error.retry_after_s
                if attempt == ATTEMPTS or wait_s > MAX_WAIT_S:
                    raise
                self._sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _request(self, texts: list[str]) -> list[NDArray[np.float64]]:
        """One request. Failures are raised outside `except`, so that no exception with the key is chained to them."""
        import openai

        self._allowance.start(seconds=self._timeout_s, max_bytes=1_000_000 + len(texts) * MAX_BYTES_PER_TEXT)
        body = {"model": self._endpoint.model, "input": texts, **self._format}
        refusal: Refusal | None = None
        failure: AskrepoError | None = None
        try:
            answer = self._open_api().post("/embeddings", cast_to=str, body=body)
        except openai.APIStatusError as error:
            refusal = Refusal.of_response(error.response)
        except openai.APITimeoutError:
            failure = RemoteUnavailableError(f"{self._endpoint} did not answer within {self._timeout_s:g} s")
        except openai.APIConnectionError as error:
            failure = self._endpoint.unreachable(error)
        except AskrepoError as error:  # of the HTTP client: a redirect, an answer without end
            failure = error
        except (openai.OpenAIError, ValueError, TypeError, AttributeError, KeyError) as error:
            failure = self._endpoint.malformed(error, wanted="a list of vectors")
        else:
            return self._vectors(answer, texts)
        if refusal is not None and self._format and refusal.mentions("encoding_format"):
            self._format = {}
            return self._request(texts)
        raise self._refused(refusal, texts) if refusal is not None else self._about(failure, texts)

    def _open_api(self) -> openai.OpenAI:
        if self._api is None:
            import openai

            self._api = openai.OpenAI(
                api_key=self._endpoint.api_key,
                base_url=self._endpoint.place,
                http_client=open_http_client(timeout_s=self._timeout_s, allowance=self._allowance),
                max_retries=0,  # ours: bounded, and honouring retry-after
            )
        return self._api

    def _refused(self, refusal: Refusal, texts: list[str]) -> Exception:
        """What a refusal means: perhaps that less would be taken."""
        may_be_any = refusal.status >= 500 or not refusal.status
        is_large = refusal.status in TOO_MUCH or (may_be_any and refusal.mentions(_TOO_LARGE))
        if is_large and not refusal.is_quota and not refusal.mentions(_ABOUT_MODEL):
            return _TooMuchError(refusal)
        return self._about(self._endpoint.error(refusal), texts)

    def _about(self, error: AskrepoError | None, texts: Sequence[str]) -> AskrepoError:
        """The error with the name of what was to be embedded."""
        assert error is not None  # noqa: S101 - narrows the type
        error.args = (f"{error} (while embedding {self._batch_name(texts)})",)
        return error

    def _vectors(self, answer: str, texts: list[str]) -> list[NDArray[np.float64]]:
        """The vectors of an answer, in the order of the texts."""
        try:
            payload = json.loads(answer)
        except (ValueError, RecursionError):
            payload = answer
        rows = payload.get("data") if isinstance(payload, Mapping) else None
        if isinstance(payload, Mapping) and rows is None and (payload.get("error") or payload.get("detail")):
            raise self._refused(Refusal.of_payload(payload), texts)
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise self._about(self._endpoint.malformed(payload, wanted="a list of vectors"), texts)
        if len(rows) != len(texts):
            raise self._about(
                RemoteUnavailableError(f"{self._endpoint} was asked for {len(texts)} vectors and sent {len(rows)}"),
                texts,
            )
        return [self._vector(row, text) for row, text in zip(self._in_order(rows, texts), texts, strict=True)]

    def _in_order(self, rows: list[Mapping[str, Any]], texts: list[str]) -> list[Mapping[str, Any]]:
        """The rows by their index; as they came when none has one, or all have zero, as some services answer."""
        found = [row.get("index") for row in rows]
        if all(index is None for index in found) or all(index == 0 and type(index) is int for index in found):
            return rows
        if all(type(index) is int for index in found) and sorted(found) == list(range(len(rows))):  # type: ignore[type-var]
            return sorted(rows, key=lambda row: int(row["index"]))
        shown = self._endpoint.scrubbed(", ".join(map(repr, found[:10])))
        raise self._about(
            VerificationError(
                f"{self._endpoint} numbers its {len(rows)} vectors {shown}{' …' if len(found) > 10 else ''}, "
                f"not 0 to {len(rows) - 1} once each: nobody can tell which text each belongs to"
            ),
            texts,
        )

    def _vector(self, row: Mapping[str, Any], text: str) -> NDArray[np.float64]:
        """One vector, whether as numbers or, unasked, as base64 of 32-bit floats."""
        import numpy as np

        found = row.get("embedding")
        try:
            if isinstance(found, str):
                vector = np.frombuffer(base64.b64decode(found, validate=True), "<f4").astype(np.float64)
            else:
                vector = np.array(found if isinstance(found, list) else None, np.float64)
        except (ValueError, TypeError, OverflowError, binascii.Error):
            vector = np.empty((0, 0))
        if vector.ndim != 1:
            raise self._about(self._endpoint.malformed(found, wanted="a vector of numbers"), [text])
        if not len(vector):
            raise self._about(VerificationError(f"{self._endpoint} sent an empty vector"), [text])
        return vector

    def _unit_rows(self, rows: list[NDArray[np.float64]], texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        dimensions = sorted({len(row) for row in rows})
        if len(dimensions) != 1:
            odd = next(text for row, text in zip(rows, texts, strict=True) if len(row) != len(rows[0]))
            said = f"{self._endpoint} answered with vectors of several dimensions: {dimensions}"
            raise self._about(VerificationError(said), [texts[0], odd])
        vectors = np.stack(rows)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unsound = ~(np.isfinite(lengths[:, 0]) & (lengths[:, 0] > 0))
        if unsound.any():
            said = f"{self._endpoint} answered with a vector of {self._endpoint.model!r} that is zero or not finite"
            raise self._about(VerificationError(said), [texts[int(np.argmax(unsound))]])
        unit: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
        return unit

    def _batch_name(self, texts: Sequence[str]) -> str:
        if len(texts) == 1:
            return f"the text of {self._name(texts[0])}"
        return f"{len(texts)} texts, from that of {self._name(texts[0])} to that of {self._name(texts[-1])}"

    def _name(self, text: str) -> str:
        """A text by its first words: of a chunk these are its file's name and its first line."""
        words = self._endpoint.scrubbed(" ".join(text[: 4 * MAX_NAME_CHARS].split()))
        return repr(words if len(words) <= MAX_NAME_CHARS else words[:MAX_NAME_CHARS] + "…")


class _TooMuchError(Exception):
    """A service refused a request that it may take in smaller parts."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal


def _is_about_size(refusal: Refusal) -> bool:
    return refusal.status == 413 or not refusal.reason or refusal.mentions(_ABOUT_LENGTH)


def batches(
    texts: Sequence[str], *, max_texts: int = MAX_TEXTS_PER_REQUEST, max_tokens: int = MAX_TOKENS_PER_TEXT
) -> Iterator[list[str]]:
    """The texts, each cut at the model's limit, in groups that fit into one request, in order."""
    batch: list[str] = []
    batch_tokens = 0
    for text in texts:
        # a question from the terminal may hold bytes that are not UTF-8, which JSON cannot carry
        cut = truncate(text.encode("utf-8", "replace").decode(), max_tokens)
        tokens = count_tokens(cut)
        if batch and (len(batch) == max_texts or batch_tokens + tokens > MAX_TOKENS_PER_REQUEST):
            yield batch
            batch, batch_tokens = [], 0
        batch.append(cut)
        batch_tokens += tokens
    if batch:
        yield batch

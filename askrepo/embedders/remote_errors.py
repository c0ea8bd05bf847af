"""What an OpenAI-compatible endpoint means by a failure: our errors, with its own reason and no secret in them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, quote_plus

from askrepo.embedders.endpoints import NO_KEY
from askrepo.errors import (
    AskrepoError,
    CredentialsError,
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
    RequestTooLongError,
)
from askrepo.text.display import plain_line

MAX_REASON_CHARS = 300
MAX_BODY_CHARS = 20_000
"""As much of a body as is searched for its reason."""
MAX_DEPTH = 6
MIN_SHARED_CHARS = 6
"""A run of this many characters of the key betrays it."""
_REASON_KEYS = ("error", "message", "detail", "error_description", "error_message", "msg", "reason", "title", "errors")
_QUOTA = re.compile(
    r"insufficient[_ ](?:\w{1,40}[_ ])?(?:quota|balance|credits?|funds)|billing[_ ](?:hard[_ ]limit|not[_ ]active)"
    r"|quota[_ ]exhausted|credits?[_ ]exhausted|out of credits|no credits",
    re.IGNORECASE,
)
# Gemini and Zhipu, for example, answer 400; a gateway may do so inside of a 200.
_KEY_REFUSED = (
    r"api[ _-]?key (?:is )?(?:not valid|invalid|expired|missing|not found)|api_key_(?:invalid|expired)"
    r"|\b(?:invalid|incorrect|missing|expired|no)[ _]api[ _-]?key|authentication_?error"
)
_NO_MODEL = r"\bmodel_not_found|no such model|unknown model|\bmodel\b.{0,80}(?:not found|(?:does )?not exist)"
_TOO_LONG = re.compile(
    r"context|too (?:long|large|many tokens)|maximum|max(?:imum)?[_ ]tokens|token limit", re.IGNORECASE
)
# Secrets that are nobody's here but must not be shown either: shapes of keys, tokens, and places where they stand.
_SECRET_SHAPES = (
    (re.compile(r"\b(?:(?:sk|pk|rk|gsk|hf|gh[posu]|github_pat|glpat|xai|nvapi|r8)[-_]|AIza|AKIA)[\w*.-]{8,}"), "***"),
    (re.compile(r"\bsk-[\w*.-]+"), "***"),
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*)*"), "***"),
    (re.compile(r"((?:proxy-)?authorization|x-api-key|api[-_]key)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:(?:bearer|basic)\s+)?[^\s\"',}]+",
                re.IGNORECASE), r"\1: ***"),
    (re.compile(r"\b(bearer|basic)\s+(?=[^\s]*[\d_.=/+-])[^\s\"',}]{6,}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"(?<=://)[^\s/@]*(?:[^\s@]{0,200})@"), "***@"),
    (re.compile(r"([?&][\w.-]*(?:key|token|sig|signature|secret|password|code|auth)=)[^\s&\"'<>]+", re.IGNORECASE),
     r"\1***"),
)  # fmt: skip
# A key shortened by whoever repeats it.
_MASK = re.compile(r"\*{2}|\.{3}|\u2026|\u2022{2}|[xX]{4}")
_WORD = re.compile(r"[^\s\"'(),]+")
# Characters that nobody sees could split a key that everybody reads.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\ufe00-\ufe0f\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is none: what the endpoint said instead.

    :ivar status: of HTTP, 0 when it came within an answer and names none.
    :ivar reason: in the endpoint's own words, with whatever secrets it repeats.
    """

    status: int
    reason: str
    code: str = ""
    retry_after_s: float | None = None
    is_page: bool = False

    @classmethod
    def of_response(cls, response: Any) -> Refusal:
        """What an HTTP response with an error's status says."""
        body = response.text[:MAX_BODY_CHARS]
        wait = retry_after_s(response.headers)
        return cls(response.status_code, reason_of(body), code_of(body), wait, is_page(body))

    @classmethod
    def of_payload(cls, payload: Any) -> Refusal:
        """What an object in the middle of an answer says."""
        code = code_of(payload)
        return cls(_status_of(payload), reason_of(payload), code)

    def mentions(self, pattern: str) -> bool:
        """Whether its words, or its code, match."""
        return re.search(pattern, f"{self.reason} {self.code}", re.IGNORECASE) is not None

    @property
    def is_quota(self) -> bool:
        """Whether the account is empty, which waiting does not fill."""
        return self.status == 402 or bool(_QUOTA.search(self.code) or _QUOTA.search(self.reason))

    @property
    def is_about_key(self) -> bool:
        """Whether the key is what is refused, by a service that has no 401 for it."""
        return self.status in (0, 200, 400, 422) and self.mentions(_KEY_REFUSED)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as messages name it.

    :ivar role: `chat endpoint` or `embedding endpoint`.
    :ivar place: its base URL, without credentials.
    :ivar api_key: kept from every message.
    """

    role: str
    place: str
    model: str
    api_key: str = field(default=NO_KEY, repr=False)

    def __str__(self) -> str:
        return f"{self.role} {self.scrubbed(self.place)}"

    def error(self, refusal: Refusal) -> AskrepoError:
        """The error that a refusal means."""
        status, said = refusal.status, self._said(refusal)
        if refusal.is_quota and status not in (401, 403):
            return RemoteRefusedError(
                f"{self} refuses model {self.model} (HTTP {status or 429}): the account's quota is used up{said}"
            )
        if status in (401, 403) or refusal.is_about_key:
            return CredentialsError(
                f"{self} refused the API key for model {self.model} (HTTP {status or 401}); "
                f"check OPENAI_API_KEY, ASKREPO_OPENAI_API_KEY or the Airflow connection{said}"
            )
        if status == 407:
            return CredentialsError(f"the proxy to {self} wants credentials (HTTP 407): check HTTPS_PROXY{said}")
        if status == 429:
            return self._rate_limited(refusal, said)
        if not status and refusal.mentions(_NO_MODEL):  # in the stream, where nothing has a status
            return RemoteRefusedError(f"{self} does not know model {self.model}{said}; check the model's name")
        if status >= 500 or status in (0, 408):
            failed = f"failed (HTTP {status})" if status else "broke off with an error"
            return RemoteUnavailableError(f"{self}, model {self.model}, {failed}; ask again later{said}")
        kind = RequestTooLongError if self._is_too_long(refusal) else RemoteRefusedError
        return kind(f"{self} refused the request for model {self.model} (HTTP {status}){said}{self._advice(refusal)}")

    def _rate_limited(self, refusal: Refusal, said: str) -> AskrepoError:
        wait = refusal.retry_after_s
        advice = f"wait {_duration(wait)}" if wait is not None else "wait a little"
        return RateLimitedError(
            f"{self} asked to slow down (HTTP 429) for model {self.model}; {advice} and ask again{said}",
            retry_after_s=wait,
        )

    def _said(self, refusal: Refusal) -> str:
        reason = self.scrubbed(refusal.reason)
        return f": {reason}" if reason else ""

    def _advice(self, refusal: Refusal) -> str:
        """What to write or to change, where the refusal tells."""
        if refusal.status in (404, 405, 421) and "model" not in refusal.reason.lower():
            return self._other_url()
        if refusal.status == 404:
            return "; check the model's name"
        if refusal.status == 400 and refusal.mentions(r"plain HTTP request"):
            return f"; write {self.scrubbed(self.place).replace('http://', 'https://', 1)} into OPENAI_BASE_URL"
        return "; send fewer passages with ASKREPO_CONTEXT_TOKENS" if self._is_too_long(refusal) else ""

    def _is_too_long(self, refusal: Refusal) -> bool:
        """Whether a chat model was sent more than it takes."""
        is_said = _TOO_LONG.search(refusal.reason) is not None
        return self.role.startswith("chat") and (refusal.status == 413 or is_said)

    def _other_url(self) -> str:
        place = self.scrubbed(self.place)
        if re.search(r"\.(?:openai|cognitiveservices)\.azure\.com$", self.place):
            return f"; for Azure write {place}/openai/v1 into OPENAI_BASE_URL"
        if not re.search(r"/v\d", self.place):
            return f"; the base URL has no /v1: write {place}/v1 into OPENAI_BASE_URL"
        return "; check OPENAI_BASE_URL and the model's name"

    def unreachable(self, error: BaseException) -> AskrepoError:
        """No connection could be made, or it broke."""
        cause = error.__cause__ or error
        said = self.scrubbed(f"{type(cause).__name__}: {cause}")
        advice = "check the network, the proxy if there is one, and OPENAI_BASE_URL"
        if "WRONG_VERSION_NUMBER" in said or "record layer failure" in said:
            plain = self.scrubbed(self.place).replace("https://", "http://", 1)
            advice = f"it speaks no TLS: write {plain} into OPENAI_BASE_URL"
        elif "CERTIFICATE_VERIFY_FAILED" in said:
            advice = "its certificate is not trusted: name your authority's with SSL_CERT_FILE"
        return RemoteUnavailableError(f"{self} cannot be reached ({said}); {advice}")

    def malformed(self, found: object, *, wanted: str) -> AskrepoError:
        """The answer is something else than was asked for.

        :param wanted: what was asked for, with its article.
        """
        if isinstance(found, str) and is_page(found):
            return RemoteRefusedError(f"{self} sent a web page that is not {wanted}{self._other_url()}")
        text = f"{type(found).__name__}: {found}" if isinstance(found, BaseException) else reason_of(found)
        return RemoteUnavailableError(f"{self} sent an answer that is not {wanted} ({self.scrubbed(text) or 'empty'})")

    def scrubbed(self, text: str) -> str:
        """The text on one line, bounded, safe to show, without the key in any spelling or anything else secret."""
        text = _INVISIBLE.sub("", text[: 4 * MAX_REASON_CHARS])
        text = plain_line(" ".join(text.split()))
        for spelling in _spellings(self.api_key):
            text = re.sub(re.escape(spelling), "***", text, flags=re.IGNORECASE)
        text = _WORD.sub(self._unmasked, _without_shared(text, self.api_key))
        for shape, shown in _SECRET_SHAPES:
            text = shape.sub(shown, text)
        return text if len(text) <= MAX_REASON_CHARS else text[:MAX_REASON_CHARS] + "…"

    def _unmasked(self, word: re.Match[str]) -> str:
        """The word, unless it has its middle left out and may be a key."""
        if not _MASK.search(word.group()):
            return word.group()
        ends = (self.api_key[:3], self.api_key[-3:]) if len(self.api_key) >= 8 else ()
        is_key = "**" in word.group() or any(end in word.group() for end in ends)
        return "***" if is_key else word.group()


def reason_of(body: Any) -> str:
    """The words of a body, whatever its shape: an object, JSON text, a page, plain text."""
    if isinstance(body, str):
        text = body.strip()
        if is_page(text):
            return _page_text(text)
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return text
    return "; ".join(dict.fromkeys(filter(None, _words(body, MAX_DEPTH))))[: 4 * MAX_REASON_CHARS]


def _words(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        nested = value.strip()
        yield reason_of(nested) if nested[:1] in ("{", "[") and depth == MAX_DEPTH else nested
    elif depth and isinstance(value, Mapping):
        named = [value[name] for name in _REASON_KEYS if value.get(name)]
        for one in named:
            yield from _with_place(value, one, depth)
        if not named:
            yield json.dumps(value, ensure_ascii=False, default=str)[: 4 * MAX_REASON_CHARS] if value else ""
    elif depth and isinstance(value, list):
        for one in value[:5]:
            yield from _words(one, depth - 1)
    elif value is not None:
        yield str(value)[:MAX_REASON_CHARS]


def _with_place(value: Mapping[str, Any], one: Any, depth: int) -> Iterator[str]:
    """The words of one entry; those of a validation error say which field is meant."""
    where = value.get("loc")
    place = ".".join(map(str, where)) + ": " if isinstance(where, list) and isinstance(one, str) else ""
    for words in _words(one, depth - 1):
        yield place + words


def code_of(body: Any) -> str:
    """The machine-readable code, type or parameter of a refusal, as one text to search."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return ""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, Mapping):
        return ""
    inner = body.get("error")
    found = [body, inner] if isinstance(inner, Mapping) else [body]
    return " ".join(str(one[name]) for one in found for name in ("code", "type", "param", "status") if one.get(name))


def _status_of(payload: Any) -> int:
    """The HTTP status that an error in mid-stream names, 0 for none."""
    numbers = re.findall(r"\b[45]\d\d\b", code_of(payload))
    if not numbers and re.search(r"rate_?limit", code_of(payload), re.IGNORECASE):
        return 429
    return int(numbers[0]) if numbers else 0


def is_page(text: str) -> bool:
    """Whether it is HTML."""
    return text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<head", "<body", "<?xml", "<h1", "<center"))


class _Page(HTMLParser):
    """Collects what a page says."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self._skipped += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if self._skipped <= 0 and data.strip():
            self.words.append(data.strip())


def _page_text(text: str) -> str:
    page = _Page()
    page.feed(text[:MAX_BODY_CHARS])
    return "a web page: " + " ".join(dict.fromkeys(page.words))


def _duration(seconds: float) -> str:
    """As a person would say it."""
    if seconds < 2 * 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.0f} h"


def retry_after_s(headers: Any) -> float | None:
    """Seconds from `retry-after-ms` or `retry-after`; None when absent or a date, which few services send."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if 0 <= wait_s < float("inf"):
            return wait_s
    return None


def _spellings(key: str) -> Iterator[str]:
    """The key as services and gateways repeat it: as it is, escaped for a URL or a page, in hexadecimal, in base64."""
    if key == NO_KEY or len(key) < 4:  # "x" and the like protect nothing, and would blank out every word
        return
    yield from {key, quote(key, safe=""), quote_plus(key), html.escape(key), json.dumps(key)[1:-1], key.encode().hex()}
    for shift in range(3):  # base64 of a longer text holds the key at one of three offsets
        coded = base64.b64encode(b"\0" * shift + key.encode()).decode().rstrip("=")
        core = coded[(0, 2, 3)[shift] : len(coded) - (1 if (shift + len(key)) % 3 else 0)]
        if len(core) >= MIN_SHARED_CHARS:
            yield from {core, core.replace("+", "-").replace("/", "_")}


def _without_shared(text: str, key: str) -> str:
    """The text without the runs of characters that are a part of the key, such as its first ten."""
    if key == NO_KEY or len(key) < MIN_SHARED_CHARS:
        return text
    parts = {key[at : at + MIN_SHARED_CHARS].lower() for at in range(len(key) - MIN_SHARED_CHARS + 1)}
    folded = text.lower()
    if len(folded) != len(text):  # a letter whose lower case is longer: compare as it is
        folded = text
    hidden = [False] * len(text)
    for at in range(len(folded) - MIN_SHARED_CHARS + 1):
        if folded[at : at + MIN_SHARED_CHARS] in parts:
            hidden[at : at + MIN_SHARED_CHARS] = [True] * MIN_SHARED_CHARS
    shown = "".join("\0" if is_hidden else letter for letter, is_hidden in zip(text, hidden, strict=True))
    return re.sub("\0+", "***", shown)

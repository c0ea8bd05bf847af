"""What an endpoint's refusal means, and what of it can be shown."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from askrepo.embedders.remote_errors import Endpoint, Refusal, reason_of
from askrepo.errors import CredentialsError, RateLimitedError, RemoteRefusedError, RemoteUnavailableError

KEY = "zx9+Qw/7hunter2_Lmn=Pq4"
ENDPOINT = Endpoint("chat endpoint", "https://host/v1", "m", KEY)
BASE64 = base64.b64encode(f"Bearer {KEY}".encode()).decode()

ECHOES = {
    "as it is": KEY,
    "escaped for a URL": quote(KEY, safe=""),
    "lower case": KEY.lower(),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 behind something": BASE64,
    "base64 behind a user": base64.b64encode(f"u:{KEY}".encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(f"ab{KEY}c".encode()).decode(),
    "hexadecimal": KEY.encode().hex(),
    "JSON": json.dumps(KEY),
    "first half": KEY[:12] + "...",
    "last half": "..." + KEY[12:],
    "with stars": KEY[:4] + "*" * 15 + KEY[-4:],
    "with dots": KEY[:4] + "..." + KEY[-4:],
    "with an ellipsis": KEY[:4] + "\u2026" + KEY[-4:],
    "split by spaces": KEY[:11] + " " + KEY[11:],
    "with what is not seen": "\u200b".join([KEY[:8], KEY[8:]]),
    "header": f"Authorization: Bearer {KEY}",
    "header of another": "authorization: Basic dXNlcjpodW50ZXIyaHVudGVyMg==",
    "dictionary": "{'Authorization': 'Bearer hunter2hunter2hunter2'}",
    "x-api-key": '"x-api-key": "hunter2hunter2"',
    "bearer": "Bearer hunter2-hunter2-hunter2 is unknown",
    "other key": "invalid key sk-proj-hunter2hunter2",
    "user in a URL": "cannot reach postgres://admin:hunter2@db/prod",
    "slash in a password": "cannot reach http://admin:p/hunter2@db/prod",
    "query": "GET /v1?api_key=hunter2hunter2&x=1",
    "token": "eyJhbGciOiJIUzI1NiJ9.aHVudGVyMg.hunter2",
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("status", [0, 400, 401, 404, 429, 500])
def test_no_spelling_of_a_secret_is_shown(echo: str, status: int) -> None:
    said = str(ENDPOINT.error(Refusal(status, f"wrong: {echo} (see the manual)")))
    assert "hunter2" not in said.lower()
    assert "aHVudGVy" not in said
    assert KEY[-4:] not in said
    assert "see the manual" in said


@pytest.mark.parametrize(
    "text",
    [
        "The model 'gpt-5' does not exist or you do not have access to it.",
        "Bearer authentication is required",
        "skipped_tokens, task-runner, keyword_argument and hf are words",
        "max_tokens must be < 4096, found 5000 at https://host/docs?page=2",
        "Wähle ein anderes Modell",
    ],
)
def test_innocent_words_stay(text: str) -> None:
    assert ENDPOINT.scrubbed(text) == text


def test_short_keys_do_not_blank_out_the_words() -> None:
    assert Endpoint("chat endpoint", "https://host/v1", "m", "x").scrubbed("max exceeded") == "max exceeded"


def test_reasons_are_bounded_and_on_one_line() -> None:
    said = ENDPOINT.scrubbed("a\nb\x1b[2J\r\n" + "word " * 10_000)
    assert said.startswith("a b\\x1b[2J word")
    assert len(said) <= 301


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal(429, "slow down"), RateLimitedError),
        (Refusal(429, "You exceeded your current quota", "insufficient_quota"), RemoteRefusedError),
        (Refusal(429, "billing", "billing_hard_limit_reached"), RemoteRefusedError),
        (Refusal(403, "no", "insufficient_quota"), CredentialsError),
        (Refusal(402, "Insufficient Balance"), RemoteRefusedError),
        (Refusal(408, ""), RemoteUnavailableError),
        (Refusal(529, "overloaded"), RemoteUnavailableError),
        (Refusal(407, ""), CredentialsError),
        (Refusal(418, ""), RemoteRefusedError),
        (Refusal(400, "API key not valid. Please pass a valid API key."), CredentialsError),
        (Refusal(0, "Invalid API key"), CredentialsError),
        (Refusal(422, "wrong", "invalid_api_key"), CredentialsError),
        (Refusal(0, "the model 'm' does not exist"), RemoteRefusedError),
        (Refusal(0, "wrong", "model_not_found"), RemoteRefusedError),
        (Refusal(0, "the model is overloaded"), RemoteUnavailableError),
        (Refusal(400, "the api of this model needs a key 'role' in each message"), RemoteRefusedError),
    ],
)
def test_each_refusal_is_the_error_that_helps(refusal: Refusal, error: type[Exception]) -> None:
    assert type(ENDPOINT.error(refusal)) is error


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.5, "0.5 s"), (7, "7 s"), (300, "5 min"), (86400, "24 h")], ids=["part", "s", "min", "h"]
)
def test_a_wait_is_told_as_a_person_would(seconds: float, told: str) -> None:
    assert f"; wait {told} and ask again" in str(ENDPOINT.error(Refusal(429, "", "", seconds)))


@pytest.mark.parametrize(
    ("place", "refusal", "advice"),
    [
        ("https://host", Refusal(404, "Not Found"), "write https://host/v1 into OPENAI_BASE_URL"),
        ("https://host/api", Refusal(405, ""), "write https://host/api/v1 into OPENAI_BASE_URL"),
        ("https://me.openai.azure.com", Refusal(404, ""), "write https://me.openai.azure.com/openai/v1 into"),
        (
            "http://host:443/v1",
            Refusal(400, "The plain HTTP request was sent to HTTPS port"),
            "write https://host:443/v1",
        ),
        ("https://host/v1", Refusal(404, "model not found"), "check the model's name"),
    ],
)
def test_the_advice_fits(place: str, refusal: Refusal, advice: str) -> None:
    assert advice in str(Endpoint("chat endpoint", place, "m").error(refusal))


def test_a_reason_of_any_shape_is_no_crash() -> None:
    for body in ({}, [], None, 5, True, "", "{", "[" * 100_000, {"error": []}, {"error": {"message": None}}, [[[[]]]]):
        assert isinstance(reason_of(body), str)

"""Embedding endpoints as they are: orders, formats and limits that no documentation promised."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from askrepo import errors
from askrepo.embedders.openai import OpenAIEmbedder
from askrepo.text.tokens import count_tokens
from tests.fakes import OpenAIServer, Raw, Request, json_answer, seeded_vector, text_answer

TEXTS = [f"file{number}.py\ndef f{number}(): pass" for number in range(4)]
DIMENSION = 8


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(dimension=DIMENSION) as server:
        yield server


def embedder_at(server: OpenAIServer, **options: Any) -> OpenAIEmbedder:
    return OpenAIEmbedder("m", base_url=server.base_url, sleep=lambda _: None, **options)


def rows_of(texts: list[str], indices: list[Any]) -> list[dict[str, Any]]:
    """The vectors in the order of the indices, each with its index."""
    return [{"index": index, "embedding": seeded_vector(texts[index], DIMENSION).tolist()} for index in indices]


def expected(texts: list[str]) -> np.ndarray:
    return np.stack([seeded_vector(text, DIMENSION) for text in texts])


def answer_with(server: OpenAIServer, rows: Any) -> None:
    server.answer = lambda request: json_answer({"data": rows})


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]], ids=str)
def test_vectors_belong_to_the_texts_that_their_indices_name(server: OpenAIServer, order: list[int]) -> None:
    answer_with(server, rows_of(TEXTS, order))
    assert np.allclose(embedder_at(server).embed_texts(TEXTS), expected(TEXTS), atol=1e-6)


@pytest.mark.parametrize("index", [{}, {"index": None}, {"index": 0}], ids=["none", "null", "all zero"])
def test_without_indices_the_order_is_that_of_the_texts(server: OpenAIServer, index: dict[str, Any]) -> None:
    answer_with(server, [{**index, "embedding": row.tolist()} for row in expected(TEXTS)])
    assert np.allclose(embedder_at(server).embed_texts(TEXTS), expected(TEXTS), atol=1e-6)


@pytest.mark.parametrize(
    "indices",
    [
        [0, 1, 2, 2], [0, 1, 2, 4], [1, 2, 3, 4], [-1, 0, 1, 2], [0, 1, 2, None], ["0", "1", "2", "3"],
        [0.0, 1.0, 2.0, 3.0], [False, True, 2, 3], [5, 5, 5, 5], [0, 0, 0, 1], [[0], [1], [2], [3]], [0, 1, 2, 10**30],
        [False, False, False, False], ["", "", "", ""],
    ],
    ids=str,
)  # fmt: skip
def test_indices_that_name_no_order_are_refused(server: OpenAIServer, indices: list[Any]) -> None:
    vectors = expected(TEXTS)
    rows = [{"index": index, "embedding": row.tolist()} for index, row in zip(indices, vectors, strict=True)]
    answer_with(server, rows)
    with pytest.raises(errors.VerificationError, match="nobody can tell which text") as refused:
        embedder_at(server).embed_texts(TEXTS)
    assert "4 texts, from that of 'file0.py" in str(refused.value)


@pytest.mark.parametrize("count", [3, 5, 0])
def test_too_few_or_too_many_vectors_are_refused(server: OpenAIServer, count: int) -> None:
    answer_with(server, rows_of([*TEXTS, "more"], list(range(count))))
    with pytest.raises(errors.RemoteUnavailableError, match=f"asked for 4 vectors and sent {count}"):
        embedder_at(server).embed_texts(TEXTS)


def test_a_single_vector_with_another_index_is_refused(server: OpenAIServer) -> None:
    answer_with(server, [{"index": 3, "embedding": [1.0] * DIMENSION}])
    with pytest.raises(errors.VerificationError):
        embedder_at(server).embed_question("why")


@pytest.mark.parametrize(
    "embedding",
    [None, "not base64!", "QUJD", [[0.1, 0.2]], ["a"], {"0": 1.0}, 5, [None], [1e400, "x"], [{}]],
    ids=str,
)
def test_what_is_no_vector_is_refused(server: OpenAIServer, embedding: Any) -> None:
    answer_with(server, [{"index": 0, "embedding": embedding}])
    with pytest.raises(errors.AskrepoError, match="while embedding the text of 'why'"):
        embedder_at(server).embed_question("why")


def test_an_empty_vector_is_refused(server: OpenAIServer) -> None:
    answer_with(server, [{"index": 0, "embedding": []}])
    with pytest.raises(errors.VerificationError, match=r"empty vector \(while embedding the text of 'why'"):
        embedder_at(server).embed_question("why")


def test_numbers_are_asked_for_and_base64_is_understood(server: OpenAIServer) -> None:
    coded = base64.b64encode(seeded_vector("why", DIMENSION).astype("<f4").tobytes()).decode()
    answer_with(server, [{"index": 0, "embedding": coded}])
    assert np.allclose(embedder_at(server).embed_question("why"), seeded_vector("why", DIMENSION), atol=1e-6)
    assert server.requests[0].body["encoding_format"] == "float"


def test_where_a_format_cannot_be_asked_for_none_is(server: OpenAIServer) -> None:
    refusal = json_answer({"detail": [{"loc": ["body", "encoding_format"], "msg": "Extra inputs"}]}, status=422)
    server.answer = lambda request: refusal if "encoding_format" in request.body else None
    embedder = embedder_at(server)
    assert np.allclose(embedder.embed_texts(TEXTS), expected(TEXTS), atol=1e-6)
    embedder.embed_question("why")
    assert ["encoding_format" in request.body for request in server.requests] == [True, False, False]


BATCH_REFUSALS = {
    "tei": json_answer({"error": "batch size 40 > maximum allowed batch size 8", "type": "Validation"}, status=422),
    "payload": text_answer("Payload Too Large", status=413),
    "nginx": text_answer("<html><h1>413 Request Entity Too Large</h1></html>", status=413, kind="text/html"),
    "bad request": json_answer({"detail": "at most 8 inputs"}, status=400),
    "no words": text_answer("", status=400),
    "llama.cpp": json_answer({"error": {"message": "input is too large to process"}}, status=500),
    "within an answer": json_answer({"error": "too many inputs"}),
}


def takes_at_most(count: int, refusal: Raw) -> Any:
    return lambda request: refusal if len(request.body["input"]) > count else None


@pytest.mark.parametrize("refusal", BATCH_REFUSALS.values(), ids=BATCH_REFUSALS)
def test_a_batch_that_is_too_large_is_halved(server: OpenAIServer, refusal: Raw) -> None:
    server.answer = takes_at_most(8, refusal)
    texts = [f"text {number}" for number in range(40)]
    embedder = embedder_at(server)
    assert np.allclose(embedder.embed_texts(texts), expected(texts), atol=1e-6)
    server.requests.clear()
    embedder.embed_texts(texts)  # the size that was taken is remembered
    assert all(len(request.body["input"]) <= 8 for request in server.requests)
    assert embedder.shortened == 0


def test_the_number_of_texts_can_be_set(server: OpenAIServer) -> None:
    embedder_at(server, max_texts=3).embed_texts(TEXTS)
    assert [len(request.body["input"]) for request in server.requests] == [3, 1]


LENGTH_REFUSALS = {
    "vllm": json_answer({"object": "error", "message": "maximum context length is 512 tokens"}, status=400),
    "tei": json_answer({"error": "`inputs` must have less than 512 tokens. Given: 900"}, status=413),
    "no words": text_answer("", status=413),
    "pydantic": json_answer({"detail": [{"loc": ["body", "input"], "msg": "String too long"}]}, status=422),
}


def takes_texts_of(tokens: int, refusal: Raw) -> Any:
    def answer(request: Request) -> Raw | None:
        return refusal if any(count_tokens(text) > tokens for text in request.body["input"]) else None

    return answer


@pytest.mark.parametrize("refusal", LENGTH_REFUSALS.values(), ids=LENGTH_REFUSALS)
def test_a_text_that_is_too_long_is_shortened_and_named(
    server: OpenAIServer, refusal: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = takes_texts_of(100, refusal)
    long = "retry.py\ndef backoff(attempt):\n" + "    wait = wait * 2\n" * 60
    embedder = embedder_at(server)
    with caplog.at_level(logging.WARNING):
        vectors = embedder.embed_texts([TEXTS[0], long, TEXTS[1]])
    sent = [text for text in server.requests[-1].body["input"] + server.inputs if long.startswith(text)][-1]
    assert np.allclose(vectors[[0, 2]], expected(TEXTS[:2]), atol=1e-6)
    assert np.allclose(vectors[1], seeded_vector(sent, DIMENSION), atol=1e-6)
    assert 50 < count_tokens(sent) <= 100
    assert embedder.shortened == 1
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("askrepo")]
    assert "'retry.py def backoff(attempt):" in line
    assert "(texts shortened so far: 1)" in line


def test_how_far_a_text_is_shortened_depends_on_the_text_alone(server: OpenAIServer) -> None:
    server.answer = takes_texts_of(100, LENGTH_REFUSALS["vllm"])
    longs = [f"a{number}.py\n" + f"x = {number}\n" * (40 + 30 * number) for number in range(6)]
    together = embedder_at(server).embed_texts(longs)
    alone = [embedder_at(server).embed_texts([text])[0] for text in reversed(longs)]
    assert np.array_equal(together, np.stack(alone[::-1]))


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (json_answer({"error": "input contains a forbidden word"}, status=400), errors.RemoteRefusedError),
        (json_answer({"error": "text too long"}, status=413), errors.RemoteRefusedError),
        (json_answer({"detail": "GPU on fire"}, status=500), errors.RemoteUnavailableError),
        (text_answer("<html><h1>Bad gateway</h1></html>", status=502), errors.RemoteUnavailableError),
    ],
    ids=["word", "always too long", "server", "gateway"],
)
def test_a_refusal_names_the_text_and_the_reason(server: OpenAIServer, refusal: Raw, error: type[Exception]) -> None:
    server.answer = lambda request: refusal if any("f2" in text for text in request.body["input"]) else None
    with pytest.raises(error, match=r"forbidden|too long|GPU on fire|Bad gateway") as refused:
        embedder_at(server).embed_texts(TEXTS)
    assert "file" in str(refused.value)
    assert "while embedding" in str(refused.value)
    if refusal.status < 500:
        assert "the text of 'file2.py" in str(refused.value)


def test_a_model_that_is_not_there_is_asked_for_once(server: OpenAIServer) -> None:
    server.answer = lambda request: json_answer({"error": "model 'm' not found"}, status=400)
    with pytest.raises(errors.RemoteRefusedError, match="model 'm' not found"):
        embedder_at(server).embed_texts(TEXTS)
    assert len(server.requests) == 1


def test_the_limit_of_tokens_is_part_of_the_fingerprint_and_the_limit_of_texts_is_not(server: OpenAIServer) -> None:
    plain = embedder_at(server).fingerprint
    assert embedder_at(server, max_texts=3).fingerprint == plain
    assert embedder_at(server, max_tokens=8191).fingerprint == plain
    assert embedder_at(server, max_tokens=512).fingerprint != plain


@pytest.mark.parametrize("said", ["rate limit of tokens", "overloaded: request size queue", ""], ids=str)
def test_a_failing_server_does_not_get_texts_shortened(server: OpenAIServer, said: str) -> None:
    server.answer = lambda request: json_answer({"error": said}, status=503)
    with pytest.raises(errors.RemoteUnavailableError):
        embedder_at(server).embed_texts(["words " * 100])
    assert len(server.requests) == 1

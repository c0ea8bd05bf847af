"""The `local` embedder: MiniLM on onnxruntime, no key, no network."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askrepo.embedders import minilm
from askrepo.embedders.address_space import check_address_space
from askrepo.types import digest_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_WORD_PIECES = 256
"""What the model was trained on; what follows in a text does not change its vector. A chunk has about 190."""

# With two processors a search succeeds from 2,640 MiB on; below 2,540 it ends by a traceback, an abort or a
# segmentation fault (measured 2026-11).
_ADDRESS_SPACE = 2_700 * 1024**2


class LocalEmbedder:
    """Vectors of all-MiniLM-L6-v2 with int8 weights, 384 numbers each.

    Each text is one run of the model, so a vector does not depend on its neighbours in a batch. On one machine it is
    reproducible to the bit; processors of another kind have other int8 kernels, whose floats may differ slightly
    (by far less than ranking notices).
    """

    spec = "local"

    def __init__(self, *, cache: Path, threads: int = 0) -> None:
        """Check that the model's files are there; they are read at the first text.

        :param cache: directory for the re-packed model.
        :param threads: texts embedded at once; 0 for one per processor.
        :raises UsageError: the model or its tokenizer is not installed.
        """
        minilm.find_tokenizer()
        self._cache = cache
        self._threads = threads or os.cpu_count() or 1
        self._loading = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None
        self.fingerprint = digest_of(
            {
                "embedder": "local",
                "model": minilm.MODEL_SHA256,
                "tokenizer": minilm.TOKENIZER_SHA256,
                "builder": minilm.BUILDER_VERSION,
                "max_word_pieces": MAX_WORD_PIECES,
            }
        )[:32]

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n_texts, 384) float32, rows of length 1; each row is the same whatever the batch."""
        import numpy as np

        if not texts:
            return np.empty((0, minilm.DIMENSION), np.float32)
        self._load()  # once, before the threads ask for it
        with ThreadPoolExecutor(min(self._threads, len(texts))) as pool:
            return np.stack(list(pool.map(self.embed_question, texts)))

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """(384,) float32, of length 1."""
        import numpy as np

        session, tokenizer = self._load()
        # a question from the terminal may hold bytes that are not UTF-8, which the tokenizer refuses
        clean = text.encode("utf-8", "replace").decode()
        pieces = np.array([tokenizer.encode(clean).ids], np.int64)
        vector: NDArray[np.float32] = session.run(["embedding"], {"input_ids": pieces})[0][0]
        return vector

    def warm_up(self) -> None:
        """Load model and tokenizer."""
        self._load()

    def _load(self) -> tuple[Any, Any]:
        """The session and the tokenizer, loaded by whoever comes first."""
        with self._loading:
            if self._loaded is None:
                session = minilm.load_fused(self._cache, open_session)
                self._loaded = (session, _open_tokenizer())
            return self._loaded


def open_session(model: str | bytes) -> Any:
    """A session that computes on the calling thread: several texts at once beat several threads on one text.

    :param model: its bytes, or the path of its file.

    Measured 2026-11 on two processors of a Xeon: 120 chunks per second against 88.
    """
    check_address_space(_ADDRESS_SPACE, user="the local embedder beside Deep Lake")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; warnings would reach the terminal of a search
    # Processors without VNNI overflow in products of int8 otherwise: vectors are then .991 like those of the float32
    # model instead of .994, and unlike those of other machines. It takes 8 % longer there (measured 2026-11).
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _open_tokenizer() -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(minilm.read_tokenizer())
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_WORD_PIECES)
    tokenizer.encode_special_tokens = True  # "[SEP]" in a text is text
    return tokenizer

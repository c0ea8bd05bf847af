"""An embedder that keeps every vector it ever made on disk: a benchmark's second run embeds nothing."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from askrepo.embedders.embedder import Embedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOOK_UP = 500
"""Keys per query, below SQLite's limit of variables."""


class CachedEmbedder:
    """The embedder's vectors, computed once per fingerprint and text."""

    def __init__(self, embedder: Embedder, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._embedder = embedder
        self._database = sqlite3.connect(file, timeout=600, check_same_thread=False)
        self._database.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
        self.spec = embedder.spec
        self.fingerprint = embedder.fingerprint

    def warm_up(self) -> None:
        """Load the model."""
        self._embedder.warm_up()

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the embedder's own; only texts never seen before are embedded."""
        keys = [self._key("text", text) for text in texts]
        known = self._known(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            made = self._embedder.embed_texts(list(missing.values()))
            self._keep(dict(zip(missing, made, strict=True)))
            known |= dict(zip(missing, made, strict=True))
        return np.stack([known[key] for key in keys])

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """As the embedder's own."""
        key = self._key("question", text)
        known = self._known([key])
        if not known:
            known = {key: self._embedder.embed_question(text)}
            self._keep(known)
        return known[key]

    def _key(self, use: str, text: str) -> bytes:
        return hashlib.sha256(f"{self.fingerprint}\0{use}\0{text}".encode("utf-8", "surrogatepass")).digest()

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        found: dict[bytes, NDArray[np.float32]] = {}
        for start in range(0, len(keys), LOOK_UP):
            part = keys[start : start + LOOK_UP]
            marks = ",".join("?" * len(part))
            rows = self._database.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part)
            found |= {key: np.frombuffer(vector, np.float32) for key, vector in rows}
        return found

    def _keep(self, vectors: dict[bytes, NDArray[np.float32]]) -> None:
        with self._database:
            self._database.executemany(
                "INSERT OR IGNORE INTO vectors VALUES (?, ?)",
                [(key, np.asarray(vector, np.float32).tobytes()) for key, vector in vectors.items()],
            )

"""Embedders: what makes a vector of a text, chosen by a short name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from askrepo.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAMES = ("local", "openai", "hash")
KNOWN_SPECS = "local, openai:<model>, hash"


class Embedder(Protocol):
    """Makes vectors of texts and of questions, comparable by cosine.

    :ivar spec: the name it was asked for by, such as `local` or `openai:text-embedding-3-small`.
    :ivar fingerprint: hex; equal only for embedders whose vectors may be mixed. Holds no secret.
    """

    spec: str
    fingerprint: str

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n_texts, dimension) float32, rows of length 1, in the order given; each row depends on its text alone."""
        ...

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """(dimension,) float32, of length 1."""
        ...

    def warm_up(self) -> None:
        """Load what the first vector needs from this machine, if anything; calls no service."""
        ...


def check_spec(spec: str) -> str:
    """The embedder's name itself, when there may be such a one; nothing is loaded and no service asked.

    :raises UsageError: there is none. A URL, which may hold a password, is not repeated.
    """
    name, _, model = spec.strip().partition(":")
    if "://" in spec:
        raise UsageError(f"an embedder is no URL: use one of {KNOWN_SPECS}; the endpoint goes into OPENAI_BASE_URL")
    if bool(model.strip()) != (name == "openai") or name not in NAMES:
        raise UsageError(f"no embedder {spec!r}; use one of: {KNOWN_SPECS}")
    return spec


def open_embedder(
    spec: str,
    *,
    cache: Path,
    threads: int = 0,
    api_key: str | None = None,
    base_url: str | None = None,
    max_texts: int | None = None,
    max_tokens: int | None = None,
) -> Embedder:
    """The embedder of that name; models load at the first text, so opening is cheap.

    :param spec: `local`, `openai:<model>`, or `hash` (no model; for tests and benchmarks).
    :param cache: directory for the re-packed local model.
    :param threads: of the local embedder; 0 for one per processor.
    :param api_key: for `openai:`; base_url likewise, None for OpenAI's own.
    :param max_texts: of one request to `openai:`, and max_tokens of one text; None for OpenAI's limits.
    :raises UsageError: no such embedder, or its package is not installed.
    :raises CredentialsError: `openai:` without a key.
    """
    name, _, model = check_spec(spec).strip().partition(":")
    if name == "local":
        from askrepo.embedders.local import LocalEmbedder

        return LocalEmbedder(cache=cache, threads=threads)
    if name == "openai":
        from askrepo.embedders.openai import OpenAIEmbedder

        return OpenAIEmbedder(
            model.strip(), api_key=api_key, base_url=base_url, max_texts=max_texts, max_tokens=max_tokens
        )
    from askrepo.embedders.hashed import HashedEmbedder

    return HashedEmbedder()

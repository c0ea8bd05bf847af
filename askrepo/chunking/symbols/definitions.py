"""A definition: a name and the part of the source that defines it."""

from __future__ import annotations

from dataclasses import dataclass

MAX_NAME_CHARS = 100  # a longer "name" is an expression


@dataclass(frozen=True, slots=True)
class SymbolDefinition:
    """A name and the part of the source that defines it, in bytes.

    :ivar at: offset of the name itself.
    :ivar start: offset of the definition; end likewise, exclusive. A definition of unknown extent has end == start.
    :ivar is_symbol: False when it only encloses, as Rust's `impl` does.
    """

    name: str
    at: int
    start: int
    end: int
    is_symbol: bool = True

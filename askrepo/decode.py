"""Turns a file's bytes into text, or names the reason why there is none."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import Any

from askrepo.languages import PROSE
from askrepo.types import SkipReason

# A pointer file is about 130 bytes; the specification demands less than 1,024.
LFS_PREFIX = b"version https://git-lfs.github.com/spec/"
LFS_MAX_BYTES = 1024
# Detection reads at most this much of the lines that are not ASCII (2026-11: about 10 ms; more adds no evidence).
DETECTION_BYTES = 16 * 1024
# Text has next to no control characters; compressed or encrypted content has 10 % of them.
MAX_CONTROL_RATIO = 0.01
# Western text has accented letters one at a time; scripts of two bytes per character, and Cyrillic words, have runs.
MAX_WESTERN_RUN = 1.5
# Minified: long enough to matter, and with lines nobody would write. Hand-written files average below 100.
MINIFIED_MIN_CHARS = 5_000
MINIFIED_AVERAGE_LINE = 500
MINIFIED_NAMES = (".min.js", ".min.mjs", ".min.cjs", ".min.css", ".js.map", ".mjs.map", ".css.map", ".ts.map")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # starts with the bytes of UTF-16-LE's, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b")) + b"\x7f"
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_HIGH_LINE = re.compile(rb"[^\n]*[\x80-\xff][^\n]*\n?")
_SURROGATE = re.compile("[\ud800-\udfff\x00]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text and encoding, or the reason why it has no text.

    :ivar text: lines end with a newline character; "" when there is a reason.
    """

    text: str = ""
    encoding: str = ""
    reason: SkipReason | None = None


def decode(content: bytes, *, path: str, language: str) -> Decoded:
    """The text of a file.

    :param path: whose ending tells a notebook or a minified file.
    :param language: prose is never taken for minified code, however long its lines.
    """
    decoded = _decode_bytes(content)
    if decoded.reason is not None:
        return decoded
    text = decoded.text.replace("\r\n", "\n")
    if path.endswith(".ipynb"):
        text = notebook_text(text)
    if not text.strip():
        return Decoded(reason="empty")
    if is_minified(text, path=path, language=language):
        return Decoded(reason="minified")
    return Decoded(text, decoded.encoding)


def is_minified(text: str, *, path: str, language: str) -> bool:
    """Whether a program squeezed the text: by its name, or by the average length of its lines."""
    if path.lower().endswith(MINIFIED_NAMES):
        return True
    lines = text.count("\n") + 1
    return language not in PROSE and len(text) >= MINIFIED_MIN_CHARS and len(text) / lines > MINIFIED_AVERAGE_LINE


def notebook_text(text: str) -> str:
    """The source cells of a notebook, each behind a `# %%` line; any other text stays what it is.

    Outputs are left out: they are results, often pictures, and nobody asks for them.
    """
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return text
    cells = _cells(notebook)
    if cells is None:
        return text
    return _SURROGATE.sub("\ufffd", "\n".join(_cell_text(cell) for cell in cells)).replace("\r\n", "\n")


def _decode_bytes(content: bytes) -> Decoded:
    if len(content) < LFS_MAX_BYTES and content.startswith(LFS_PREFIX):
        return Decoded(reason="LFS pointer")
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return _decode_as(content[len(bom) :], encoding)
    if b"\0" in content:
        return Decoded(reason="binary")
    try:
        return Decoded(content.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return _decode_detected(content)


def _decode_as(content: bytes, encoding: str) -> Decoded:
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return Decoded(reason="undecodable")
    return Decoded(reason="binary") if "\0" in text else Decoded(text, encoding)


def _decode_detected(content: bytes) -> Decoded:
    if len(content) - len(content.translate(None, _CONTROL)) > len(content) * MAX_CONTROL_RATIO:
        return Decoded(reason="binary")
    encoding = _detected_encoding(_detection_sample(content))
    return Decoded(reason="undecodable") if encoding is None else _decode_as(content, encoding)


def _detection_sample(content: bytes) -> bytes:
    """The lines that are not ASCII, up to a limit: they hold all the evidence."""
    lines: list[bytes] = []
    size = 0
    for found in _HIGH_LINE.finditer(content):
        lines.append(found[0][: DETECTION_BYTES - size])
        size += len(lines[-1])
        if size >= DETECTION_BYTES:
            break
    return b"".join(lines)


def _detected_encoding(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    if _looks_western(sample):
        return "cp1252"
    best = from_bytes(sample, preemptive_behaviour=False).best()
    return None if best is None else best.encoding


def _looks_western(sample: bytes) -> bool:
    """Whether accented letters stand alone, which statistics over few letters often get wrong."""
    runs = _HIGH_RUN.findall(sample)
    letters = b"".join(runs)
    try:
        letters.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return len(letters) < MAX_WESTERN_RUN * len(runs)


def _cells(notebook: Any) -> list[Any] | None:
    """The cells of a notebook of format 4, or of the older format 3; None when it is no notebook."""
    if not isinstance(notebook, dict):
        return None
    cells = notebook.get("cells")
    if cells is None:
        sheets = notebook.get("worksheets")
        first = sheets[0] if isinstance(sheets, list) and sheets else None
        cells = first.get("cells") if isinstance(first, dict) else None
    return cells if isinstance(cells, list) else None


def _cell_text(cell: Any) -> str:
    if not isinstance(cell, dict):
        return ""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    kind = cell.get("cell_type", "code")
    marker = "# %%" if kind == "code" else f"# %% [{kind}]"
    return f"{marker}\n{source}\n" if isinstance(source, str) and source.strip() else ""

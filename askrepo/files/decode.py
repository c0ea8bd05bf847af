"""Turns a file's bytes into text, or names the reason why there is none."""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from askrepo.files.encodings import WIDE, declared_encoding, likely_encoding
from askrepo.files.languages import PROSE
from askrepo.types import SkipReason

# A pointer file is about 130 bytes; the specification demands less than 1,024.
LFS_PREFIX = b"version https://git-lfs.github.com/spec/"
LFS_MAX_BYTES = 1024
# Bytes written as letters (RFC 9580, section 6): a signature beside a release has no word that anybody asks for.
_ARMOURED = re.compile(rb"\s*-----BEGIN PGP (?:SIGNATURE|MESSAGE|PUBLIC KEY BLOCK|PRIVATE KEY BLOCK)-----\r?\n")
# Text has next to no control characters; compressed or encrypted content has 10 % of them.
MAX_CONTROL_RATIO = 0.01
# A file is UTF-8 with damage when its letters of two bytes and more outweigh what is no UTF-8 this many times.
MIN_REPAIR_WEIGHT = 4
# A comment that no encoding explains does not lose the code around it.
MIN_ASCII_SHARE = 0.9
REPAIRED_MARK = ", repaired"
"""Ends the encoding of a file whose text has replacement characters."""
# Text in UTF-16 has a NUL in every other byte for each letter of ASCII; little else has them on one side alone.
MIN_NUL_SHARE = 0.1
MAX_STRAY_NULS = 0.1
"""On the other side: some letters of other scripts have a NUL there, as \uac00 has."""
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
_HIGH = bytes(range(0x80, 0x100))
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b")) + b"\x7f"
_LONG_LETTER = re.compile(rb"[\xe0-\xff]")  # in UTF-8 it begins a letter of three or four bytes
_NOT_ASCII = re.compile("[^\x00-\x7f]")
# A picture written into a cell's text; with it the notebook would be measured by its pictures after all.
_PICTURE = re.compile(r"(data:[\w./+-]{1,60};base64,)[A-Za-z0-9+/=]{40,}+")
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
    text = _with_newlines(decoded.text)
    if is_notebook(path):
        text = _with_newlines(notebook_text(text))
    if not text.strip():
        return Decoded(reason="empty")
    if is_minified(text, path=path, language=language):
        return Decoded(reason="minified")
    return Decoded(text, decoded.encoding)


def is_notebook(path: str) -> bool:
    """Whether the path names a notebook, whose text is a part of the file's."""
    return path.lower().endswith(".ipynb")


def _with_newlines(text: str) -> str:
    """The text with a newline for each line end of editors: CR LF, CR CR LF (converted twice) and a lone CR."""
    return text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


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
    return _SURROGATE.sub("\ufffd", "\n".join(_cell_text(cell) for cell in cells))


def _decode_bytes(content: bytes) -> Decoded:
    if len(content) < LFS_MAX_BYTES and content.startswith(LFS_PREFIX):
        return Decoded(reason="LFS pointer")
    if _ARMOURED.match(content):
        return Decoded(reason="binary")
    for bom, encoding in _BOMS:
        if content.startswith(bom) and encoding != "utf-8":
            return _decode_wide(content[len(bom) :], encoding)
    content = content.removeprefix(codecs.BOM_UTF8)
    if b"\0" in content:
        unmarked = _unmarked_encoding(content)
        return Decoded(reason="binary") if unmarked is None else _decode_wide(content, unmarked)
    if content.isascii():
        return Decoded(content.decode("ascii"), "utf-8")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_other(content)
    if _LONG_LETTER.search(content) is None and (declared := declared_encoding(content)) in WIDE:
        # Letters of two bytes may be another encoding's by chance: then the file's own word counts.
        other = _decode_as(content, declared)
        return other if other.reason is None else Decoded(text, "utf-8")
    return Decoded(text, "utf-8")


def _decode_as(content: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(content.decode(encoding), encoding)
    except UnicodeDecodeError:
        return Decoded(reason="undecodable")


def _decode_wide(content: bytes, encoding: str) -> Decoded:
    """Text in UTF-16 or UTF-32; a damaged letter among many is replaced."""
    text = content.decode(encoding, "replace")
    if "\0" in text:
        return Decoded(reason="binary")
    lost = text.count("\ufffd")
    if lost > len(text) // 100 and not (lost == 1 and len(text) > 4 and text.endswith("\ufffd")):
        return Decoded(reason="undecodable")
    return Decoded(text, encoding + REPAIRED_MARK if lost and not _is_exact(content, encoding) else encoding)


def _is_exact(content: bytes, encoding: str) -> bool:
    return _decode_as(content, encoding).reason is None


def _unmarked_encoding(content: bytes) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark, told by where the NULs are; None for anything else."""
    quarters = [content[at::4].count(0) for at in range(4)]
    units = len(content) // 4
    even, odd = quarters[0] + quarters[2], quarters[1] + quarters[3]
    if len(content) % 4 == 0 and units and quarters[2:] == [units, units]:
        encoding = "utf-32-le"
    elif len(content) % 4 == 0 and units and quarters[:2] == [units, units]:
        encoding = "utf-32-be"
    elif odd >= MIN_NUL_SHARE * len(content) / 2 and even <= odd * MAX_STRAY_NULS:
        encoding = "utf-16-le"
    elif even >= MIN_NUL_SHARE * len(content) / 2 and odd <= even * MAX_STRAY_NULS:
        encoding = "utf-16-be"
    else:
        return None
    decoded = _decode_as(content, encoding)
    return encoding if decoded.reason is None and _is_written(decoded.text) else None


def _is_written(text: str) -> bool:
    """Whether the text consists of what people write: no control characters, and nothing without a meaning."""
    odd = sum(
        unicodedata.category(letter) in {"Cc", "Cn", "Co", "Cs"} for letter in text[:4096] if letter not in "\t\n\r\f"
    )
    return odd == 0


def _decode_other(content: bytes) -> Decoded:
    """What is no UTF-8: as it says itself, then as damaged UTF-8, then as its letters make likely."""
    if len(content) - len(content.translate(None, _CONTROL)) > len(content) * MAX_CONTROL_RATIO:
        return Decoded(reason="binary")
    declared = declared_encoding(content)
    if declared is not None and (decoded := _decode_as(content, declared)).reason is None:
        return decoded
    if _is_damaged_utf8(content):
        return Decoded(content.decode("utf-8", "replace"), "utf-8" + REPAIRED_MARK)
    likely = likely_encoding(content)
    if likely is None:
        if len(content.translate(None, _HIGH)) < MIN_ASCII_SHARE * len(content):
            return Decoded(reason="undecodable")
        return Decoded(content.decode("ascii", "replace"), "ascii" + REPAIRED_MARK)
    decoded = _decode_as(content, likely)
    return Decoded(content.decode(likely, "replace"), likely + REPAIRED_MARK) if decoded.reason else decoded


def _is_damaged_utf8(content: bytes) -> bool:
    """Whether most of what is not ASCII is UTF-8; a letter of three bytes is hardly ever one by chance."""
    text = content.decode("utf-8", "surrogateescape")
    bad = letters = 0
    for letter in _NOT_ASCII.findall(text):
        if "\udc80" <= letter <= "\udcff":
            bad += 1
        else:
            letters += 1 if letter < "\u0800" else 3
    return letters >= MIN_REPAIR_WEIGHT * bad


def _cells(notebook: Any) -> list[Any] | None:
    """The cells of a notebook of format 4, or of the older format 3; None when it is no notebook."""
    if not isinstance(notebook, dict):
        return None
    cells = notebook.get("cells")
    if cells is None:
        sheets = notebook.get("worksheets")
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
        cells = [cell for part in lists if isinstance(part, list) for cell in part] if lists else None
    return cells if isinstance(cells, list) else None


def _cell_text(cell: Any) -> str:
    if not isinstance(cell, dict):
        return ""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    kind = cell.get("cell_type", "code")
    if isinstance(source, str):
        source = _PICTURE.sub(r"\1…", source)
    marker = "# %%" if kind == "code" else f"# %% [{kind}]"
    return f"{marker}\n{source}\n" if isinstance(source, str) and source.strip() else ""

"""git's wildcards (wildmatch.c) as regular expressions that never go back over what they have matched."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

_SPECIAL = frozenset(b"*?[\\")
_STAR, _FOLDERS, _REST = "star", "folders", "rest"
_NEVER = re.compile(rb"(?!)")
_CLASSES = {
    b"alnum": string.ascii_letters + string.digits,
    b"alpha": string.ascii_letters,
    b"blank": " \t",
    b"cntrl": "".join(map(chr, [*range(32), 127])),
    b"digit": string.digits,
    b"graph": "".join(map(chr, range(33, 127))),
    b"lower": string.ascii_lowercase,
    b"print": "".join(map(chr, range(32, 127))),
    b"punct": string.punctuation,
    b"space": string.whitespace,
    b"upper": string.ascii_uppercase,
    b"xdigit": string.hexdigits,
}


class _NeverMatchesError(Exception):
    """The pattern is malformed: git matches nothing with it."""


def is_wild(pattern: bytes) -> bool:
    """Whether the pattern is more than the text that it matches."""
    return any(byte in _SPECIAL for byte in pattern)


def pattern_regex(pattern: bytes) -> re.Pattern[bytes]:
    """Matches the paths that git's pattern matches: `*` stays within a name, `**` as a whole name crosses folders.

    What follows a star is looked for once, as far left as possible, and never again (an atomic group): a star further
    right can take whatever that leaves, so nothing is missed. The time is the product of both lengths at most.
    """
    try:
        runs, has_rest = _runs(pattern)
    except _NeverMatchesError:
        return _NEVER
    first, *others = runs
    parts = [_run(first, is_last=not others and not has_rest)]
    for number, run in enumerate(others, 2):
        parts.append(_run_somewhere(run, is_last=number == len(runs) and not has_rest))
    return re.compile(b"".join(parts) + (b"" if has_rest else rb"\Z"), re.DOTALL)


def _runs(pattern: bytes) -> tuple[list[list[bytes | str]], bool]:
    """The pattern cut where folders may be left out, and whether anything at all may follow."""
    runs: list[list[bytes | str]] = [[]]
    for token in _tokens(pattern):
        if token == _REST:
            return runs, True
        if token == _FOLDERS:
            runs.append([])
        else:
            runs[-1].append(token)
    return runs, False


def _run(tokens: list[bytes | str], *, is_last: bool) -> bytes:
    """A regular expression for single bytes and stars."""
    chunks: list[list[bytes]] = [[]]
    for token in tokens:
        if isinstance(token, bytes):
            chunks[-1].append(token)
        else:
            chunks.append([])
    first, *others = (b"".join(chunk) for chunk in chunks)
    if not others:
        return first
    middle = b"".join(b"(?>[^/]*?" + chunk + b")" for chunk in others[:-1])
    last = b"[^/]*" + others[-1] if is_last else b"(?>[^/]*?" + others[-1] + b")"
    return first + middle + last


def _run_somewhere(tokens: list[bytes | str], *, is_last: bool) -> bytes:
    """A run after any number of folders; the last one has its place counted from the end of the path."""
    run = _run(tokens, is_last=is_last)
    if not is_last:
        return b"(?>(?:[^/]*/)*?" + run + b")"
    folders = sum(token == b"/" for token in tokens)
    return b"(?>(?:[^/]*/)*?(?=(?:[^/]*/){%d}[^/]*\\Z))" % folders + run


def _tokens(pattern: bytes) -> Iterator[bytes | str]:
    """The pattern's parts: a regular expression for one byte each, or one of the three kinds of star."""
    literal_bytes = next((at for at, byte in enumerate(pattern) if byte in _SPECIAL), len(pattern))
    at = 0
    while at < len(pattern):
        byte = pattern[at : at + 1]
        if byte == b"*":
            end = at + len(pattern[at:]) - len(pattern[at:].lstrip(b"*"))
            stars, at = _stars(pattern, at, end, literal_bytes)
            yield from stars
        elif byte == b"?":
            yield b"[^/]"
            at += 1
        elif byte == b"[":
            token, at = _bracket(pattern, at + 1)
            yield token
        else:
            at += byte == b"\\"
            if at >= len(pattern):
                raise _NeverMatchesError
            yield re.escape(pattern[at : at + 1])
            at += 1


def _stars(pattern: bytes, at: int, end: int, literal_bytes: int) -> tuple[tuple[bytes | str, ...], int]:
    """What the stars mean, and where the pattern goes on.

    git compares the text before the first wildcard by itself, so that two stars there count as a whole name. Before an
    escaped slash, they stand for one folder at least.
    """
    begins = at in (0, literal_bytes) or pattern[at - 1 : at] == b"/"
    if end - at == 1 or not begins:
        return (_STAR,), end
    if end == len(pattern):
        return (_REST,), end
    if pattern.startswith(b"/", end):
        return (_FOLDERS,), end + 1
    if pattern.startswith(b"\\/", end):
        return (_STAR, b"/", _FOLDERS), end + 2
    return (_STAR,), end


def _bracket(pattern: bytes, at: int) -> tuple[bytes, int]:
    """A class for the bytes of a bracket expression that begins here, and where the pattern goes on."""
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    members: set[int] = set()
    previous = 0
    is_first = True
    while is_first or pattern[at : at + 1] != b"]":
        is_first = False
        if pattern.startswith(b"[:", at):
            end = pattern.find(b"]", at + 2)
            if end < 0:
                raise _NeverMatchesError
            if pattern[end - 1 : end] == b":" and end - 1 >= at + 2:
                members.update(map(ord, _class(pattern[at + 2 : end - 1])))
                previous, at = 0, end + 1
                continue
        elif previous and pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in (b"", b"]"):
            last, at = _member(pattern, at + 1)
            members.update(range(previous, last + 1))
            previous = 0
            continue
        previous, at = _member(pattern, at)
        members.add(previous)
    return _byte_class(members, negated=negated), at + 1


def _class(name: bytes) -> str:
    if name not in _CLASSES:
        raise _NeverMatchesError
    return _CLASSES[name]


def _member(pattern: bytes, at: int) -> tuple[int, int]:
    at += pattern[at : at + 1] == b"\\"
    if at >= len(pattern):
        raise _NeverMatchesError
    return pattern[at], at + 1


def _byte_class(members: set[int], *, negated: bool) -> bytes:
    """A slash is never a member."""
    kept = {byte for byte in range(256) if (byte in members) != negated and byte != ord("/")}
    return b"[" + b"".join(b"\\x%02x" % byte for byte in sorted(kept)) + b"]" if kept else b"(?!)"

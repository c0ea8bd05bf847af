"""What `.gitattributes` files declare of paths, worked out here within bounds that are the same on every machine.

git's own matcher takes exponential time for patterns such as `**/*a*/**/*a*/**/*a*b`. This one is linear in the length
of the path for each pattern, and counts what it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from askrepo.errors import LimitExceededError
from askrepo.git.wildmatch import is_wild, pattern_regex

ATTRIBUTES = ("linguist-generated", "linguist-vendored")
# As in git (attr.h): a longer line is ignored.
MAX_LINE_BYTES = 2048
# What all work for one tree may cost, in units of about 0.3 µs (measured 2026-11-28): three minutes for the worst
# patterns and paths, and as much as 100 wildcards and 200,000 paths of ordinary length take.
MAX_COST = 500_000_000
# Of the product of both lengths, what costs a unit; and what making a regular expression costs.
PRODUCT_PER_UNIT = 64
UNITS_PER_COMPARISON = 3
UNITS_PER_PATTERN = 250
UNITS_PER_PATTERN_BYTE = 7

_NAME = re.compile(rb"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_MACRO = b"[attr]"
_BLANK = b" \t\r"

Value = bool | bytes | None
"""Set, unset, a value, or explicitly unspecified."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A line of a file: which paths it is about, relative to the file's folder, and what it says of them.

    :ivar literal: the only name or path that it matches, when the pattern has no wildcard.
    """

    is_path: bool
    literal: bytes | None
    regex: re.Pattern[bytes] | None
    pattern_bytes: int
    assignments: tuple[tuple[bytes, Value], ...]


class Attributes:
    """The declarations of one tree."""

    def __init__(self, files: Mapping[bytes, bytes]) -> None:
        """Read the files.

        :param files: contents of `.gitattributes` files by their folder, `b""` for the root.
        :raises LimitExceededError: their patterns are too much work.
        """
        root = list(_lines(files.get(b"", b"")))
        macros = {name.removeprefix(_MACRO): said for name, said in root if name.startswith(_MACRO)}
        self._relevant = _relevant_names(macros)
        self._macros = {name: self._kept(said) for name, said in macros.items()}
        self._cost = 0
        folders = {folder: tuple(self._rules(_lines(content))) for folder, content in files.items()}
        self._rules_by_folder = {folder: rules for folder, rules in folders.items() if rules}
        self._rules_for = lru_cache(maxsize=64)(self._find_rules)

    def declared(self, path: bytes) -> Mapping[str, bool]:
        """What is declared of `ATTRIBUTES`; undeclared ones are left out.

        :raises LimitExceededError: all comparisons so far were too much work.
        """
        if not self._rules_by_folder:
            return {}
        values: dict[bytes, Value] = {}
        folder, _, name = path.rpartition(b"/")
        for base, rules in self._rules_for(folder):
            below = path[len(base) + 1 :] if base else path
            for rule in rules:
                if self._matches(rule, below, name):
                    self._assign(rule.assignments, values)
        return {name: known for name in ATTRIBUTES if (known := _as_boolean(values.get(name.encode()))) is not None}

    def _kept(self, said: Iterable[tuple[bytes, Value]]) -> tuple[tuple[bytes, Value], ...]:
        return tuple((name, value) for name, value in said if name in self._relevant)

    def _rules(self, lines: Iterable[tuple[bytes, Sequence[tuple[bytes, Value]]]]) -> Iterator[_Rule]:
        """The lines that count, the last one first, because it wins."""
        for pattern, said in reversed(list(lines)):
            if (kept := self._kept(said)) and not pattern.startswith(_MACRO):
                self._spend(UNITS_PER_PATTERN + UNITS_PER_PATTERN_BYTE * len(pattern))
                yield _rule(pattern, kept)

    def _find_rules(self, folder: bytes) -> list[tuple[bytes, tuple[_Rule, ...]]]:
        """Folders with rules for what lies in this one, the nearest first."""
        found = []
        while True:
            if rules := self._rules_by_folder.get(folder):
                found.append((folder, rules))
            if not folder:
                return found
            folder = folder.rpartition(b"/")[0]

    def _matches(self, rule: _Rule, below: bytes, name: bytes) -> bool:
        text = below if rule.is_path else name
        if rule.regex is None:
            self._spend(1)
            return text == rule.literal
        self._spend(UNITS_PER_COMPARISON + len(text) * rule.pattern_bytes // PRODUCT_PER_UNIT)
        return rule.regex.match(text) is not None

    def _spend(self, cost: int) -> None:
        self._cost += cost
        if self._cost > MAX_COST:
            raise LimitExceededError(
                "cannot work out what the repository's .gitattributes declare: its patterns take more work than those "
                "of any ordinary repository; give another ref or another repository"
            )

    def _assign(self, assignments: Sequence[tuple[bytes, Value]], values: dict[bytes, Value]) -> None:
        """Add what is not known yet; a macro that is set stands for what it was defined as."""
        waiting = list(assignments)
        while waiting:
            name, value = waiting.pop()
            if name not in values:
                values[name] = value
                if value is True:
                    waiting.extend(self._macros.get(name, ()))


def _relevant_names(macros: Mapping[bytes, Sequence[tuple[bytes, Value]]]) -> frozenset[bytes]:
    """`ATTRIBUTES` and the macros that lead to them."""
    users: dict[bytes, list[bytes]] = {}
    for macro, said in macros.items():
        for name, _ in said:
            users.setdefault(name, []).append(macro)
    waiting = [name.encode() for name in ATTRIBUTES]
    found: set[bytes] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(users.get(name, ()))
    return frozenset(found)


def _as_boolean(value: Value) -> bool | None:
    if value is None or value == b"unspecified":
        return None
    return value not in (False, b"unset", b"false")


def _lines(content: bytes) -> Iterator[tuple[bytes, list[tuple[bytes, Value]]]]:
    """Pattern (or macro) and assignments of each line that git would take."""
    content = content.removeprefix(b"\xef\xbb\xbf").partition(b"\0")[0]
    for line in content.split(b"\n"):
        if len(line) < MAX_LINE_BYTES and (cut := _cut(line.lstrip(_BLANK))) is not None:
            pattern, rest = cut
            assignments = [_assignment(word) for word in rest.split()]
            if None not in assignments:
                yield pattern, [one for one in assignments if one is not None]


def _cut(line: bytes) -> tuple[bytes, bytes] | None:
    """The line's pattern and the rest; None when it has none."""
    if not line or line.startswith(b"#"):
        return None
    if line.startswith(b'"') and (quoted := re.match(rb'"((?:[^"\\]|\\.)*)"', line)):
        pattern = _unquoted(quoted[1])
        return None if pattern is None else (pattern, line[quoted.end() :])
    words = re.match(rb"(\[attr\][ \t\r]*)?([^ \t\r]*)", line)
    if words is None or (words[1] and not _NAME.fullmatch(words[2])):
        return None
    return (_MACRO if words[1] else b"") + words[2], line[words.end() :]


_ESCAPES = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def _unquoted(text: bytes) -> bytes | None:
    """The text of a C string; None when it is not one."""
    if re.search(rb"\\(?![abfnrtv\\\"]|[0-3][0-7]{2})", re.sub(rb"\\\\", b"", text)):
        return None
    return re.sub(
        rb"\\([0-3][0-7]{2}|.)",
        lambda found: bytes([int(found[1], 8)]) if len(found[1]) == 3 else _ESCAPES.get(found[1], found[1]),
        text,
    )


def _assignment(word: bytes) -> tuple[bytes, Value] | None:
    name, has_value, value = word.partition(b"=")
    said: Value = value if has_value else True
    if name.startswith((b"-", b"!")):
        said = False if name.startswith(b"-") else None
        name = name[1:]
    return (name, said) if _NAME.fullmatch(name) else None


def _rule(pattern: bytes, assignments: tuple[tuple[bytes, Value], ...]) -> _Rule:
    is_path = b"/" in pattern
    pattern_bytes = len(pattern)
    if pattern.startswith(b"!") or pattern.endswith(b"/") or not pattern:
        return _Rule(is_path, None, None, pattern_bytes, assignments)  # neither negation nor folders match a file
    below = pattern.removeprefix(b"/")
    if not is_wild(below):
        return _Rule(is_path, below, None, pattern_bytes, assignments)
    return _Rule(is_path, None, pattern_regex(below), pattern_bytes, assignments)

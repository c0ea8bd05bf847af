"""Numbers and their units, as a statement says them and as the lines of a source do.

A number that stands there with another unit is another number: 302 seconds are neither 302 ms nor 302 lines. Other
spellings of a unit and plain conversions are the same number, and a number without any unit may be meant in each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts.

    :ivar kind: units of one kind can be converted. :ivar scales: how many of the smallest one it is; several where
        people mean different ones by the same word, such as 1,000 and 1,024 bytes by `KB`.
    :ivar is_measure: time, size or share; a word that counts things is said more freely.
    """

    kind: str
    scales: tuple[float, ...] = (1.0,)
    is_measure: bool = False


_TIMES = {
    1e-9: "nanosecond nanoseconds nanos ns",
    1e-6: "microsecond microseconds micros \u00b5s us",
    1e-3: "millisecond milliseconds millis msec msecs ms",
    1.0: "second seconds sec secs s",
    60.0: "minute minutes min mins",
    3600.0: "hour hours hr hrs h",
    86400.0: "day days d",
    604800.0: "week weeks",
}
_SIZES = {
    (1.0,): "byte bytes B",
    (1e3, 1024.0): "kilobyte kilobytes kB KB kibibyte kibibytes KiB",
    (1e6, 1024.0**2): "megabyte megabytes MB mebibyte mebibytes MiB",
    (1e9, 1024.0**3): "gigabyte gigabytes GB gibibyte gibibytes GiB",
}
_SHARES = "percent %"
_COUNTS = """
    time times try tries attempt attempts retry retries iteration iterations
    item items entry entries record records row rows
    worker workers thread threads process processes
    task tasks job jobs
    message messages event events
    connection connections client clients
    request requests
    character characters chars char
    redirect redirects hop hops
    pixel pixels px
    bit bits
    digit digits
    column columns
    token tokens
    line lines
    level levels
    point points
    month months
    year years
    instance instances
    slot slots
    Hz
    kHz
    MHz
    GHz
    kbps Kbps
    Mbps
"""
"""Words that count, those that are said for each other in one line."""

_COUNTED_THERE = """
    element elements object objects
    file files
    word words
    page pages
    chunk chunks
    commit commits
    step steps
    option options
    argument arguments parameter parameters
    error errors failure failures
    test tests
    user users
"""
"""What a source counts too, and a sentence on its own behalf ("three ways", "2 options")."""


def _units() -> dict[str, Unit]:
    units = {word: Unit("seconds", (scale,), True) for scale, words in _TIMES.items() for word in words.split()}
    units |= {word: Unit("bytes", scales, True) for scales, words in _SIZES.items() for word in words.split()}
    units |= {word: Unit("percent", (1.0,), True) for word in _SHARES.split()}
    for line in filter(str.strip, (_COUNTS + _COUNTED_THERE).split("\n")):
        units |= {word: Unit(line.split()[0]) for word in line.split()}
    return units


_UNITS = _units()
_LOWER = {word.lower(): unit for word, unit in _UNITS.items() if len(word) > 1}
_SAID = sorted(_UNITS.keys() - set(_COUNTED_THERE.split()), key=len, reverse=True)

NUMBER = re.compile(
    r"(?<![\w.,/#$\[-])(?P<value>\d{1,3}(?:[,_]\d{3}){1,4}|\d{1,15})(?P<rest>\.\d{1,9})?"
    rf"[ \u00a0-]?(?P<unit>{'|'.join(map(re.escape, _SAID))})(?![\w%])"
)
"""A number with a unit, in a statement."""

_READ_AS: dict[str, tuple[float, ...]] = {
    "seconds": tuple(scale for scale in _TIMES if scale < 604800.0),
    "bytes": (1.0, 1e3, 1024.0, 1e6, 1024.0**2, 1e9, 1024.0**3),
}
_MILLI = 1e-3


def number_values(text: str) -> tuple[float, ...]:
    """The values by which a source may say a number with its unit and name none: itself, and in the other units.

    `30 seconds` may stand there as 30 or as 30000 (of milliseconds), `500 ms` as 0.5.
    """
    match = NUMBER.fullmatch(text)
    if match is None:
        return ()
    unit, value = _UNITS[match["unit"]], _value(match)
    values = [value]
    for other in _READ_AS.get(unit.kind, ()):
        converted = (value * scale / other for scale in unit.scales if scale != other)
        values += [each for each in converted if (each >= 2 and each.is_integer()) or _MILLI in unit.scales]
    if unit.kind == "percent":
        values.append(value / 100)
    return tuple(dict.fromkeys(values))


def said_keys(text: str) -> tuple[str, ...]:
    """What a number with a unit is looked up by among the `stored_keys`."""
    match = NUMBER.fullmatch(text)
    if match is None:
        return ()
    bare = map(_key, number_values(text))
    return tuple(dict.fromkeys([*bare, *_keys(_value(match), _UNITS[match["unit"]])]))


def stored_keys(line: str) -> set[str]:
    """What the numbers of a line of a source are looked up by: their value, with their unit where they have one."""
    return {key for value, unit in _stored(line) for key in _keys(value, unit)}


def stored_numbers(line: str) -> set[float]:
    """The values that stand in a line of a source, in digits or as words up to twelve."""
    return {value for value, _ in _stored(line)}


def numbers_given(line: str) -> list[tuple[str, set[float]]]:
    """The names that a line gives a number, with what it is: `retries = 3`."""
    found = _GIVEN.finditer(line)
    return [(match["macro"] or match["name"], stored_numbers(match["value"])) for match in found]


def _value(match: re.Match[str]) -> float:
    return float(re.sub("[,_]", "", match["value"]) + (match["rest"] or ""))


def _keys(value: float, unit: Unit | None) -> list[str]:
    return [_key(value)] if unit is None else [f"{_key(value * scale)} {unit.kind}" for scale in unit.scales]


def _key(value: float) -> str:
    return f"{value:.9g}"


_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMBER_WORDS = {word: float(value) for value, word in enumerate(_WORDS.split())} | {
    "once": 1.0, "twice": 2.0, "hundred": 100.0, "thousand": 1000.0
}  # fmt: skip
_STORED_NUMBER = re.compile(
    r"(?<![\w.])(?:0[xX][0-9a-fA-F_]{1,16}|\d[\d_,]{0,20}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,3})?)(?!\d)"
)
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_GIVEN = re.compile(
    r"(?:#\s{0,4}define\s{1,4}(?P<macro>\w{1,80})\s{1,20}"
    r"|(?<![\w-])(?P<name>[^\W\d][\w-]{0,80})[\"']?\s{0,20}"
    r"(?::\s{0,4}[\w\[\]. |]{1,40}?)?\s{0,20}(?::=|=>|[-+*|]?=|:)\s{0,20})"
    r"-?(?P<value>\d[\w.]{0,20})"
)
_CALLED_WITH = re.compile(r"(?<!\w)(?P<name>[^\W\d]\w{0,80})\(\s{0,4}(?P<value>\d)")
_BEHIND = re.compile(r"[ \u00a0-]?(?P<unit>[A-Za-z\u00b5]{1,14}|%)(?![\w%])(?: (?P<next>[A-Za-z]{4,14})(?!\w))?")
_MULTIPLIED = re.compile(r"\s{0,4}\*\s{0,4}(?:\w{1,20}(?:\.|::))?(?P<unit>[A-Z][A-Za-z]{3,14})(?!\w)")
_METHOD = re.compile(r"\.(?P<unit>[a-z]{4,14})(?!\w)")
_ARGUMENT = re.compile(r"\s{0,4},\s{0,4}(?:\w{1,20}\.)?(?P<unit>[A-Z]{4,14})(?!\w)")
_REMARK = re.compile(r"[\s,;)\]}'\"]{0,20}(?:#|//|/\*|--|<!--)\s{0,4}(?:in )?(?P<unit>[A-Za-z\u00b5]{0,14}[sB])(?!\w)")
_MULTIPLIED_BY = re.compile(r"(?P<unit>[A-Z][A-Za-z]{3,14})\s{0,4}\*\s{0,4}$")
_LETTER = re.compile(r"[A-Za-z](?!\w)")
_FORMATS = frozenset("%<>^:")
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_OTHER_MEANING = frozenset({"min", "h", "d", "b", "hr"})
"""Units that a name rather has for something else: the least, a height."""


def _stored(line: str) -> Iterator[tuple[float, Unit | None]]:
    """The values of a line, each with its units where the line tells them."""
    digits = list(_STORED_NUMBER.finditer(line))
    named = _named_units(line) if digits else {}
    for match in digits:
        number = match.group().rstrip(",")
        units = _units_around(line, match.start(), match.start() + len(number)) or named.get(match.start(), (None,))
        yield from ((value, unit) for value in _readings(number) for unit in units)
    for match in _WORD.finditer(line):
        if (word := match.group().lower()) in _NUMBER_WORDS:
            yield from ((_NUMBER_WORDS[word], unit) for unit in _units_behind(line, match.end()) or (None,))


def _units_around(line: str, start: int, end: int) -> Sequence[Unit]:
    """The unit that stands beside a number: `30 s`, `30 * time.Second`, `30.seconds`, `30,  # seconds`."""
    is_format = start > 0 and line[start - 1] in _FORMATS and _LETTER.match(line, end)  # `%10s`, `{:5d}`
    if not is_format and (behind := _units_behind(line, end)):
        return behind
    found = [pattern.match(line, end) for pattern in (_MULTIPLIED, _METHOD, _ARGUMENT, _REMARK)]
    found.append(_MULTIPLIED_BY.search(line, max(0, start - 24), start))
    return [unit for beside in found if beside and (unit := _measure(beside["unit"]))][:1]


def _units_behind(line: str, end: int) -> Sequence[Unit]:
    """The unit that follows a number; of what is counted there may be two, as in `4 worker threads`."""
    match = _BEHIND.match(line, end)
    if match is None or match["unit"] == "d":  # also the mark of a floating-point number
        return ()
    first, second = _unit_of(match["unit"]), _unit_of(match["next"] or "")
    return [unit for unit in (first, None if first and first.is_measure else second) if unit] if first else ()


def _unit_of(word: str) -> Unit | None:
    return _UNITS.get(word) or _LOWER.get(word.lower() if len(word) > 1 else "")


def _measure(word: str) -> Unit | None:
    unit = _unit_of(word)
    return unit if unit is not None and unit.is_measure else None


def _named_units(line: str) -> dict[int, Sequence[Unit | None]]:
    """Units in the names that a line gives numbers or calls with them, by where the number begins: `timeout_ms=30`."""
    found = [*_GIVEN.finditer(line), *_CALLED_WITH.finditer(line)]
    units = {match.start("value"): _unit_in_name(match.groupdict().get("macro") or match["name"]) for match in found}
    return {start: (unit,) for start, unit in units.items() if unit is not None}


def _unit_in_name(name: str) -> Unit | None:
    """The unit that a name ends with. One that is a unit itself (`MINUTE = 60`), or a rate, has none."""
    parts = [part.lower() for part in _NAME_PART.findall(name)]
    if not parts or parts[-1] in _OTHER_MEANING or (len(parts) == 1 and not re.fullmatch("[a-z]{3,}s", name)):
        return None
    measures = [part for part in parts if (part != "s" and _measure(part)) or part in ("s", "per", "one", "a")]
    return _measure(parts[-1]) if measures == [parts[-1]] else None


def _readings(digits: str) -> Iterator[float]:
    """A number as it may be meant: `1,000` is a thousand, or a one before a list's next item."""
    text = digits.replace("_", "").rstrip(",")
    if text[:2].lower() == "0x":
        yield float(int(text, 16)) if len(text) > 2 else 0.0
        return
    yield float(text.replace(",", ""))
    if "," in text:
        yield from (float(part) for part in text.split(",") if part)

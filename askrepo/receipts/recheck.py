"""Whether lines still stand where an answer found them: pure, over a span and the files that are stored now.

Lines are looked for by themselves, then by the lines around them, then by how much of them is left. Only lines that
carry letters or digits count as alike: blank lines and lone brackets stand everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from pathlib import PurePosixPath
from typing import Literal, Protocol

from askrepo.receipts.spans import Span, occurrences

State = Literal["unchanged", "moved", "changed", "gone"]

MIN_KEPT = 0.5
"""Share of the lines that must be left in their file before they are looked for in others."""

MIN_KEPT_ELSEWHERE = 0.6
"""Likewise before changed lines in another file count as these."""

MIN_KEPT_BETWEEN = 0.2
"""Likewise where the lines around do not tell the place either."""

MIN_DISTINCTIVE_CHARS = 40
"""Letters and digits that lines must have to be known again in another file."""

MIN_AROUND = 4
"""Lines around that must agree before lines that say less are known again in another file."""

SLACK = 30
"""Lines that may have been added inside."""


class StoredFiles(Protocol):
    """The files of a repository as they are now."""

    def lines(self, path: str) -> Sequence[str]:
        """All lines of a file without their ends; none when there is no such file."""

    def likely(self, span: Span) -> Sequence[str]:
        """Paths of other files that may hold these lines now, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What became of a span.

    :ivar path: where it is now, with start_line and end_line (1-based, inclusive); None when it is gone.
    :ivar lines: those that stand there now.
    """

    span: Span
    state: State
    path: str | None = None
    start_line: int | None = None
    end_line: int | None = None
    lines: tuple[str, ...] = ()

    def diff(self) -> list[str]:
        """The lines as they were and as they are, as a unified diff with three lines around each change."""
        before, after = self.span.citation, f"{self.path}:{self.start_line}-{self.end_line}"
        names = (f"{before.path}:{before.start_line}-{before.end_line}", after if self.path else "/dev/null")
        return list(unified_diff(self.span.lines, self.lines, *names, lineterm=""))


@dataclass(frozen=True, slots=True)
class _Place:
    """Lines of a file that may be what became of a span: from start to before end, from 0; kept is a share."""

    path: str
    start: int
    end: int
    kept: float
    is_bounded: bool = False


def recheck(span: Span, files: StoredFiles) -> Rechecked:
    """What became of a span; nothing but the files decides it."""
    path = span.citation.path
    here = files.lines(path)
    at = _exact(span, here)
    if at is not None:
        is_there = at == span.citation.start_line - 1
        return _found(span, "unchanged" if is_there else "moved", path, here, at, at + len(span.lines))
    left = _remains(span, path, here)
    if left is not None and left.kept >= MIN_KEPT:
        return _found(span, "changed", path, here, left.start, left.end)
    return _elsewhere(span, files) or _in_place(span, here, left)


def _elsewhere(span: Span, files: StoredFiles) -> Rechecked | None:
    """The span in another file, the same or changed; of several, in the one that is most like its own."""
    likely = {path: files.lines(path) for path in files.likely(span)}
    same = [(path, at) for path, file in likely.items() if (at := _exact(span, file)) is not None]
    same = [(path, at) for path, at in same if _is_distinctive(span, likely[path], at)]
    if same:
        path, at = max(same, key=lambda place: (_around(span, likely[place[0]], place[1]), *_likeness(span, place[0])))
        return _found(span, "moved", path, likely[path], at, at + len(span.lines))
    if _weight(span.lines) < MIN_DISTINCTIVE_CHARS:
        return None
    places = [place for path, file in likely.items() if (place := _remains(span, path, file)) is not None]
    places = [place for place in places if place.kept >= MIN_KEPT_ELSEWHERE]
    if not places:
        return None
    best = max(places, key=lambda place: (place.kept, *_likeness(span, place.path)))
    return _found(span, "changed", best.path, likely[best.path], best.start, best.end)


def _is_distinctive(span: Span, file: Sequence[str], at: int) -> bool:
    """Whether lines in another file are these: they say enough, or all that stood around them stands there too."""
    around = len(span.before) + len(span.after)
    return _weight(span.lines) >= MIN_DISTINCTIVE_CHARS or _around(span, file, at) >= max(around, MIN_AROUND)


def _likeness(span: Span, path: str) -> tuple[bool, int, int]:
    """How much another path is like the span's: the name without its suffix, folders in common, fewer folders."""
    own, other = PurePosixPath(span.citation.path), PurePosixPath(path)
    common = _agreeing(zip(own.parts[:-1], other.parts[:-1], strict=False))
    return own.stem == other.stem, common, -len(other.parts)


def _in_place(span: Span, file: Sequence[str], left: _Place | None) -> Rechecked:
    """What stands in the span's place, as far as that is known; else it is gone."""
    if left is not None and left.end > left.start and (left.is_bounded or left.kept >= MIN_KEPT_BETWEEN):
        return _found(span, "changed", left.path, file, left.start, left.end)
    return Rechecked(span, "gone")


def _found(span: Span, state: State, path: str, file: Sequence[str], start: int, end: int) -> Rechecked:
    return Rechecked(span, state, path, start + 1, end, tuple(file[start:end]))


def _exact(span: Span, file: Sequence[str]) -> int | None:
    """Where the very lines stand, from 0. Of several copies it is the one among the same lines, then by its order.

    Where there are fewer copies than there were, half of its surroundings must be there; else this one has changed.
    """
    starts = occurrences(span.lines, file)
    if not starts:
        return None
    known = {at: _around(span, file, at) for at in starts}
    best = max(known.values())
    alike = [at for at in starts if known[at] == best]
    around = len(span.before) + len(span.after)
    if len(starts) < span.copies and 2 * best < around:
        return None
    if best == 0 and around and not _may_be_alone(span, starts):
        return None
    if len(starts) == span.copies and starts[span.nth - 1] in alike:
        return starts[span.nth - 1]
    return min(alike, key=lambda at: abs(at - span.citation.start_line + 1))


def _may_be_alone(span: Span, starts: Sequence[int]) -> bool:
    """Whether lines are these though nothing around them is: there was no other copy, and they say enough."""
    return span.copies == 1 and len(starts) == 1 and _weight(span.lines) >= MIN_DISTINCTIVE_CHARS


def _around(span: Span, file: Sequence[str], at: int) -> int:
    """How many of the lines around a span stand around a place, counted from the span outwards while they agree."""
    end = at + len(span.lines)
    before = zip(reversed(span.before), reversed(file[max(0, at - len(span.before)) : at]), strict=False)
    after = zip(span.after, file[end : end + len(span.after)], strict=False)
    is_start = not span.before and at == 0
    is_end = not span.after and end == len(file)
    return _agreeing(before) + _agreeing(after) + is_start + is_end


def _agreeing(pairs: Iterable[tuple[str, str]]) -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


def _remains(span: Span, path: str, file: Sequence[str]) -> _Place | None:
    """The place that keeps most of a span's lines; None when nothing of it or around it is left."""
    known = [*span.before, *span.lines, *span.after]
    anchor = _anchor(known, file)
    if anchor is None:
        return None
    in_span, in_file = anchor
    low = max(0, in_file - in_span - SLACK)
    high = min(len(file), in_file + len(known) - in_span + SLACK)
    window = file[low:high]
    pairs = [(one, low + other) for one, other in _aligned(known, window)]
    return _region(span, path, file, pairs)


def _anchor(known: Sequence[str], file: Sequence[str]) -> tuple[int, int] | None:
    """Where the heaviest run of the same lines begins, in both."""
    at: dict[str, list[int]] = {}
    for number, line in enumerate(file):
        at.setdefault(line, []).append(number)
    best, found = 0, None
    for one, line in enumerate(known):
        for other in at.get(line, ()):
            if one and other and known[one - 1] == file[other - 1]:
                continue  # it is inside of a run
            length = _agreeing(zip(known[one:], file[other : other + len(known)], strict=False))
            weight = _weight(known[one : one + length])
            if weight > best:
                best, found = weight, (one, other)
    return found


def _aligned(known: Sequence[str], window: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of the same lines, in order."""
    matcher = SequenceMatcher(None, known, window, autojunk=False)
    return [(block.a + step, block.b + step) for block in matcher.get_matching_blocks() for step in range(block.size)]


def _region(span: Span, path: str, file: Sequence[str], pairs: Sequence[tuple[int, int]]) -> _Place | None:
    """The lines between those around the span, or from the first to the last that is left of it."""
    first, last = len(span.before), len(span.before) + len(span.lines)
    inside = [(one, other) for one, other in pairs if first <= one < last]
    above = [other for one, other in pairs if one < first]
    below = [other for one, other in pairs if one >= last]
    kept = _weight([span.lines[one - first] for one, _ in inside]) / (_weight(span.lines) or 1)
    if not kept and not (above and below):
        return None
    start = above[-1] + 1 if above else inside[0][1]
    end = below[0] if below else inside[-1][1] + 1
    is_bounded = bool(above and below and _weight([file[above[-1]], file[below[0]]]))
    return _Place(path, start, end, kept, is_bounded)


def _weight(lines: Sequence[str]) -> int:
    """Letters and digits of lines."""
    return sum(map(str.isalnum, "".join(lines)))

"""Passages: which stretches of consecutive chunks to show for ranked hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from askrepo.types import Chunk, Hit

# The figures below are line recall (share of evidence ranges of which something is shown) and coverage (share of
# evidence lines shown) in 8,000 tokens, on the tuning half of our code questions, measured 2026-11: .692 and .626 with
# joining alone. With 36 questions, differences below .02 are noise.

BRIDGED_CHUNKS = 2
"""Chunks between two hits that are shown too: what lies there is often about the same, and a heading is saved.
One .708 and .654, two .722 and .685, three .731 and .694, four .708 and .671."""

COMPLETED_HITS = 3
"""Hits whose whole definition or section is shown: .729 and .703. One to five do the same, eight .720 and .701."""

COMPLETION_SHARE = 0.1
"""Share of the budget that this may take at most. .2 shows no more of the evidence, and less in a smaller budget."""

MAX_UNIT_TOKENS = 800
"""Larger definitions are classes or worse, larger sections chapters: their other parts are hits of their own merit."""

Stretch = tuple[Chunk, ...]
"""Chunks of one file that follow each other without a gap, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """What is shown of a file in one piece. Compared by identity: a stretch may hold thousands of chunks.

    :ivar hit: the best hit in it.
    :ivar stretch: the chunks that it is taken from.
    :ivar first: position in the stretch of its first chunk; last likewise, inclusive.
    """

    hit: Hit
    stretch: Stretch
    first: int
    last: int

    @property
    def chunks(self) -> Stretch:
        """The chunks shown."""
        return self.stretch[self.first : self.last + 1]

    @property
    def text(self) -> str:
        """The file's text from the first chunk to the last."""
        return "".join(chunk.text for chunk in self.chunks)


StretchesOf = Callable[[Hit], Sequence[Stretch]]
"""The file that a hit is from, as stretches."""

Passages = tuple[Passage, ...]


def choose_passages(
    hits: Sequence[Hit], *, stretches_of: StretchesOf, tokens_of: Callable[[Passage], int], max_tokens: int
) -> Passages:
    """Passages for the hits, in the order of the best hit in each, as many as the budget holds.

    Hits that follow each other in a file are one passage, with what lies between them when it is little. The first hits
    are completed to the whole definition or section before the others are added.

    :param hits: best first. :param tokens_of: what showing a passage costs.
    """

    def total(passages: Passages) -> int:
        return sum(map(tokens_of, passages))

    def added(chosen: Passages, passage: Passage, limit: int) -> Passages:
        for gap in (BRIDGED_CHUNKS, 0):
            joined = join(chosen, passage, gap=gap)
            if total(joined) <= limit:
                return joined
        return chosen

    chosen: Passages = ()
    for hit in hits[:COMPLETED_HITS]:
        chosen = added(chosen, passage_of(hit, stretches_of(hit)), max_tokens)
    limit = min(max_tokens, total(chosen) + int(COMPLETION_SHARE * max_tokens))
    for hit in hits[:COMPLETED_HITS]:
        chosen = added(chosen, completed(passage_of(hit, stretches_of(hit))), limit)
    for hit in hits[COMPLETED_HITS:]:
        if total(chosen) + hit.chunk.tokens <= max_tokens:  # spares reading the files of hits that cannot fit
            chosen = added(chosen, passage_of(hit, stretches_of(hit)), max_tokens)
    return chosen


def passage_of(hit: Hit, file: Sequence[Stretch]) -> Passage:
    """The hit alone, as a passage of its file."""
    for stretch in file:
        for position, chunk in enumerate(stretch):
            if chunk.id == hit.chunk.id:
                return Passage(hit, stretch, position, position)
    return Passage(hit, (hit.chunk,), 0, 0)


def stretches(chunks: Sequence[Chunk]) -> list[Stretch]:
    """The chunks of a file, divided where their texts do not join: a passage never hides that lines are missing."""
    if not chunks:
        return []
    breaks = [at for at, pair in enumerate(pairwise(chunks), start=1) if not _follows(*pair)]
    return [tuple(chunks[start:end]) for start, end in pairwise([0, *breaks, len(chunks)])]


def join(passages: Passages, passage: Passage, *, gap: int = 0) -> Passages:
    """The passages with one more, which becomes one with those of its file that it touches or overlaps.

    :param gap: chunks between two passages that are shown to make them one.
    """
    near = [each for each in passages if _is_near(each, passage, gap)]
    if not near:
        return (*passages, passage)
    first = min(each.first for each in (*near, passage))
    last = max(each.last for each in (*near, passage))
    joined = Passage(near[0].hit, passage.stretch, first, last)
    return tuple(joined if each is near[0] else each for each in passages if each is near[0] or each not in near)


def completed(passage: Passage) -> Passage:
    """The passage with the rest of the definition or section that the splitter cut, on either side, if it is small."""
    stretch, at = passage.stretch, passage.first
    first = _unit_start(stretch, at)
    last = _unit_end(stretch, at)
    if _tokens(stretch[first : at + 1]) > MAX_UNIT_TOKENS:
        first = at
    if _tokens(stretch[first : last + 1]) > MAX_UNIT_TOKENS:
        last = at
    return Passage(passage.hit, stretch, first, last)


def _unit_start(stretch: Stretch, at: int) -> int:
    """Where the innermost unit begins that the chunk's first line stands in."""
    unit = stretch[at].scope
    if not unit:
        return at
    first = at
    while first > 0 and _is_within(stretch[first - 1], unit):
        first -= 1
    return first - 1 if first > 0 and unit[-1] in stretch[first - 1].symbols else first


def _unit_end(stretch: Stretch, at: int) -> int:
    """Where the unit ends that goes on behind the chunk: the last that it begins, else the one that it stands in."""
    if at + 1 == len(stretch):
        return at
    unit = stretch[at + 1].scope
    if not unit or unit[-1] not in stretch[at].symbols:
        unit = stretch[at].scope
    last = at
    while unit and last + 1 < len(stretch) and _is_within(stretch[last + 1], unit):
        last += 1
    return last


def _is_within(chunk: Chunk, unit: tuple[str, ...]) -> bool:
    return chunk.scope[: len(unit)] == unit


def _is_near(one: Passage, other: Passage, gap: int) -> bool:
    return (
        one.hit.alias == other.hit.alias
        and one.stretch[0].id == other.stretch[0].id
        and one.first <= other.last + 1 + gap
        and other.first <= one.last + 1 + gap
    )


def _follows(left: Chunk, right: Chunk) -> bool:
    """Whether the right chunk begins where the left one ends: on the next line, or within the line that is cut."""
    return right.start_line == left.end_line + left.text.endswith("\n")


def _tokens(chunks: Sequence[Chunk]) -> int:
    return sum(chunk.tokens for chunk in chunks)

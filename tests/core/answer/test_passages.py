"""Which chunks are shown together, and what is completed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from askrepo.answer.passages import (
    BRIDGED_CHUNKS,
    COMPLETED_HITS,
    COMPLETION_SHARE,
    MAX_UNIT_TOKENS,
    Passage,
    Stretch,
    choose_passages,
    completed,
    passage_of,
    stretches,
)
from askrepo.types import Chunk, Hit

HEADING_TOKENS = 10


def chunk(
    at: int, *, path: str = "a.py", tokens: int = 100, scope: tuple[str, ...] = (), symbols: tuple[str, ...] = ()
) -> Chunk:
    """The chunk at a position of a file whose chunks are two lines each."""
    line = 2 * at + 1
    text = f"line {line}\nline {line + 1}\n"
    return Chunk(f"{path} {at}", "acme/app", path, "python", "source", symbols, scope, line, line + 1, tokens, text)


def file_of(chunks: int, path: str = "a.py") -> list[Chunk]:
    return [chunk(at, path=path) for at in range(chunks)]


def hits_of(*chunks: Chunk, alias: str = "main") -> list[Hit]:
    return [Hit(rank, 1 / rank, alias, "c" * 40, "", each) for rank, each in enumerate(chunks, start=1)]


def stored(*files: Sequence[Chunk]) -> Callable[[Hit], list[Stretch]]:
    by_path = {file[0].path: stretches(file) for file in files}
    return lambda hit: by_path[hit.chunk.path]


def tokens_of(passage: Passage) -> int:
    return HEADING_TOKENS + sum(each.tokens for each in passage.chunks)


def shown(hits: Sequence[Hit], *files: Sequence[Chunk], max_tokens: int = 100_000) -> list[tuple[str, list[int], int]]:
    """Path, positions of the chunks and rank of the best hit, per passage."""
    passages = choose_passages(hits, stretches_of=stored(*files), tokens_of=tokens_of, max_tokens=max_tokens)
    return [(each.hit.chunk.path, list(range(each.first, each.last + 1)), each.hit.rank) for each in passages]


def test_hits_that_follow_each_other_are_one_passage_at_the_place_of_the_better() -> None:
    a, b = file_of(9), file_of(9, "b.py")
    assert shown(hits_of(a[5], b[0], a[4], a[6]), a, b) == [("a.py", [4, 5, 6], 1), ("b.py", [0], 2)]


def test_a_hit_between_two_passages_makes_them_one() -> None:
    a, b = file_of(9 + 2 * BRIDGED_CHUNKS), file_of(1, "b.py")
    far = 2 * BRIDGED_CHUNKS + 2
    between = BRIDGED_CHUNKS + 1
    assert shown(hits_of(b[0], a[0], a[far], a[between]), a, b) == [
        ("b.py", [0], 1),
        ("a.py", list(range(far + 1)), 2),
    ]


def test_what_lies_between_two_hits_is_shown_when_it_is_little() -> None:
    file = file_of(20)
    near, far = BRIDGED_CHUNKS + 1, 2 * BRIDGED_CHUNKS + 3
    assert shown(hits_of(file[0], file[near], file[far]), file) == [
        ("a.py", list(range(near + 1)), 1),
        ("a.py", [far], 3),
    ]


def test_what_lies_between_is_left_out_where_only_the_hit_fits() -> None:
    file = file_of(5)
    assert shown(hits_of(file[0], file[2]), file, max_tokens=2 * (100 + HEADING_TOKENS)) == [
        ("a.py", [0], 1),
        ("a.py", [2], 2),
    ]


def test_a_chunk_is_shown_once() -> None:
    file = file_of(3)
    assert shown(hits_of(file[0], file[1], file[0], file[1]), file) == [("a.py", [0, 1], 1)]


def test_files_of_the_same_path_in_two_aliases_stay_apart() -> None:
    file = file_of(2)
    hits = [*hits_of(file[0]), *hits_of(file[1], alias="other")]
    assert shown(hits, file) == [("a.py", [0], 1), ("a.py", [1], 1)]


def test_a_smaller_hit_follows_where_a_larger_one_does_not_fit() -> None:
    files = [chunk(0), chunk(0, path="b.py", tokens=500), chunk(0, path="c.py")]
    found = shown(hits_of(*files), *([each] for each in files), max_tokens=300)
    assert [path for path, *_ in found] == ["a.py", "c.py"]


def test_files_of_hits_that_cannot_fit_are_not_read() -> None:
    read: list[str] = []

    def stretches_of(hit: Hit) -> list[Stretch]:
        read.append(hit.chunk.path)
        return [(hit.chunk,)]

    many = [chunk(0, path=f"{at}.py") for at in range(COMPLETED_HITS + 10)]
    choose_passages(hits_of(*many), stretches_of=stretches_of, tokens_of=tokens_of, max_tokens=120 * COMPLETED_HITS)
    assert len(set(read)) == COMPLETED_HITS


# a.py: a function in three chunks between two others, then a class of two methods
FUNCTION = [
    chunk(0, symbols=("before",)),
    chunk(1, symbols=("torn",)),
    chunk(2, scope=("torn",), symbols=("inner",)),
    chunk(3, scope=("torn", "inner")),
    chunk(4, symbols=("after", "Class")),
    chunk(5, scope=("Class",), symbols=("one",)),
    chunk(6, scope=("Class", "one"), symbols=("two",)),
]
# a document: a chapter's two chunks, its section, the next chapter
SECTIONS = [
    chunk(0, scope=("Title",)),
    chunk(1, scope=("Title", "Chapter")),
    chunk(2, scope=("Title", "Chapter")),
    chunk(3, scope=("Title", "Chapter", "Section")),
    chunk(4, scope=("Title", "Next")),
]


@pytest.mark.parametrize(
    ("file", "at", "expected"),
    [
        (FUNCTION, 0, (0, 0)),
        (FUNCTION, 1, (1, 3)),
        (FUNCTION, 2, (1, 3)),
        (FUNCTION, 3, (2, 3)),
        (FUNCTION, 4, (4, 6)),
        (FUNCTION, 6, (5, 6)),
        (SECTIONS, 1, (1, 3)),
        (SECTIONS, 2, (1, 3)),
        (SECTIONS, 4, (4, 4)),
        ([chunk(0), chunk(1)], 0, (0, 0)),
    ],
    ids=[
        "whole function", "its head", "its body", "inner function", "class begins", "method ends", "section begins",
        "section goes on", "next section", "no names",
    ],
)  # fmt: skip
def test_a_definition_or_section_is_completed_on_both_sides(
    file: list[Chunk], at: int, expected: tuple[int, int]
) -> None:
    (hit,) = hits_of(file[at])
    passage = completed(passage_of(hit, stretches(file)))
    assert (passage.first, passage.last) == expected


@pytest.mark.parametrize("at", [0, 1], ids=["its head", "its body"])
def test_a_large_definition_is_not_completed(at: int) -> None:
    large = MAX_UNIT_TOKENS // 2 + 1
    file = [chunk(0, symbols=("f",), tokens=large), chunk(1, scope=("f",), tokens=large)]
    assert shown(hits_of(file[at]), file) == [("a.py", [at], 1)]


def test_only_the_first_hits_are_completed() -> None:
    files = [
        [chunk(0, path=f"{at}.py", symbols=("f",)), chunk(1, path=f"{at}.py", scope=("f",))]
        for at in range(COMPLETED_HITS + 1)
    ]
    found = shown(hits_of(*(file[0] for file in files)), *files)
    assert [len(positions) for _, positions, _ in found] == [2] * COMPLETED_HITS + [1]


def test_completion_takes_its_share_of_the_budget_at_most() -> None:
    files = [
        [chunk(0, path=f"{at}.py", symbols=("f",)), chunk(1, path=f"{at}.py", scope=("f",))]
        for at in range(COMPLETED_HITS)
    ]
    found = shown(hits_of(*(file[0] for file in files)), *files, max_tokens=int(250 / COMPLETION_SHARE))
    assert sum(len(positions) - 1 for _, positions, _ in found) == 2


def test_completion_never_takes_the_place_of_the_hits_before_it() -> None:
    first = [chunk(0, symbols=("f",)), chunk(1, scope=("f",))]
    others = [[chunk(0, path=f"{at}.py")] for at in range(1, COMPLETED_HITS)]
    hits = hits_of(first[0], *(file[0] for file in others))
    found = shown(hits, first, *others, max_tokens=COMPLETED_HITS * (100 + HEADING_TOKENS))
    assert [rank for *_, rank in found] == list(range(1, COMPLETED_HITS + 1))


def test_parts_of_a_line_join_and_missing_lines_divide() -> None:
    def part(name: str, first: int, last: int, text: str) -> Chunk:
        return Chunk(name, "acme/app", "a.py", "", "source", (), (), first, last, 1, text)

    file = [part("1", 1, 2, "a\nb"), part("2", 2, 2, "b"), part("3", 2, 3, "b\nc\n"), part("4", 5, 5, "e\n")]
    assert [[each.id for each in stretch] for stretch in stretches(file)] == [["1", "2", "3"], ["4"]]
    assert stretches([]) == []


def test_a_hit_that_its_file_does_not_have_stands_alone() -> None:
    (hit,) = hits_of(chunk(7))
    assert passage_of(hit, stretches(file_of(3))).chunks == (hit.chunk,)

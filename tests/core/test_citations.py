from __future__ import annotations

import pytest

from askrepo.citations import CitationResolver, Cited
from askrepo.types import Citation

SOURCES = [
    Cited(number, Citation("acme/app", "c" * 40, f"src/file{number}.py", 1, 20), f"https://example.org/{number}")
    for number in (1, 2, 3)
]
STORED = Cited(None, Citation("acme/app", "c" * 40, "src/app.py", 12, 30), "https://example.org/lines")


def look_up(path: str, start: int, end: int) -> Cited | None:
    return STORED if (path, start, end) == ("src/app.py", 12, 30) else None


def resolve(*pieces: str) -> tuple[str, CitationResolver]:
    resolver = CitationResolver(SOURCES, look_up)
    return "".join(resolver.resolve(pieces)), resolver


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("It starts here [3].", "It starts here [3]."),
        ("Nowhere [9].", "Nowhere [9: unresolved]."),
        ("Zero [0].", "Zero [0: unresolved]."),
        ("Both [1, 2].", "Both [1][2]."),
        ("One of them [1; 9].", "One of them [1][9: unresolved]."),
        ("All [1-3].", "All [1][2][3]."),
        ("All [1\u20133].", "All [1][2][3]."),
        ("A year [1990-2026].", "A year [1990-2026: unresolved]."),
        ("Named [source 2].", "Named [2]."),
        ("Other brackets 【2†source】 and 【7】.", "Other brackets [2] and [7: unresolved]."),
        ("Text [see below], [a], [ ] and [x](y).", "Text [see below], [a], [ ] and [x](y)."),
        ("Adjacent[1][2]!", "Adjacent[1][2]!"),
        ("An index `argv[9]` is no citation.", "An index `argv[9]` is no citation."),
        ("A quoted citation `[9]` is one.", "A quoted citation `[9: unresolved]` is one."),
        ("```python\nx = [7, 8]\n```\nand [1]", "```python\nx = [7, 8]\n```\nand [1]"),
        ("unclosed [1", "unclosed [1"),
    ],
)
def test_numbers_resolve_to_sources_or_are_marked(written: str, printed: str) -> None:
    assert resolve(written)[0] == printed


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("See src/app.py:12-30.", "See src/app.py:12-30."),
        ("See `src/app.py:12-30`.", "See `src/app.py:12-30`."),
        ("See src/app.py:L12-L30.", "See src/app.py:L12-L30."),
        ("See src/app.py:12-99.", "See src/app.py:12-99 (unverified)."),
        ("See gone.py:7,", "See gone.py:7 (unverified),"),
        ("At 12:30 on localhost:8080 or 127.0.0.1:8080", "At 12:30 on localhost:8080 or 127.0.0.1:8080"),
        ("http://example.org:8080/a", "http://example.org:8080/a"),
    ],
)
def test_lines_named_by_path_are_looked_up_in_the_dataset(written: str, printed: str) -> None:
    assert resolve(written)[0] == printed


@pytest.mark.parametrize(
    "text",
    [
        "It starts [1, 2] in src/app.py:12-30 (not a.py:3) [9], see [source 3].\n\n```\nx[9] `y`\n```\nEnd [12",
        "【3†source】 and 【9】 " + "word " * 50 + "[1]",
    ],
)
def test_text_is_resolved_alike_however_it_is_cut_into_pieces(text: str) -> None:
    whole, resolver = resolve(text)
    for size in (1, 2, 3, 7):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        assert resolve(*pieces) == (whole, resolver)


def test_text_is_passed_on_as_soon_as_no_citation_can_be_in_it() -> None:
    pieces = iter(CitationResolver(SOURCES, look_up).resolve(["Hello wor", "ld, see [", "1", "] and"]))
    assert [next(pieces), next(pieces), next(pieces)] == ["Hello ", "world, see ", "[1] "]


def test_a_word_without_end_is_not_held_back_for_ever() -> None:
    pieces = CitationResolver(SOURCES, look_up).resolve("x" * 100 for _ in range(100))
    assert len(next(pieces)) < 5000


def test_cited_and_unresolved_are_listed_once_in_order() -> None:
    _, resolver = resolve("[2] [9] [1] [2] src/app.py:12-30 x.py:1 [9]")
    assert [cited.number for cited in resolver.cited] == [2, 1, None]
    assert resolver.unresolved == ["[9]", "x.py:1"]

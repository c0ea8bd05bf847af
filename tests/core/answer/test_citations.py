from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from askrepo.answer.citations import CitationResolver, Cited
from askrepo.types import Citation
from tests.core.spellings import BOGUS, CONTEXTS, INNOCENT
from tests.growth import is_linear

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


COMMIT = "c0ffee0123" + "4" * 30
PERMALINK = f"https://github.com/acme/app/blob/{COMMIT}/"
KNOWN = [
    Cited(number, Citation("acme/app", COMMIT, f"src/file{number}.py", 1, 20), f"{PERMALINK}src/file{number}.py#L1-L20")
    for number in (1, 2, 3)
]


def look_up_known(path: str, start: int, end: int) -> Cited | None:
    """README.md, Makefile and src/app.py have 40 lines."""
    path = path.removeprefix("acme/app/").removeprefix(f"acme/app@{COMMIT[:10]}/")
    if path not in {"README.md", "Makefile", "src/app.py"} or not 1 <= start <= end <= 40:
        return None
    lines = f"L{start}" if start == end else f"L{start}-L{end}"
    return Cited(None, Citation("acme/app", COMMIT, path, start, end), f"{PERMALINK}{path}#{lines}")


def resolve_known(*pieces: str) -> tuple[str, CitationResolver]:
    resolver = CitationResolver(KNOWN, look_up_known)
    return "".join(resolver.resolve(pieces)), resolver


def in_contexts(spelling: str) -> list[str]:
    return [context.format(spelling) for context in CONTEXTS]


@pytest.mark.parametrize("kind", BOGUS)
def test_whatever_reads_as_a_citation_and_names_nothing_is_marked(kind: str) -> None:
    texts = [text for spelling in BOGUS[kind] for text in in_contexts(spelling)]
    shown = [resolve_known(text)[0] for text in texts]
    assert [
        text for text, seen in zip(texts, shown, strict=True) if not re.search(r"unresolved\]|unverified", seen)
    ] == []


@pytest.mark.parametrize("kind", INNOCENT)
def test_what_only_looks_like_a_citation_stays_as_it_is(kind: str) -> None:
    texts = [text for spelling in INNOCENT[kind] for text in in_contexts(spelling)]
    assert [(text, shown) for text in texts if (shown := resolve_known(text)[0]) != text] == []


@pytest.mark.parametrize("kind", [*BOGUS, *INNOCENT])
def test_every_cut_into_pieces_shows_the_same(kind: str) -> None:
    """Every cut in two of the first spellings of a kind; of the others a few, and one in three."""
    cuts = random.Random(11)
    for number, spelling in enumerate({**BOGUS, **INNOCENT}[kind]):
        text = cuts.choice(CONTEXTS).format(spelling)
        whole, resolver = resolve_known(text)
        at = range(1, len(text)) if number < 6 and len(text) < 60 else cuts.choices(range(len(text)), k=3)
        three = sorted(cuts.choices(range(len(text)), k=2))
        pieces = [*((text[:cut], text[cut:]) for cut in at), (text[: three[0]], text[slice(*three)], text[three[1] :])]
        assert {resolve_known(*cut)[0] for cut in pieces} == {whole}
        assert resolve_known(*text) == (whole, resolver)


def test_as_many_spellings_are_tried_as_it_takes_to_speak_of_percents() -> None:
    assert min(sum(map(len, BOGUS.values())), sum(map(len, INNOCENT.values()))) >= 150


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("evil/repo@0123456789 README.md:1-2", "evil/repo@0123456789 (unverified) README.md:1-2 (unverified)"),
        ("acme/app@c0ffee0123 README.md:1-2.", "acme/app@c0ffee0123 README.md:1-2."),
        ("README.md:1-2 (0123456789)", "README.md:1-2 (0123456789 (unverified))"),
        ("[1](https://evil.example/x)", "[1: unresolved] (unverified link: https://evil.example/x)"),
        ("![a](https://evil.example/x)", "![a] (unverified link: https://evil.example/x)"),
        ("[a](https://evil.example/x)", "[a] (unverified link: https://evil.example/x)"),
        ("[a]: https://evil.example/x", "[a] (unverified link): https://evil.example/x"),
        (f"[2]({KNOWN[1].url})", f"[2]({KNOWN[1].url})"),
        (f"[2]({KNOWN[0].url})", f"[2: unresolved] (unverified link: {KNOWN[0].url})"),
        ("<https://evil.example>", r"(unverified) \<https://evil.example>"),
        (f"<{KNOWN[0].url}>", f"<{KNOWN[0].url}>"),
        ('<a href="https://evil.example">1</a>', r'(unverified) \<a href="https://evil.example">1</a>'),
        ("<img src=x onerror=y>", r"(unverified) \<img src=x onerror=y>"),
        ("[1 and 99]", "[1][99: unresolved]"),
        ("[^99] and 【1】", "[99: unresolved] and [1]"),
        ("`a[99]` and `[99]`", "`a[99]` and `[99: unresolved]`"),
        ("\nSources\n[1] gone.py:3\n", "\nSources (unverified)\n[1] gone.py:3 (unverified)\n"),
        ("\nSources read, none of them cited\n[1] x\n", "\nSources read, none of them cited (unverified)\n[1] x\n"),
        ("\nNone of the sources read says so.\n", "\nNone of the sources read says so.\n"),
        ("```\nx[9] [9]\n", "```\nx[9] [9]\n\n(in the unclosed code block: [9: unresolved])"),
    ],
)
def test_what_is_marked_can_still_be_read(written: str, shown: str) -> None:
    assert resolve_known(written)[0] == shown


@pytest.mark.parametrize(
    "written",
    [
        "[x](https://evil.example)",
        "[![1](https://evil.example)](https://evil.example)",
        "[a b\nc](https://evil.example)",
        "![](<https://evil.example>)",
        "[x]( javascript:alert(1))",
        "[x](//evil.example)",
        "[x](" + " " * 30 + "https://evil.example)",
        "[" + "long " * 200 + "](https://evil.example)",
        "[x](https://evil.example/" + "y" * 5000 + ")",
        f"[x]({KNOWN[0].url}.evil.example)",
        f"[x](https://evil.example/?{KNOWN[0].url})",
        "[x]: https://evil.example\n",
        "[x]:\n<https://evil.example>\n",
        "<https://evil.example>",
        "<A\nHREF=https://evil.example>x</A>",
        "<svg/onload=alert(1)>",
    ],
)
def test_no_link_leads_anywhere_but_to_stored_lines(written: str) -> None:
    shown, _ = resolve_known(written)
    active = r"\]\(\s*<?(?:[a-z]+:|//)|(?m:^)\s*\[[^\]]+\]:\s*<?[a-z]+:|(?<!\\)<(?:https?:|a\s|svg)"
    assert re.search(active, shown, re.IGNORECASE) is None


@pytest.mark.parametrize(
    "unit", ["[", "[ ", "`", "` ", "`a ", "[1,", "a/", "f.py, ", "f.py line ", "](", "<a ", "(source ", "¹", "日a", "#"]
)
def test_hostile_text_is_read_in_linear_time_and_not_held_back(unit: str) -> None:
    assert max(held_back(unit, 60)) < 3000
    assert is_linear(lambda pieces: list(held_back(unit, pieces)), 240)


def held_back(unit: str, count: int) -> Iterator[int]:
    """Characters that were given and not shown yet, after each of so many pieces of 100 characters."""
    resolver = CitationResolver(KNOWN, look_up_known)
    fed = shown = 0

    def pieces() -> Iterator[str]:
        nonlocal fed
        for _ in range(count):
            fed += 100
            yield (unit * 100)[:100]

    for piece in resolver.resolve(pieces()):
        shown += len(piece)
        yield fed - shown


def test_a_path_with_its_name_in_a_script_without_spaces_is_found_whole() -> None:
    stored = Cited(None, Citation("acme/app", COMMIT, "docs/説明readme.md", 3, 3), "")
    resolver = CitationResolver(KNOWN, lambda path, start, end: stored if path == "docs/説明readme.md" else None)
    assert "".join(resolver.resolve(["See docs/説明readme.md:3."])) == "See docs/説明readme.md:3."


def test_lines_of_a_table_that_are_stored_stay_and_count_as_cited() -> None:
    shown, resolver = resolve("| File | Lines |\n|---|---|\n| src/app.py | 12-30 |\n")
    assert shown.endswith("| src/app.py | 12-30 |\n")
    assert resolver.cited == [STORED]


@pytest.mark.parametrize("form", ["README.md:{}", "README.md, lines {}", "README.md#L{}", "lines {} of README.md"])
def test_a_list_of_lines_too_long_to_be_read_whole_names_none(form: str) -> None:
    short, long = (form.format(", ".join(map(str, range(1, count)))) for count in (11, 31))
    assert resolve_known(short)[0] == short
    assert "(unverified)" in resolve_known(long)[0]


@pytest.mark.parametrize("written", ["lines 3-4, 2024-report.md", "lines 3, 4 of 1.md", "lines 3-4, 5/a.py"])
def test_a_path_that_begins_with_digits_is_no_line(written: str) -> None:
    assert resolve_known(written)[0] == f"{written} (unverified)"

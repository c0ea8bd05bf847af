"""TQL text is built in one place, and no value can leave its quotes there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askrepo.errors import UsageError
from askrepo.files.globs import matches
from askrepo.store import tql


@pytest.mark.parametrize(
    ("text", "literal"),
    [("plain", "'plain'"), ("o'clock", "'o''clock'"), ("back\\slash", "'back\\slash'"), ("'; --", "'''; --'")],
)
def test_only_quotes_are_doubled(text, literal):
    assert tql.text_literal(text) == literal


@pytest.mark.parametrize("text", ["a\0b", "half \ud800 pair"], ids=["NUL", "surrogate"])
def test_text_that_no_literal_can_hold_is_refused(text):
    assert not tql.is_storable(text)
    with pytest.raises(UsageError, match=r"NUL|Unicode"):
        tql.text_literal(text)


def test_numbers_survive_exactly():
    assert tql.vector_literal([0.1, -1e-20, 3]) == "ARRAY[0.1,-1e-20,3.0]"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_vectors_must_be_finite(value):
    with pytest.raises(UsageError, match="finite"):
        tql.vector_literal([1.0, value])


def test_terms_lose_what_a_literal_cannot_hold():
    assert tql.plain_terms(["a\0b", " ", "\ud800c", "d"]) == "a b c d"


@pytest.mark.parametrize(
    ("pattern", "like"),
    [
        ("src/main.py", "src/main.py"),
        ("src/*.py", "src/%.py"),
        ("**/test_*.py", "%test_%.py"),
        ("a?[bc]%d\\e", "a%d%e"),
        ("[ab]/[cd]x[", "%x%"),
        ("*", "%"),
        ("a_b", "a_b"),
        ("app/(shop)/*", "app/%shop%/%"),
        ("c++/a{2}|$x", "c%/a%2%x"),
    ],
)
def test_globs_become_wider_like_patterns(pattern, like):
    assert tql.glob_to_like(pattern) == like


def like_matches(text: str, like: str) -> bool:
    """LIKE with `%` as its only wildcard, as our patterns use it."""
    first, *rest = like.split("%")
    if not rest:
        return text == like
    if not text.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(rest[-1]) and text.endswith(rest[-1])


CHARACTERS = st.sampled_from("ab/[]!%_-\n")


@st.composite
def paths_with_globs(draw: st.DrawFn) -> tuple[str, str]:
    """A path, and a glob made from it by putting wildcards in the place of characters."""
    path = draw(st.text(CHARACTERS, min_size=1, max_size=8))
    wild = (draw(st.sampled_from([character, character, "?", "*", f"[{character}x]", "[!q]"])) for character in path)
    return path, draw(st.sampled_from(["", "**/", "*"])) + "".join(wild)


@settings(max_examples=500)
@given(paths_with_globs() | st.tuples(st.text(CHARACTERS, min_size=1), st.text("ab*?[]!^%", max_size=8)))
def test_the_like_pattern_never_loses_a_match(example):
    path, pattern = example
    if matches(path, pattern):
        assert like_matches(path, tql.glob_to_like(pattern))


def test_alternatives_of_which_one_may_be_anything_do_not_restrict():
    assert tql.like_any("path", ["docs/*", "*"]) == ""


def test_conditions_are_joined():
    conditions = [
        tql.equals("repository", "it's"),
        "",
        tql.any_of("kind", ["doc", "test"]),
        tql.like_any("path", ["a*"]),
    ]

    assert tql.where(conditions) == " WHERE repository = 'it''s' AND kind IN ('doc', 'test') AND (path LIKE 'a%')"
    assert tql.where(["", ""]) == ""


def test_a_word_that_a_column_must_have_is_quoted():
    assert tql.contains("symbols", "it's") == "CONTAINS(symbols, 'it''s')"


@pytest.mark.parametrize("text", ["", " ", "?", "<=>", "\N{BENGALI CURRENCY NUMERATOR ONE}"])
def test_what_is_no_word_is_in_no_column(text):
    assert tql.contains("symbols", text) == "FALSE"


def test_a_pattern_too_long_for_the_store_is_left_to_the_exact_test():
    assert tql.glob_to_like("*".join("o" * 2000)) == "%"
    assert tql.like_any("path", ["*".join("o" * 2000), "*.py"]) == ""

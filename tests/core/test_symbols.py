"""Names that chunks define, language by language."""

from __future__ import annotations

import pytest

from askrepo.rows import Rows
from askrepo.split import split_text
from askrepo.symbols import definitions, scopes
from askrepo.syntax import read_tree
from tests.core.snippets import SNIPPETS, Snippet

by_language = pytest.mark.parametrize("snippet", SNIPPETS, ids=[snippet.language for snippet in SNIPPETS])


@by_language
def test_defined_names_are_found_and_mentioned_ones_are_not(snippet: Snippet) -> None:
    spans = split_text(snippet.source, path="file", language=snippet.language)
    names = {name for span in spans for name in span.symbols}
    assert snippet.symbols - names == set()
    assert names & snippet.not_symbols == set()


@by_language
def test_scope_names_what_encloses_the_last_line(snippet: Snippet) -> None:
    source = snippet.source.encode()
    rows = Rows.of(source)
    found = definitions(source, snippet.language, read_tree(source, snippet.language, rows.starts))
    last = max(row for row, blank in enumerate(rows.blank) if not blank)
    assert scopes(found, [rows.starts[last]]) == [snippet.scope]


def test_name_belongs_to_the_chunk_where_it_stands() -> None:
    body = "".join(f"    value_{number} = compute({number})\n" for number in range(60))
    text = (
        f"class Big:\n    def first(self):\n{body.replace('    ', '        ')}\n    def second(self):\n        pass\n"
    )
    spans = split_text(text, path="big.py", language="python")
    homes = {name: index for index, span in enumerate(spans) for name in span.symbols}
    assert homes["Big"] == homes["first"] == 0
    assert homes["second"] == len(spans) - 1
    assert spans[1].scope == ("Big", "first")


def test_names_are_single_words() -> None:
    text = 'const x = {"a b": function () {}};\nclass A { operator bool() const; };\n' * 3
    for language in ("javascript", "cpp"):
        for span in split_text(text, path="x", language=language):
            assert all(name and not any(letter.isspace() for letter in name) for name in span.symbols)


def test_text_defines_nothing() -> None:
    (span,) = split_text("class of 1999\nfunction follows form\n", path="notes.txt", language="text")
    assert span.symbols == ()

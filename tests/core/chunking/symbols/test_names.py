"""Names that chunks define, language by language."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from askrepo.chunking.rows import TextRows
from askrepo.chunking.spans import split_text
from askrepo.chunking.symbols.c_functions import with_top_functions
from askrepo.chunking.symbols.names import definitions, scopes
from askrepo.chunking.syntax import read_tree
from tests.core.snippets import SNIPPETS, Snippet
from tests.growth import is_linear

by_language = pytest.mark.parametrize(
    "snippet", SNIPPETS, ids=[f"{snippet.language}-{number}" for number, snippet in enumerate(SNIPPETS)]
)


@by_language
def test_defined_names_are_found_and_mentioned_ones_are_not(snippet: Snippet) -> None:
    spans = split_text(snippet.source, path="file", language=snippet.language)
    names = {name for span in spans for name in span.symbols}
    assert snippet.symbols - names == set()
    assert names & snippet.not_symbols == set()


@by_language
def test_scope_names_what_encloses_the_last_line(snippet: Snippet) -> None:
    source = snippet.source.encode()
    rows = TextRows.of(source)
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


LONG = {
    "javascript": ("res.send = function send(body) {{\n{body}}};\n", "  values.push(compute({0}));\n", ("res", "send")),
    "go": ("func (s *Store) Load() {{\n{body}}}\n", "\tvalues = append(values, compute({0}))\n", ("Store", "Load")),
    "cpp": ("void Store<T>::load() {{\n{body}}}\n", "  values.push_back(compute({0}));\n", ("Store", "load")),
    "rust": (
        "impl Read for Store {{\nfn load(&self) {{\n{body}}}\n}}\n",
        "  self.push({0}, compute());\n",
        ("Store", "load"),
    ),
    "ruby": ("define_method(:load) do\n{body}end\n", "  values << compute({0})\n", ("load",)),
    "lua": ("function M.store:load()\n{body}end\n", "  self.values[{0}] = compute()\n", ("store", "load")),
    "elixir": ("defimpl Access, for: Store do\n{body}end\n", "  def fetch(store, {0}), do: store\n", ("Access",)),
    "swift": (
        "extension Store {{\nfunc load() {{\n{body}}}\n}}\n",
        "  values.append(compute({0}))\n",
        ("Store", "load"),
    ),
    "yaml": ("jobs:\n  test:\n    steps:\n{body}", "      - run: compute --number {0}\n", ("jobs", "test")),
    "toml": ("[tool.load]\nvalues = [\n{body}]\n", "  {0},  # the value of the compute step\n", ("tool.load",)),
}


@pytest.mark.parametrize("language", LONG)
def test_later_pieces_of_a_definition_have_its_names_in_scope(language: str) -> None:
    head, line, scope = LONG[language]
    text = head.format(body="".join(line.format(number) for number in range(100, 180)))
    first, *pieces = split_text(text, path="x", language=language)
    assert len(pieces) > 1
    assert first.scope == ()
    assert {piece.scope for piece in pieces} == {scope}


def test_broken_source_still_names_what_it_defines() -> None:
    text = "class First {\n  void run(\n}}}} ((((\n\npublic final class Second {\n  type of thing <<<<\n\n" * 2
    names = {name for span in split_text(text, path="x.java", language="java") for name in span.symbols}
    assert "Second" in names
    assert names.isdisjoint({"of", "thing"})


# Language → source that goes on for so many lines.
NESTED: dict[str, tuple[Callable[[int], str], ...]] = {
    "javascript": (
        lambda lines: "x = {a:\n" * lines + "1" + "}" * (lines - 1),
        lambda lines: "a.b =\n" * lines + "function () {};\n",
    ),
    "typescript": (lambda lines: "namespace a {\n" * lines,),
    "python": (lambda lines: "if x:\n" + "".join(f"{' ' * (n % 90 + 1)}if y: a = b = 1\n" for n in range(lines)),),
    "rust": (lambda lines: "m! {\n" * lines + "fn x() {}\n" + "}\n" * lines,),
    "cpp": (lambda lines: "void f() { int g(int);\n" * lines,),
    "elixir": (lambda lines: "@type " + "a ::\n" * lines + "b\n",),
    "haskell": (lambda lines: "data T = " + " | ".join(f"C{number} {{ f :: Int }}\n" for number in range(lines)),),
    "ruby": (lambda lines: "module A\n" * lines,),
    "lua": (lambda lines: "f = { g =\n" * lines,),
    "yaml": (lambda lines: "".join(f"{' ' * (depth % 390)}k:\n" for depth in range(lines)),),
    "html": (lambda lines: "<h1>\n" * lines + "<h1" * lines,),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language, texts in NESTED.items() for text in texts]
)
def test_hostile_nesting_is_named_in_linear_time(language: str, text: Callable[[int], str]) -> None:
    assert is_linear(lambda lines: split_text(text(lines), path="x", language=language), 16_000)


BRANCHES = """\
int print(int flags) {
#ifdef BIG
  if (flags) {
#else
  if (!flags) {
#endif
    flags++;
  }
  return flags;
}

static char *dump(int x,
                  int flags) {
  if (x) { return 0; }
  return show(flags);
}

int last(void)
{
  return 1;
}
"""


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_a_function_behind_braces_that_do_not_match_is_its_own(language: str) -> None:
    source = BRANCHES.encode()
    found = definitions(source, language, read_tree(source, language, TextRows.of(source).starts))
    assert [item.name for item in found if item.is_symbol] == ["print", "dump", "last"]
    assert scopes(found, [source.index(b"return show"), source.index(b"return 1")]) == [("dump",), ("last",)]


@pytest.mark.parametrize("unit", ["a ", "a(", "a*", "int a(", "a b(c)\n"])
def test_hostile_heads_of_functions_take_no_longer(unit: str) -> None:
    assert is_linear(lambda times: with_top_functions([], unit.encode() * times), 40_000)


def test_names_are_single_words() -> None:
    text = 'const x = {"a b": function () {}};\nclass A { operator bool() const; };\n' * 3
    for language in ("javascript", "cpp"):
        for span in split_text(text, path="x", language=language):
            assert all(name and not any(letter.isspace() for letter in name) for name in span.symbols)


def test_text_defines_nothing() -> None:
    (span,) = split_text("class of 1999\nfunction follows form\n", path="notes.txt", language="text")
    assert span.symbols == ()

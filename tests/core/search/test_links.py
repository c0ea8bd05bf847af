# ruff: noqa: E501 (a file is one line here)
from __future__ import annotations

import pytest

from askrepo.aliases.readers import AliasReader
from askrepo.search.lines import definition_line, use_lines
from askrepo.search.links import LOOKED_AT, MAX_LINKS, Links, first_links, links_of
from askrepo.text.terms import query_terms
from askrepo.types import Chunk, Hit
from tests.datasets import build_alias

REPOSITORIES = {
    "python": {
        "stamps/price.py": "from stamps.table import PRICES\n\n\ndef price_of(country):\n    return PRICES[country]\n",
        "stamps/table.py": "PRICES = {}\n",
        "stamps/letter.py": "from stamps.price import price_of\n\n\ndef send(letter):\n    price_of(letter.country)\n",
        "tests/test_price.py": "from stamps.price import price_of\n\n\ndef test_price():\n    assert price_of('at') == 1\n",
    },
    "go": {
        "price.go": "package stamps\n\n// PriceOf tells.\nfunc PriceOf(country string) int {\n\treturn newTable().at(country)\n}\n",
        "table.go": "package stamps\n\nfunc newTable() *Table { return nil }\n",
        "letter.go": "package stamps\n\nfunc Send(l Letter) {\n\tPriceOf(l.Country)\n}\n",
        "price_test.go": 'package stamps\n\nfunc TestPrice(t *testing.T) {\n\tPriceOf("at")\n}\n',
    },
    "typescript": {
        "src/price.ts": "import { readTable } from './table'\n\nexport function priceOf(c: string) {\n  return readTable()[c]\n}\n",
        "src/table.ts": "export const readTable = () => ({})\n",
        "src/letter.ts": "import { priceOf } from './price'\n\nexport class Letter {\n  cost() { return priceOf('at') }\n}\n",
        "src/price.spec.ts": "import { priceOf } from './price'\n\ntest('price', () => { priceOf('at') })\n",
    },
    "java": {
        "src/main/java/Price.java": "class Price {\n  int priceOf(String c) {\n    return new PriceTable().at(c);\n  }\n}\n",
        "src/main/java/PriceTable.java": "class PriceTable {\n  int at(String c) { return 1; }\n}\n",
        "src/main/java/Letter.java": "class Letter {\n  int cost() {\n    return price.priceOf(country);\n  }\n}\n",
        "src/test/java/PriceTest.java": 'class PriceTest {\n  void cheap() {\n    price.priceOf("at");\n  }\n}\n',
    },
    "rust": {
        "src/price.rs": "use crate::table::read_table;\n\npub fn price_of(c: &str) -> u32 {\n    read_table()[c]\n}\n",
        "src/table.rs": "pub fn read_table() -> Table {\n    todo!()\n}\n",
        "src/letter.rs": "use crate::price::price_of;\n\npub fn send(l: Letter) {\n    price_of(&l.country);\n}\n",
        "tests/price.rs": 'use stamps::price::price_of;\n\n#[test]\nfn cheap() {\n    price_of("at");\n}\n',
    },
    "ruby": {
        "lib/price.rb": "require 'table'\n\nclass Price\n  def price_of(country)\n    PriceTable.new.at(country)\n  end\nend\n",
        "lib/table.rb": "class PriceTable\n  def at(country)\n    1\n  end\nend\n",
        "lib/letter.rb": "class Letter\n  def cost\n    @price.price_of(country)\n  end\nend\n",
        "spec/price_spec.rb": "describe Price do\n  it { price_of('at') }\nend\n",
    },
}  # fmt: skip
OTHERS = {
    "words": {
        "a.py": "class Alpha:\n    def run(self):\n        return 1\n\n\ndef lone(job):\n    return job\n",
        "b.py": "def main(job):\n    # run and lone are words of plain language\n    job.run()\n    return lone(job)\n",
        "c.py": "def start(run):\n    return run\n\n\ndef same_name():\n    ...\n",
        **{f"many{n}.py": f"def handle_it():\n    return {n}\n" for n in range(5)},
        "calls.py": "def call():\n    handle_it()\n",
        "CHANGELOG.md": "# Changes\n\n- `lone(job)` came\n",
        "docs/page.md": "# Jobs\n\nCall `lone(job)` or `Alpha.run`, and do not run alone.\n",
    },
    "mixed": {
        "cache.rb": "# Copyright 2020 Cache authors\nclass Cache\n  def put(key)\n    Pool.new(key)\n  end\nend\n",
        "pool.py": "class Pool:\n    pass\n",
        "size.rb": "# Copyright (c) 2021 Cache\nclass Size\n  # Licensed under the terms of Cache\nend\n",
        "hold.rb": "class Hold\n  def run\n    Cache.new\n  end\nend\n",
        "keep.py": "def keep():\n    return Cache()\n",
        "docs/de.md": "# Der Speicher\n\nDer Cache wird geleert.\n",
        "docs/en.md": "# Caching\n\nCall `Cache.put` with a key.\n",
        "types.d.ts": "export interface Config {\n  a: TheMethod;\n}\n" + "// a comment\n" * 190 + "export type TheMethod = 'get';\n",
        "types.d.cts": "export interface Config {\n  a: TheMethod;\n}\n" + "// a comment\n" * 190 + "export type TheMethod = 'get';\n",
    },
}  # fmt: skip
# Path of the definition; line and path of what uses it, of its test, and of what it uses.
EXPECTED = {
    "python": ("stamps/price.py", 4, ("stamps/letter.py", 5, "send"), "tests/test_price.py", ("stamps/table.py", 1)),
    "go": ("price.go", 4, ("letter.go", 4, "Send"), "price_test.go", ("table.go", 3)),
    "typescript": ("src/price.ts", 3, ("src/letter.ts", 4, "cost"), "src/price.spec.ts", ("src/table.ts", 1)),
    "java": ("src/main/java/Price.java", 2, ("src/main/java/Letter.java", 3, "cost"), "src/test/java/PriceTest.java",
             ("src/main/java/PriceTable.java", 1)),
    "rust": ("src/price.rs", 3, ("src/letter.rs", 4, "send"), "tests/price.rs", ("src/table.rs", 1)),
    "ruby": ("lib/price.rb", 4, ("lib/letter.rb", 3, "cost"), "spec/price_spec.rb", ("lib/table.rb", 1)),
}  # fmt: skip


@pytest.fixture(scope="module")
def readers(tmp_path_factory) -> dict[str, AliasReader]:
    """An alias for each language."""
    root = tmp_path_factory.mktemp("links")
    alias = build_alias(root / "python", REPOSITORIES["python"], alias="python")
    built = {"python": alias.reader}
    for name, files in {**REPOSITORIES, **OTHERS}.items():
        if name not in built:
            built[name] = build_alias(root / name, files, alias=name, workspace=alias.workspace).reader
    return built


def hit(reader: AliasReader, path: str, *, rank: int = 1) -> Hit:
    (snapshot,) = reader.entry.manifest.snapshots
    chunk = reader.dataset.file_chunks(snapshot.name, path)[0]
    return Hit(rank, 1.0, reader.alias, snapshot.commit, "", chunk)


def links(reader: AliasReader, path: str, question: str = "price_of priceOf") -> Links:
    (found,) = links_of([hit(reader, path)], reader=reader, terms=frozenset(query_terms(question)))
    return found


@pytest.mark.parametrize("language", REPOSITORIES)
def test_a_hit_leads_to_what_uses_it_and_what_it_uses(readers, language):
    path, line, user, test, used = EXPECTED[language]
    found = links(readers[language], path)
    assert [(each.path, each.line) for each in found.definition] == [(path, line)]
    assert (found.used_by[0].path, found.used_by[0].line, found.used_by[0].symbol) == user
    assert [each.path for each in found.used_by] == [user[0], test]
    assert used in [(each.path, each.line) for each in found.uses]


@pytest.mark.parametrize("language", REPOSITORIES)
def test_links_of_a_dataset_too_large_for_a_table_of_names_are_the_same(readers, language, monkeypatch):
    path = EXPECTED[language][0]
    tabled = links(readers[language], path)
    monkeypatch.setattr("askrepo.store.reader._MAX_TABLED", 0)
    assert links(readers[language], path) == tabled


def test_a_word_of_plain_language_is_used_where_it_is_called_only(readers):
    assert [(each.path, each.line) for each in links(readers["words"], "a.py", "lone").used_by] == [
        ("b.py", 4), ("docs/page.md", 3)
    ]  # fmt: skip


def test_a_copyright_another_language_and_a_word_of_prose_use_nothing(readers):
    found = links(readers["mixed"], "cache.rb", "Cache")
    assert {each.path for each in found.used_by} == {"hold.rb", "docs/en.md"}
    assert found.uses == ()


def test_what_a_file_defines_itself_it_uses_from_there(readers):
    assert {each.path for each in links(readers["mixed"], "types.d.ts", "Config").uses} == {"types.d.ts"}


def test_a_name_with_many_definitions_has_no_users(readers):
    found = links(readers["words"], "many0.py", "handle")
    assert [each.path for each in found.definition] == ["many0.py"]
    assert found.used_by == ()
    assert links(readers["words"], "calls.py").uses == ()


def test_a_page_leads_to_the_names_in_code_font(readers):
    found = links(readers["words"], "docs/page.md")
    assert (found.definition, found.used_by) == ((), ())
    assert [(each.path, each.symbol) for each in found.uses] == [("a.py", "Alpha")]


def test_first_hits_have_links_each_from_its_own_alias(readers):
    hits = [
        hit(readers["python"], "stamps/price.py"),
        hit(readers["go"], "price.go", rank=2),
        hit(readers["python"], "stamps/letter.py", rank=3),
        hit(readers["go"], "letter.go", rank=4),
    ]
    found = first_links(hits, readers=[readers["go"], readers["python"]])
    assert [each.definition[0].path for each in found] == ["stamps/price.py", "price.go", "stamps/letter.py"]
    assert first_links([], readers=[readers["go"]]) == []


def test_users_in_source_are_found_though_tests_say_the_name_more_often(tmp_path):
    tests = {f"tests/test_{n}.py": "from home import the_name\n\nthe_name(the_name())\n" for n in range(LOOKED_AT + 5)}
    files = {"home.py": "def the_name():\n    ...\n", "user.py": "def use():\n    return 1, 2, the_name()\n", **tests}
    reader = build_alias(tmp_path, files).reader
    assert links(reader, "home.py").used_by[0].path == "user.py"


def test_links_are_few(readers, tmp_path):
    files = {f"user{n}.py": "from home import the_name\n\nthe_name()\n" for n in range(9)}
    reader = build_alias(tmp_path, {"home.py": "def the_name():\n    ...\n", **files}).reader
    assert len(links(reader, "home.py").used_by) == MAX_LINKS


CHUNK = Chunk(
    "0" * 32, "o/n", "a.py", "python", "source", ("run",), (), 10, 15, 1,
    "# run: a comment\nx = outrun(1)\n\ndef run(n):\n    '''run'''\n    return x.run(n)\n",
)  # fmt: skip


def test_the_line_of_a_definition_is_that_which_defines():
    assert definition_line(CHUNK, "run") == 13
    assert definition_line(CHUNK, "missing") is None


def test_a_use_in_code_comes_before_one_in_a_comment():
    assert list(use_lines(CHUNK, "run")) == [13, 15]

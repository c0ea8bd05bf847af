from __future__ import annotations

import pytest

from askrepo.search.outline import lead_of, outline
from askrepo.search.reading import open_file
from tests.datasets import BuiltAlias, build_alias

FILES = {
    "retry.py": (
        "import time\n\nLIMIT = 3\n\n\n@once\nclass Retrier:\n    '''Retries.'''\n\n    def backoff(self):\n"
        "        return 2\n\n    async def wait(\n        self,\n    ):\n        self.backoff()\n\n\n"
        "def main():\n    Retrier().wait()\n"
    ),
    "Retry.java": (
        "public class Retry {\n  private int tries;\n\n  int next(int last) {\n    return last + 1;\n  }\n}\n"
    ),
    "retry.rs": (
        "pub struct Retry {\n    tries: u32,\n}\n\nimpl Retry {\n    pub fn next(&self) -> u32 {\n        1\n    }\n}\n"
    ),
    "page.md": "# Retry\n\nText.\n\n## Waiting\n\nMore.\n\n### Deeper\n\n## Giving up\n\nEnd.\n",
    "empty_of_names.txt": "just words\nand more\n",
    "odd.py": "def \u0434\u0430\u043d\u043d\u044b\u0435():\n\tpass\n\ndef a():\n\treturn 1\n",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("outline"), FILES)


def items(built: BuiltAlias, path: str) -> list[tuple[int, str, str, int, int]]:
    found = outline(open_file(path, readers=[built.reader]))
    return [(item.level, item.name, item.kind, item.start_line, item.end_line) for item in found]


def test_definitions_are_nested_and_end_where_the_next_begins(built: BuiltAlias) -> None:
    assert [item for item in items(built, "retry.py") if item[1] != "LIMIT"] == [
        (0, "Retrier", "class", 7, 16),
        (1, "backoff", "function", 10, 11),
        (1, "wait", "function", 13, 16),
        (0, "main", "function", 19, 20),
    ]


def test_braces_end_with_their_definition(built: BuiltAlias) -> None:
    found = {item[1]: item[2:] for item in items(built, "Retry.java")}
    assert found["Retry"] == ("class", 1, 7)
    assert found["next"] == ("", 4, 6)
    assert (0, "Retry", "struct", 1, 3) in items(built, "retry.rs")
    assert (1, "next", "function", 6, 8) in [(1, *item[1:]) for item in items(built, "retry.rs")]


def test_the_outline_of_a_document_is_its_headings(built: BuiltAlias) -> None:
    assert items(built, "page.md") == [
        (0, "Retry", "heading", 1, 13),
        (1, "Waiting", "heading", 5, 9),
        (2, "Deeper", "heading", 9, 9),
        (1, "Giving up", "heading", 11, 13),
    ]


def test_a_file_without_names_has_no_outline(built: BuiltAlias) -> None:
    assert items(built, "empty_of_names.txt") == []


def test_names_of_any_script_are_found(built: BuiltAlias) -> None:
    assert items(built, "odd.py") == [
        (0, "\u0434\u0430\u043d\u043d\u044b\u0435", "function", 1, 2),
        (0, "a", "function", 4, 5),
    ]


def test_decorators_and_comments_lead_to_a_definition() -> None:
    lines = ["x = 1", "", "# says why", "@once", "@twice(1)", "def f():", "    pass"]
    assert lead_of(lines, 6) == 3
    assert lead_of(lines, 1) == 1

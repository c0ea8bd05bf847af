from __future__ import annotations

import pytest

from askrepo.errors import UsageError
from askrepo.search.occurrences import MAX_LINE_CHARS, find
from tests.datasets import BuiltAlias, build_alias

FILES = {
    "src/retry.py": "LIMIT = 3\n\n\nclass Retrier:\n    def wait_for(self):\n        return LIMIT\n",
    "src/use.py": "from retry import Retrier\n\nRetrier().wait_for()  # wait_forever is another\n",
    "tests/test_retry.py": "from retry import Retrier\n\n\ndef test_it():\n    Retrier().wait_for()\n",
    "docs/retry.md": "# Retrying\n\nCall `wait_for` to wait.\n",
    "src/wide.js": "x = '" + "wide_name " * 400 + "'\n",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("find"), FILES)


def test_definitions_come_first_then_uses_with_tests_last(built: BuiltAlias) -> None:
    found = find("wait_for", readers=[built.reader])
    assert [(each.citation.path, each.line, each.holds.name) for each in found.found] == [
        ("src/retry.py", 5, "DEFINES"),
        ("src/use.py", 3, "USES"),
        ("docs/retry.md", 3, "DOCUMENTS"),
        ("tests/test_retry.py", 5, "USES"),
    ]
    assert found.found[0].text == "def wait_for(self):"
    assert found.total == 4


def test_a_qualified_name_is_defined_inside_of_its_owner(built: BuiltAlias) -> None:
    (first, *_) = find("Retrier.wait_for", readers=[built.reader]).found
    assert (first.citation.path, first.line) == ("src/retry.py", 5)


def test_only_the_whole_name_counts_and_nearly_equal_ones_are_told(built: BuiltAlias) -> None:
    assert [each.line for each in find("wait_forever", readers=[built.reader]).found] == [3]
    absent = find("wait_four", readers=[built.reader])
    assert (absent.found, absent.total, absent.nearest) == ((), 0, ("wait_for",))


def test_what_is_found_is_bounded(built: BuiltAlias) -> None:
    found = find("Retrier", readers=[built.reader], limit=2)
    assert (len(found.found), found.total) == (2, 5)
    (wide,) = find("wide_name", readers=[built.reader]).found
    assert len(wide.text) == MAX_LINE_CHARS


@pytest.mark.parametrize("name", ["", "  ", "::", "x" * 300, "a\nb"])
def test_what_is_no_name_is_told(built: BuiltAlias, name: str) -> None:
    with pytest.raises(UsageError, match="is no name"):
        find(name, readers=[built.reader])

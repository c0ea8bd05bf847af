from __future__ import annotations

import pytest

from askrepo.search.nowhere import stands_nowhere
from askrepo.store.reader import Filter
from tests.datasets import BuiltAlias, build_alias

LONG = "y = '" + "abcdefghij " * 300 + "'\n"
FILES = {"src/retry.py": "class Retrier:\n    pass\n", "docs/howto.md": "# Waiting\n", "src/long.py": LONG}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("nowhere"), FILES)


@pytest.mark.parametrize("name", ["Retrier", "retrier", "etri", "howto", "abcdefghij abcdefghij"])
def test_what_stands_in_a_text_or_a_path_is_never_nowhere(built: BuiltAlias, name: str) -> None:
    assert not stands_nowhere(name, readers=[built.reader])


def test_what_no_text_has_stands_nowhere(built: BuiltAlias) -> None:
    assert stands_nowhere("Retriever", readers=[built.reader])


def test_a_word_that_two_parts_of_a_long_line_share_is_found(built: BuiltAlias) -> None:
    chunks = built.reader.dataset.file_chunks("project", "src/long.py")
    between = chunks[0].text[-4:] + chunks[1].text[:4]
    assert not stands_nowhere(between, readers=[built.reader])


def test_a_filter_limits_where_is_looked(built: BuiltAlias) -> None:
    assert stands_nowhere("Retrier", readers=[built.reader], where=Filter(path=("docs/*",)))
    assert not stands_nowhere("Retrier", readers=[built.reader], where=Filter(repository="project"))
    assert stands_nowhere("Retrier", readers=[built.reader], where=Filter(repository="other"))

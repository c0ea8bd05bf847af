"""Which data is a page."""

import pytest

from askrepo.files.data_pages import MIN_LINES, is_prose_as_data
from tests.growth import is_linear


def manual(*, sentences: int, keys: int) -> str:
    said = "      The filter takes its input and gives it back unchanged.\n" * sentences
    return "sections:\n  - title: Filters\n    body: |\n" + said + "    - key: value\n" * keys


@pytest.mark.parametrize("keys", [0, MIN_LINES])
def test_a_manual_in_yaml_is_prose(keys: int) -> None:
    assert is_prose_as_data(manual(sentences=MIN_LINES, keys=keys), language="yaml")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param(manual(sentences=MIN_LINES, keys=4 * MIN_LINES), "yaml", id="mostly keys"),
        pytest.param(manual(sentences=MIN_LINES - 5, keys=0), "yaml", id="a few lines"),
        pytest.param("# What the key below it says to whoever reads it.\nkey: 1\n" * 40, "yaml", id="comments"),
        pytest.param(manual(sentences=MIN_LINES, keys=0), "python", id="source"),
        pytest.param("", "yaml", id="empty"),
    ],
)
def test_other_data_is_not(text: str, language: str) -> None:
    assert not is_prose_as_data(text, language=language)


def test_a_hostile_line_takes_no_longer() -> None:
    assert is_linear(
        lambda times: is_prose_as_data(manual(sentences=40, keys=0) + "ab1" * times, language="yaml"), 300_000
    )

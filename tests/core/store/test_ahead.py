from __future__ import annotations

import threading

import pytest

from askrepo.store.ahead import ahead


def test_items_keep_their_order():
    assert list(ahead(range(5))) == [0, 1, 2, 3, 4]
    assert list(ahead([])) == []


def test_the_next_item_is_made_while_one_is_in_use():
    second_made = threading.Event()

    def items():
        yield "first"
        second_made.set()
        yield "second"

    for item in ahead(items()):
        assert second_made.wait(10), item


def test_no_more_than_the_next_item_is_made():
    made = []

    def items():
        for number in range(5):
            made.append(number)
            yield number

    for item in ahead(items()):
        assert len(made) <= item + 2


def test_an_error_comes_where_the_item_would():
    def items():
        yield 1
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        seen.extend(ahead(items()))
    assert seen == [1]


def test_leaving_early_ends_the_thread():
    before = threading.active_count()
    for _ in ahead(range(5)):
        break
    assert threading.active_count() == before

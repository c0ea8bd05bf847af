from __future__ import annotations

import json

import pytest

from askrepo.receipts.receipt import Receipt, host_of
from askrepo.receipts.spans import Span, digest_of_lines, occurrences, span_of
from askrepo.types import Citation, to_json
from tests.core.receipts.made import FILE, made


def test_a_receipt_survives_json() -> None:
    receipt = made()
    assert Receipt.from_mapping(json.loads(json.dumps(to_json(receipt)))) == receipt


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.openai.com/v1", "api.openai.com"),
        ("http://user:s3cret@127.0.0.1:8080/v1?key=k", "127.0.0.1:8080"),
    ],
)
def test_only_the_host_of_an_endpoint_is_kept(url: str, host: str) -> None:
    assert host_of(url) == host


def test_a_span_has_three_lines_around_it_and_both_digests() -> None:
    span = span_of(Citation("r", "c", "a.py", 2, 3), FILE)
    assert span is not None
    assert (span.before, span.lines, span.after) == (("line 1",), ("line 2", "line 3"), ("line 4", "line 5", "line 6"))
    assert span.digest == digest_of_lines(["line 2", "line 3"])
    assert span.around_digest == digest_of_lines(FILE[:6])
    assert Span.from_mapping(json.loads(json.dumps(to_json(span)))) == span


def test_a_span_knows_which_of_its_copies_it_is() -> None:
    file = ["a", "x", "y", "b", "x", "y"]
    span = span_of(Citation("r", "c", "a.py", 5, 6), file)
    assert span is not None
    assert (span.copies, span.nth) == (2, 2)
    assert occurrences(["x", "y"], file) == [1, 4]


@pytest.mark.parametrize(("start", "end"), [(0, 1), (20, 21), (21, 21)])
def test_lines_that_a_file_does_not_have_are_no_span(start: int, end: int) -> None:
    assert span_of(Citation("r", "c", "a.py", start, end), FILE) is None

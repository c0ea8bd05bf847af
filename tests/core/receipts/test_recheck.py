from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from askrepo.receipts.recheck import Rechecked, recheck
from askrepo.receipts.spans import Span, span_of
from askrepo.types import Citation

BEFORE = """\
import time

LIMIT = 3


def first(queue):
    return queue.pop(0)


class Retrier:
    def backoff(self, attempt):
        if attempt > LIMIT:
            raise TooOften(attempt)
        return 2.0**attempt

    def sleep(self, attempt):
        time.sleep(self.backoff(attempt))


def last(queue):
    return queue.pop()
""".splitlines()


class Files:
    """Files by path; every other one may hold a span."""

    def __init__(self, files: Mapping[str, Sequence[str]]) -> None:
        self._files = files

    def lines(self, path: str) -> Sequence[str]:
        return self._files.get(path, ())

    def likely(self, span: Span) -> Sequence[str]:
        return [path for path in self._files if path != span.citation.path]


def cited(start: int, end: int, file: Sequence[str] = BEFORE) -> Span:
    span = span_of(Citation("r", "c", "a.py", start, end), file)
    assert span is not None
    return span


def told(span: Span, **files: Sequence[str]) -> tuple[str, str | None, int | None, int | None]:
    found = recheck(span, Files({name.replace("_py", ".py"): lines for name, lines in files.items()}))
    return found.state, found.path, found.start_line, found.end_line


def test_lines_that_stand_where_they_stood_are_unchanged() -> None:
    assert told(cited(11, 14), a_py=BEFORE) == ("unchanged", "a.py", 11, 14)


def test_lines_move_with_what_is_added_above_them() -> None:
    assert told(cited(11, 14), a_py=["# new", *BEFORE]) == ("moved", "a.py", 12, 15)


@pytest.mark.parametrize("name", ["b_py", "lib/b_py"])
def test_lines_move_to_another_file(name: str) -> None:
    assert told(cited(11, 14), a_py=BEFORE[:9], **{name: BEFORE[9:]}) == ("moved", name.replace("_py", ".py"), 2, 5)


def test_a_changed_line_is_reported_with_a_diff() -> None:
    after = [line.replace("2.0**attempt", "min(60, 2.0**attempt)") for line in BEFORE]
    found: Rechecked = recheck(cited(11, 14), Files({"a.py": after}))
    assert (found.state, found.start_line, found.end_line) == ("changed", 11, 14)
    assert found.diff()[-2:] == ["-        return 2.0**attempt", "+        return min(60, 2.0**attempt)"]


def test_lines_added_inside_are_a_change_and_shown() -> None:
    after = [*BEFORE[:12], "            # too often", *BEFORE[12:]]
    assert told(cited(11, 14), a_py=after) == ("changed", "a.py", 11, 15)


def test_a_change_reaches_to_the_lone_bracket_that_ends_it() -> None:
    file = ["function enqueue(message) {", "  pending.push(message)", "}"]
    after = [file[0], "  check(message)", *file[1:]]
    assert told(cited(1, 3, file), a_py=after) == ("changed", "a.py", 1, 4)


def test_lines_written_anew_are_changed_where_they_stood() -> None:
    after = [*BEFORE[:10], "    def wait(self):", "        return 1", *BEFORE[14:]]
    assert told(cited(11, 14), a_py=after) == ("changed", "a.py", 11, 12)


def test_lines_that_were_taken_out_are_gone() -> None:
    assert told(cited(11, 14), a_py=[*BEFORE[:10], *BEFORE[14:]])[0] == "gone"
    assert told(cited(11, 14), b_py=["nothing", "like it"])[0] == "gone"
    assert told(cited(11, 14))[0] == "gone"


def test_a_change_in_place_is_not_hidden_by_a_copy_elsewhere() -> None:
    after = [line.replace("2.0**attempt", "3.0**attempt") for line in BEFORE]
    assert told(cited(11, 14), a_py=after, copy_py=BEFORE) == ("changed", "a.py", 11, 14)


def test_of_two_copies_the_one_among_the_same_lines_is_meant() -> None:
    file = ["def a():", "    return None", "", "def b():", "    return None", "", "def c():"]
    assert told(cited(5, 5, file), a_py=["import x", *file]) == ("moved", "a.py", 6, 6)
    changed = [*file[:4], "    return 1", *file[5:]]
    assert told(cited(5, 5, file), a_py=changed) == ("changed", "a.py", 5, 5)


def test_lines_that_say_little_are_not_known_again_elsewhere() -> None:
    file = ["a {", "  x", "}", "", "b {", "  y", "}"]
    assert told(cited(3, 4, file), a_py=["other"], b_py=["c {", "  z", "}", "", "d"])[0] == "gone"


def test_a_long_file_costs_little() -> None:
    file = [f"line {number % 50}" for number in range(20_000)]
    span = cited(10_000, 10_040, file)
    after = [*file[:10_010], "changed", *file[10_020:]]
    assert recheck(span, Files({"a.py": after})).state in ("moved", "changed")

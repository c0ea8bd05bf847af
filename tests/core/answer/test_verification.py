"""What a statement says stands in the lines it cites, or is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from askrepo.answer.quantities import number_values
from askrepo.answer.source_lines import SourceLines
from askrepo.answer.statement_parts import Part, parts_of
from askrepo.answer.verification import Checked, Statement, Verifier
from askrepo.types import Citation

RETRY = '''class Retrier:
    """Tries again with exponential backoff."""

    def __init__(self, max_attempts: int = 5, base_delay: float = 0.5) -> None:
        self.max_attempts = max_attempts
        self.base_delay = base_delay

    def backoff(self, attempt: int) -> float:
        """Seconds to wait before the next
        attempt, 30 at most.
        """
        return min(30.0, self.base_delay * 2**attempt)
'''
QUEUE = """# Queue

Messages wait in `pending` until a worker is free.
The [worker](docs/worker.md) takes **ten** of them *at once*; see `--batch-size`.

    queue.enqueue("hello", priority=3)
"""
OTHER = "export function drain(limit) {\n  while (pending.length > limit) pending.shift()\n}\n"


def lines_of(number: int | None, text: str, path: str, *names: str) -> SourceLines:
    lines = tuple(text.removesuffix("\n").split("\n"))
    citation = Citation("acme/parcel", "c" * 40, path, 11, 10 + len(lines))
    return SourceLines(number, citation, "https://example.org", lines, frozenset(names))


SOURCES = [
    lines_of(1, RETRY, "src/retry.py", "Retrier", "backoff"),
    lines_of(2, QUEUE, "docs/queue.md", "Queue"),
    lines_of(3, OTHER, "src/drain.ts", "drain"),
]


@dataclass
class Stored:
    """A dataset of a few places."""

    held: Sequence[SourceLines] = ()
    asked: list[str] = field(default_factory=list)

    def places(self, part: Part) -> list[SourceLines]:
        self.asked.append(part.text)
        return [place for place in self.held if place.find(part) is not None]


def check(
    text: str, *numbers: int, quotes: Sequence[str] = (), code: str = "", stored: Stored | None = None
) -> Checked:
    cited = tuple(SOURCES[number - 1] for number in numbers)
    return Verifier(list(SOURCES), stored or Stored()).check(Statement(text, cited, tuple(quotes), code))


def missing(checked: Checked) -> list[str]:
    return [found.part.text for found in checked.missing]


@pytest.mark.parametrize(
    "text",
    [
        "`Retrier` waits longer each time [1].",
        "It calls `backoff()` and `Retrier.backoff` [1].",
        "The max_attempts of a Retrier bound it [1].",
        "`self.base_delay` doubles, see `min(30.0, self.base_delay * 2**attempt)` [1].",
        "`backoff(attempt)` returns `None` or a float [1].",
        "`Retrier(max_attempts, base_delay)` takes both [1].",
        "`min(30.0, ...)` bounds it [1].",
        "`Retrier.min(30.0, self.base_delay * 2**attempt)` bounds it [1].",
        "`__init__(max_attempts, base_delay=0.5)` sets both [1].",
        'It says "Seconds to wait before the next attempt" [1].',
        "It says \u201cseconds to wait … 30 at most.\u201d [1]",
        'It says "[The class] tries again with exponential backoff" [1].',
        "It waits 30 seconds at most [1].",
        "The delay starts at 500 ms [1].",
        "There are 5 attempts [1].",
        "It is in `src/retry.py` [1].",
        "It is in src/retry.py, that is retry.py [1].",
    ],
)
def test_what_stands_in_the_cited_lines_is_verified(text: str) -> None:
    checked = check(text, 1)
    assert (checked.state, missing(checked)) == ("verified", [])


def test_emphasis_of_a_page_is_no_word_of_it() -> None:
    assert check('The worker "takes ten of them at once" [2].', 2).state == "verified"
    assert check('It takes "5 * attempt * 2" [2].', 2).state == "not found"


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("`Retrier` has a `retry_limit` [1].", ["retry_limit"]),
        ("Its retry_limit bounds it [1].", ["retry_limit"]),
        ("`Retrier.backof` waits [1].", ["Retrier.backof"]),
        ("`back` is the beginning of a name [1].", ["back"]),
        (
            "`min(30.0, self.base_delay + 2**attempt)` is an operator off [1].",
            ["min(30.0, self.base_delay + 2**attempt)"],
        ),
        ('It says "seconds to sleep before the next attempt" [1].', ["seconds to sleep before the next attempt"]),
        ("It waits 45 seconds at most [1].", ["45 seconds"]),
        ("The delay starts at 600 ms [1].", ["600 ms"]),
        ("It is in `src/backoff.py` [1].", ["src/backoff.py"]),
        ("`queue.enqueue([hello], priority=3)` adds it [1].", ["queue.enqueue([hello], priority=3)"]),
        ("`backoff(jitter)` adds noise [1].", ["backoff(jitter)"]),
    ],
)
def test_what_stands_nowhere_is_marked(text: str, absent: list[str]) -> None:
    checked = check(text, 1)
    assert (checked.state, missing(checked)) == ("not found", absent)


def test_a_citation_of_the_wrong_source_is_replaced_by_the_lines_that_hold_the_statement() -> None:
    checked = check("`Retrier` waits 30 seconds at most before an attempt.", 2)
    assert (checked.state, [support.source.number for support in checked.supports]) == ("repaired", [2, 1])
    assert [support.state for support in checked.supports] == ["not found", "repaired"]
    assert [source.number for source in checked.dropped] == [2]


def test_a_citation_that_holds_a_part_is_kept_beside_the_one_that_holds_the_rest() -> None:
    checked = check("`--batch-size` and `max_attempts` are options.", 2)
    assert (checked.state, checked.dropped) == ("repaired", ())
    assert [(support.source.number, support.state) for support in checked.supports] == [
        (2, "verified"),
        (1, "repaired"),
    ]


def test_what_only_the_dataset_holds_is_cited_from_there() -> None:
    stored = Stored([lines_of(None, "def requeue(message):\n    pending.append(message)\n", "src/requeue.py")])
    checked = check("`requeue` puts a message back into `pending`.", 2, stored=stored)
    assert (checked.state, stored.asked) == ("repaired", ["requeue"])
    assert str(checked.supports[-1].source.citation).endswith("src/requeue.py:11-12")
    assert str(checked.found[0].place).endswith("src/requeue.py:11-11")


def test_a_name_that_stands_in_places_about_something_else_is_marked_and_known() -> None:
    stored = Stored([lines_of(None, f"quota = {n}\n", f"src/{n}.py") for n in range(3)])
    checked = check("Workers stop after `quota` of them.", 1, stored=stored)
    assert (checked.state, checked.missing[0].is_known) == ("not found", True)


def test_a_number_counts_only_beside_what_it_is_said_of() -> None:
    assert check("`self.max_attempts` lasts 30 seconds.", 1).state == "not found"
    assert check("`max_attempts` makes 5 attempts.", 1).state == "verified"


LIMITS = '''MAX_ATTEMPTS = 5
BASE_DELAY = 30  # seconds between two tries
#define QUEUE_SIZE 64
pages: 12
"workers": 8,
"""Nobody waits for more than 40 seconds."""
'''


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("`MAX_ATTEMPTS` is 5 retries [1].", []),
        ("`MAX_ATTEMPTS` is 30 retries [1].", ["30 retries"]),
        ("`MAX_ATTEMPTS` is 5, and between them are 30 seconds [1].", []),
        ("`MAX_ATTEMPTS` is 30 retries [5].", ["30 retries"]),
        ("`QUEUE_SIZE` is 12 items [1].", ["12 items"]),
        ("`workers` are 12 threads [1].", ["12 threads"]),
        ("`QUEUE_SIZE` is 64 items, with `pages` of 12 items [1].", []),
        ("After `MAX_ATTEMPTS` tries the delay is 30 seconds [1].", []),
        ("`workers` wait 40 seconds at most [1].", []),
        ("`scale` is said to be 12 items [1].", ["scale", "12 items"]),
    ],
)
def test_a_number_of_another_name_is_not_taken_for_this_one_s(text: str, absent: list[str]) -> None:
    source = lines_of(1, LIMITS, "src/limits.txt")
    assert missing(Verifier([source], Stored()).check(Statement(text, (source,)))) == absent


@pytest.mark.parametrize(
    ("line", "right", "wrong"),
    [
        ("wait: it gives up after 302 ms", "302 milliseconds", "302 seconds"),
        ("wait: a window of 302 lines", "302 lines", "302 seconds"),
        ("wait = 30s", "30 seconds", "30 minutes"),
        ("wait = 30s", "30 secs", "30%"),
        ("wait = 60  # in seconds", "1 minute", "60 minutes"),
        ("wait = 5,  // minutes", "300 seconds", "5 seconds"),
        ("wait for ten minutes", "10 min", "10 hours"),
        ("wait = 5 * time.Minute", "5 minutes", "5 seconds"),
        ("wait = Second * 30", "30 s", "30 ms"),
        ("wait(Duration::from_secs(30))", "30 seconds", "30 minutes"),
        ("wait(30, TimeUnit.SECONDS)", "30 seconds", "30 minutes"),
        ("wait 5.minutes", "5 minutes", "5 hours"),
        ("wait_timeout_ms: 302", "302 ms", "302 seconds"),
        ("wait_ms = 30000", "30 seconds", "30000 seconds"),
        ("waitTimeoutSeconds = 302", "302 s", "302 minutes"),
        ("wait: buffers of 64 KiB", "64 kB", "64 MiB"),
        ("wait: buffers of 1 MiB", "1024 KiB", "1 KiB"),
        ("wait: 4 worker threads", "4 workers", "4 seconds"),
        ("wait: 3 retry attempts", "3 tries", "3 threads"),
        ("wait: 50% of it", "50 percent", "50 bytes"),
        ("wait:50%", "50%", "50 hours"),
        ("wait: 512 tokens", "512 tokens", "512 lines"),
        ("wait: 2 weeks", "14 days", "2 days"),
    ],
)
def test_a_number_counts_with_its_unit(line: str, right: str, wrong: str) -> None:
    source = lines_of(1, line, "src/wait.txt")
    verifier = Verifier([source], Stored())
    assert verifier.check(Statement(f"`wait` stands for {right} [1].", (source,))).state == "verified"
    assert missing(verifier.check(Statement(f"`wait` stands for {wrong} [1].", (source,)))) == [wrong]


@pytest.mark.parametrize(
    "line",
    [
        "timeout_s = 30",
        "timeout = 30",
        "timeout: 30  # second try",
        "timeout = 30d",
        "timeout: %30s",
        "timeout = 30000",
        "MINUTE = 30; timeout = MINUTE",
        "timeouts_per_minute = 30",
        "timeout_min = 30",
        "(timeout, 30, days)",
        "timeout = 30 or minutes",
    ],
)
def test_a_number_whose_unit_is_not_told_may_be_meant_in_any(line: str) -> None:
    source = lines_of(1, line, "src/limits.py")
    text = f"`{line.strip('(').split(':')[0].split(',')[0].split(' ')[0]}` is 30 seconds [1]."
    assert Verifier([source], Stored()).check(Statement(text, (source,))).state == "verified"


def test_numbers_are_not_looked_for_in_the_dataset() -> None:
    stored = Stored()
    check("It waits 45 seconds and says nothing else.", 1, stored=stored)
    assert stored.asked == []


def test_a_citation_without_anything_to_look_up_is_only_a_citation() -> None:
    assert check("It waits longer each time.", 1).state == "cited"


def test_code_is_compared_line_by_line() -> None:
    kept = check("", 1, code="12\t    def backoff(self, attempt: int) -> float:\n# waits\n...\n    return min(30.0, x)")
    assert missing(kept) == ["return min(30.0, x)"]
    assert check("", 1, code="return min( 30.0, self.base_delay * 2 ** attempt )").state == "verified"


def test_dashes_of_every_kind_are_one() -> None:
    assert (
        check("`--batch\u2011size` and \u2011\u2011batch\u2010size in \u201cuntil a worker is free\u201d.", 2).state
        == "verified"
    )
    assert check("`-batch-size` is none.", 2).state == "not found"


def test_quotes_beside_the_text_are_compared_too() -> None:
    said = "It drains what is pending."
    assert check(said, 3, quotes=["while (pending.length > limit)"]).state == "verified"
    assert check(said, 3, quotes=["while (pending.length >= limit)"]).state == "not found"


def test_a_quotation_that_shares_no_word_with_its_statement_verifies_nothing() -> None:
    checked = check("It sends letters.", 3, quotes=["while (pending.length > limit)"])
    assert (checked.state, checked.supports[0].state, missing(checked)) == ("cited", "cited", [])


def test_a_sentence_without_a_citation_is_attributed_to_the_source_its_words_stand_in() -> None:
    checked = check("Messages wait in `pending` until a worker is free")
    assert (checked.state, checked.supports[0].source.number) == ("attributed", 2)


@pytest.mark.parametrize(
    "text",
    ["The scheduler stores every job in PostgreSQL with a row lock.", "It is fast, and people like to use it a lot."],
)
def test_a_sentence_whose_words_stand_nowhere_together_rests_on_nothing(text: str) -> None:
    assert check(text).state == "nothing"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("See [1] and https://example.org/a/b.py and src/a.py:1-20.", []),
        ("`src/a.py:12-30` and `[9]` and `None` and `()`.", []),
        ("Don't use 'em; that's \"it\"", ["quote"]),
        ("Either and/or TCP/IP, e.g. v1.2 on 3.11", []),
        ("There are three ways, 2 options and 10 files", []),
        ("A 30-second wait, 5MB, 1,000 requests, 99.9%", ["number"] * 4),
    ],
)
def test_only_what_can_be_looked_up_is_a_part(text: str, kinds: list[str]) -> None:
    assert [part.kind for part in parts_of(text)] == kinds


def test_spans_of_parts_are_those_in_the_text() -> None:
    text = 'It says "wait for it" in `a_b` of lib/a.py for 5 s [1].'
    assert [text[part.start : part.end] for part in parts_of(text)] == ['"wait for it"', "`a_b`", "lib/a.py", "5 s"]


def test_a_number_is_known_by_its_other_units() -> None:
    assert set(number_values("30 seconds")) == {30.0, 3e4, 3e7, 3e10}
    assert 0.5 in number_values("500 ms")
    assert 0.1 in number_values("10%")
    assert number_values("five") == ()

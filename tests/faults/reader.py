"""Processes that ask questions in a loop and check every answer against the commit it is of."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from askrepo.aliases.following import AliasFollower
from askrepo.aliases.readers import AliasReader, open_aliases
from askrepo.search.search import search
from askrepo.settings import Settings
from askrepo.types import Hit
from askrepo.workspace.objects import Workspace

QUESTIONS = ("where is the version of a value returned", "function 3", "class Store", "how to install the library")
MAX_WRONG = 5
HOLD_S = 1.0

Manner = Literal["open", "hold", "follow", "command"]
"""Open the alias for each question, as `askrepo search` does, or for all questions within HOLD_S, or once, as a server
that follows it does; or run the command itself."""


@dataclass(frozen=True)
class Truth:
    """What the repositories hold.

    :ivar versions: commits that belong together, by the repository's name.
    :ivar texts: of every file, by commit, then by path.
    """

    versions: list[dict[str, str]]
    texts: dict[str, dict[str, str]]

    @classmethod
    def read(cls, file: Path) -> Truth:
        return cls(**json.loads(file.read_text()))

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(vars(self)))


@dataclass(frozen=True)
class Watch:
    """What to ask, and how.

    :ivar truth: a file that `Truth.write` wrote.
    :ivar pause_s: between two questions, so that they do not keep the store from everything else.
    """

    workspace: str
    alias: str
    truth: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = "open"
    pause_s: float = 0.05


@dataclass
class Seen:
    """What a reader saw.

    :ivar numbers: of the alias's entries that answered, a number once as long as it stayed the same.
    :ivar commits: of the answers' hits, all in one set.
    :ivar wrong: answers that were not, or not of one dataset; the first few.
    """

    answers: int = 0
    numbers: list[int] = field(default_factory=list)
    commits: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def note(self, answer: Answer, truth: Truth) -> None:
        self.answers += 1
        self.commits |= {place.commit for place in answer.places}
        if answer.number is not None and self.numbers[-1:] != [answer.number]:
            self.numbers.append(answer.number)
        wrong = judged(answer, truth)
        if wrong:
            self.complain(f"entry {answer.number}: {wrong}")

    def complain(self, wrong: str) -> None:
        self.wrong = [*self.wrong, wrong][:MAX_WRONG]


@dataclass(frozen=True)
class Place:
    """A hit, as far as it can be checked."""

    repository: str
    commit: str
    path: str
    start_line: int
    end_line: int
    text: str


@dataclass(frozen=True)
class Answer:
    """The hits of one question.

    :ivar number: of the alias's entry; the command does not tell it.
    :ivar commits: of the dataset that was opened, by repository; None likewise.
    """

    places: list[Place]
    number: int | None = None
    commits: dict[str, str] | None = None


def read(connection: Connection) -> bool:
    """Answer each `Watch` with True once its first question was asked, and with a `Seen` at the next message."""
    while (watch := connection.recv()) is not None:
        os.environ.update(watch.environment)
        connection.send(_watch(watch, connection))
    return True


def _watch(watch: Watch, connection: Connection) -> Seen:
    truth, seen = Truth.read(watch.truth), Seen()
    ask = _asker(watch)
    questions = itertools.cycle(QUESTIONS)
    is_told_to_stop = False
    while not is_told_to_stop:
        is_told_to_stop = connection.poll(
            watch.pause_s
        )  # one question more is asked then: its answer is of the last entry
        is_first = not (seen.answers or seen.wrong)
        try:
            seen.note(ask(next(questions)), truth)
        except Exception as error:  # noqa: BLE001 - readers must see none at all
            seen.complain(f"{type(error).__name__}: {error}")
        if is_first:
            connection.send(True)
    connection.recv()
    return seen


def _asker(watch: Watch) -> Callable[[str], Answer]:
    if watch.manner == "command":
        return lambda question: _of_command(question, watch)
    workspace, settings = Workspace.open(watch.workspace, create=False), Settings.from_env(os.environ)

    def opened() -> Sequence[AliasReader]:
        return open_aliases([watch.alias], workspace=workspace, settings=settings)

    if watch.manner == "follow":
        follower = AliasFollower.open([watch.alias], workspace=workspace, settings=settings)
        return lambda question: follower.read(lambda readers: _of_search(question, readers))
    if watch.manner == "hold":
        holder = _Holder(opened)
        return lambda question: _of_search(question, holder.readers())
    return lambda question: _of_search(question, opened())


class _Holder:
    """Readers that are opened anew after some time only."""

    def __init__(self, opened: Callable[[], Sequence[AliasReader]]) -> None:
        self._opened = opened
        self._readers: Sequence[AliasReader] = ()
        self._since = -HOLD_S

    def readers(self) -> Sequence[AliasReader]:
        if time.monotonic() - self._since > HOLD_S or not self._readers:
            self._since = time.monotonic()  # before opening: the dataset may be left by then
            self._readers = self._opened()
        return self._readers


def _of_search(question: str, readers: Sequence[AliasReader]) -> Answer:
    entry = readers[0].entry
    commits = {snapshot.name: snapshot.commit for snapshot in entry.manifest.snapshots}
    return Answer(list(_places(search(question, readers=readers, k=20))), entry.number, commits)


def _places(hits: Iterable[Hit]) -> Iterable[Place]:
    for hit in hits:
        chunk = hit.chunk
        yield Place(chunk.repository, hit.commit, chunk.path, chunk.start_line, chunk.end_line, chunk.text)


def _of_command(question: str, watch: Watch) -> Answer:
    """What `askrepo search` prints, run in this process."""
    from click.testing import CliRunner

    from askrepo_query.cli import main

    arguments = ["search", "--json", "-k", "20", "--alias", watch.alias, "--workspace", watch.workspace, question]
    result = CliRunner().invoke(main, arguments)
    if result.exit_code:
        raise AssertionError(f"askrepo {' '.join(arguments)} ended with {result.exit_code}: {result.stderr}")
    found: list[dict[str, Any]] = [json.loads(line) for line in result.stdout.splitlines()]
    names = Place.__dataclass_fields__
    return Answer([Place(**{name: hit[name] for name in names}) for hit in found])


def judged(answer: Answer, truth: Truth) -> str:
    """What is wrong with an answer: hits of several versions, or text that their commit does not have."""
    found = {(place.repository, place.commit) for place in answer.places}
    if not found:
        return "no hits"
    possible = [answer.commits] if answer.commits else truth.versions
    if not any(found <= set(version.items()) for version in possible):
        return f"hits of {sorted(found)}, the dataset is of {possible}"
    for place in answer.places:
        lines = truth.texts[place.commit].get(place.path, "").split("\n")
        text = "\n".join(lines[place.start_line - 1 : place.end_line])
        if place.text.strip("\n") != text.strip("\n"):
            where = f"{place.path}:{place.start_line}-{place.end_line} of {place.commit}"
            return f"{where} reads {place.text!r}, not {text!r}"
    return ""

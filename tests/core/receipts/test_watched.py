from __future__ import annotations

import logging
from pathlib import Path

import pytest

from askrepo.errors import UnavailableError, UsageError
from askrepo.receipts.receipt import stored_span
from askrepo.receipts.watched import Watched, WatchList, changed_line, recheck_after_swap, watched_of
from askrepo.types import Citation
from tests.core.receipts.made import made
from tests.datasets import BuiltAlias, build_alias, run_stages

RETRY = "def backoff(attempt):\n    return 2.0**attempt\n\n\ndef sleep(attempt):\n    pass\n"


@pytest.fixture
def alias(tmp_path: Path) -> BuiltAlias:
    return build_alias(tmp_path, {"retry.py": RETRY, "other.py": "def other():\n    pass\n"})


def watched(alias: BuiltAlias, id: str = "0123456789ab") -> Watched:  # noqa: A002
    reader = alias.reader
    commit = reader.entry.manifest.snapshots[0].commit
    span = stored_span(Citation("project", commit, "retry.py", 1, 2), [reader])
    assert span is not None
    return Watched(id, "main", "how does it back off?", "2026-11-28T10:00:00+00:00", (span,))


def refreshed(alias: BuiltAlias, files: dict[str, str | bytes | None]):
    alias.repositories[0].commit(files)
    entry = run_stages(alias.definition, workspace=alias.workspace, settings=alias.settings)
    return recheck_after_swap(entry, workspace=alias.workspace, settings=alias.settings)


def test_a_watched_question_comes_back_as_it_was_added(alias: BuiltAlias) -> None:
    watch_list = WatchList(alias.workspace)
    question = watched(alias)
    watch_list.add(question)
    assert watch_list.ids("main") == [question.id]
    assert watch_list.find("main", question.id) == question
    watch_list.remove("main", question.id)
    assert watch_list.ids("main") == []


@pytest.mark.slow
def test_a_swap_names_the_questions_whose_lines_changed(alias: BuiltAlias) -> None:
    watch_list = WatchList(alias.workspace)
    watch_list.add(watched(alias))
    moved = refreshed(alias, {"retry.py": "# moved\n" + RETRY})
    assert moved is not None
    assert (moved.number, moved.questions, moved.changed) == (2, 1, ())
    changed = refreshed(alias, {"retry.py": RETRY.replace("2.0", "3.0")})
    assert changed is not None
    assert watch_list.report("main") == changed
    (found,) = changed.changed
    assert changed_line(found) == "01234567 'how does it back off?': retry.py:1-2 changed"
    assert found["lines"][0]["now"] == {"path": "retry.py", "start_line": 1, "end_line": 2}
    gone = refreshed(alias, {"retry.py": None})
    assert gone is not None
    assert gone.changed[0]["lines"][0]["state"] == "gone"


def test_without_watched_questions_nothing_is_opened(alias: BuiltAlias, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askrepo.receipts.watched.open_entry", lambda *_, **__: pytest.fail("opened"))
    assert recheck_after_swap(alias.entry, workspace=alias.workspace, settings=alias.settings) is None


def test_a_failure_is_logged_and_fails_nothing(
    alias: BuiltAlias, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no dataset")

    WatchList(alias.workspace).add(watched(alias))
    monkeypatch.setattr("askrepo.receipts.watched.open_entry", broken)
    assert recheck_after_swap(alias.entry, workspace=alias.workspace, settings=alias.settings) is None
    assert "could not compare its watched questions: no dataset" in caplog.text


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"id": 1}', b"\xff"])
def test_a_damaged_question_does_not_hide_the_others(
    alias: BuiltAlias, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    watch_list = WatchList(alias.workspace)
    watch_list.add(watched(alias))
    alias.workspace.write("watched/main/ffff00000000.json", content)
    with pytest.raises(UnavailableError, match="askrepo watch remove ffff00000000 -a main"):
        watch_list.find("main", "ffff00000000")
    with caplog.at_level(logging.WARNING):
        report = recheck_after_swap(alias.entry, workspace=alias.workspace, settings=alias.settings)
    assert report is not None
    assert report.questions == 1
    alias.workspace.write("watched/main/checked.json", content)
    assert watch_list.report("main") is None


def test_a_receipt_is_watched_under_the_alias_its_lines_came_from() -> None:
    (found,) = watched_of(made())
    assert (found.alias, found.question, len(found.spans)) == ("main", "how?", 1)
    with pytest.raises(UsageError, match="nothing to compare"):
        watched_of(made(sources=()))

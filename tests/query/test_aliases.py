from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.kept import write_keep
from askrepo.aliases.removal import remove_alias
from askrepo.store import inventory
from askrepo.types import digest_of
from askrepo.workspace.objects import Workspace
from tests.damage import files_of
from tests.datasets import BuiltAlias
from tests.query.conftest import Run, json_lines, run_on_terminal
from tests.query.test_json_schemas import validator

KEEPERS = {"history": ["history", "main"], "status": ["status"]}


@pytest.fixture
def copy(built: BuiltAlias, tmp_path: Path) -> Workspace:
    """A workspace that a test may change."""
    shutil.copytree(built.workspace.url, tmp_path / "copy")
    return Workspace.open(str(tmp_path / "copy"))


def test_aliases_lists_what_each_holds(run_main: Run) -> None:
    line = run_main("aliases").stdout
    assert line.startswith("main  parcel  ")
    assert "chunks  built " in line
    assert json_lines(run_main("aliases", "--json"))[0]["alias"] == "main"


def test_status_accounts_for_every_file(run_main: Run, built: BuiltAlias) -> None:
    result = run_main("status")
    assert "  files       7 = 6 loaded + 1 binary\n" in result.stdout
    assert "  kept        2 datasets\n" in result.stdout
    assert f"parcel@{built.reader.entry.manifest.snapshots[0].commit[:10]} (default branch)" in result.stdout


def test_status_as_json_adds_up(run_main: Run) -> None:
    (status,) = json_lines(run_main("status", "--json"))
    assert status["files"] == status["loaded"] + sum(status["skipped"].values())
    assert (status["unaccounted"], status["number"], status["kept"]) == (0, 2, 2)
    assert status["embedder"]["spec"] == "hash"


def test_status_of_an_unknown_alias_is_unavailable(run_main: Run) -> None:
    assert run_main("status", "-a", "nope").exit_code == 3


def test_history_is_newest_first_and_marks_the_current_entry(run_main: Run) -> None:
    newest, oldest = run_main("history", "main").stdout.splitlines()
    assert newest.startswith("*   2  ")
    assert oldest.startswith("    1  ")
    assert [entry["current"] for entry in json_lines(run_main("history", "main", "--json"))] == [True, False]


def test_history_and_status_say_what_is_kept_on_purpose(run: Run, copy: Workspace) -> None:
    before = {name: run(*args, "--workspace", copy.url).stdout for name, args in KEEPERS.items()}
    write_keep("main", ("1", "v9"), workspace=copy)
    shown = {name: run(*args, "--workspace", copy.url).stdout for name, args in KEEPERS.items()}

    newest, oldest = before["history"].splitlines()
    assert shown["history"].splitlines() == [newest, f"{oldest}  kept: 1"]
    assert "  keep        1: entry 1\n  keep        v9: keeps nothing\n" in shown["status"]
    assert "keep   " not in before["status"]
    (status,) = json_lines(run("status", "--json", "--workspace", copy.url))
    assert status["keep"] == [{"name": "1", "entries": [1]}, {"name": "v9", "entries": []}]
    assert [error.message for error in validator("status").iter_errors(status)] == []
    lines = json_lines(run("history", "main", "--json", "--workspace", copy.url))
    assert [line.get("keep") for line in lines] == [None, ["1"]]

    copy.delete_folder(AliasCatalogue(copy).history("main")[0].manifest.dataset)
    assert run("history", "main", "--workspace", copy.url).stdout == before["history"]
    assert "  keep        1: keeps nothing\n" in run("status", "--workspace", copy.url).stdout


def test_a_keep_that_cannot_be_read_hides_no_history(run: Run, copy: Workspace) -> None:
    copy.write("kept/main.json", b"{")
    result = run("history", "main", "--workspace", copy.url)
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 2)
    assert "kept/main.json" in result.stderr


def test_rollback_points_back_and_is_a_new_entry(run: Run, copy: Workspace) -> None:
    before = AliasCatalogue(copy).history("main")
    result = run("rollback", "main", "--yes", "--workspace", copy.url)
    after = AliasCatalogue(copy).history("main")
    assert result.exit_code == 0
    first, second = (entry.manifest.dataset for entry in before)
    assert [entry.manifest.dataset for entry in after] == [first, second, first]
    assert result.stdout.endswith("(entry 3)\n")


def test_rollback_to_a_named_dataset(run: Run, copy: Workspace) -> None:
    first = AliasCatalogue(copy).history("main")[0].manifest.dataset
    assert run("rollback", "main", "--to", first.rpartition("/")[2], "--yes", "--workspace", copy.url).exit_code == 0
    assert AliasCatalogue(copy).current("main").manifest.dataset == first


@pytest.mark.parametrize(
    ("args", "code"),
    [(["main"], 2), (["main", "--to", "nonsense", "--yes"], 2), (["nope", "--yes"], 3)],
    ids=["unconfirmed", "unknown dataset", "unknown alias"],
)
def test_a_refused_rollback_changes_nothing(run: Run, copy: Workspace, args: list[str], code: int) -> None:
    before = digest_of(copy.list_keys("aliases"))
    assert run("rollback", *args, "--workspace", copy.url).exit_code == code
    assert digest_of(copy.list_keys("aliases")) == before


class TestALogWithATornEntry:
    @pytest.fixture
    def torn(self, copy: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        """Damage an entry of `main`, which was swapped twice."""
        monkeypatch.setenv("ASKREPO_WORKSPACE", copy.url)
        return lambda number: copy.write(f"aliases/main/{number:08d}.json", b"{")

    def test_history_shows_the_others_and_tells_the_torn_one(self, run: Run, torn: Callable[[int], None]) -> None:
        torn(1)
        result = run("history", "main")
        assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)
        assert result.stdout.startswith("*   2  ")
        assert "entry 1: cannot read alias entry" in result.stderr
        assert [line["number"] for line in json_lines(run("history", "main", "--json"))] == [2]

    def test_a_torn_newest_entry_hides_nothing_and_is_cured_by_a_rollback(
        self, run: Run, torn: Callable[[int], None], copy: Workspace
    ) -> None:
        dataset = AliasCatalogue(copy).entry("main", 1).manifest.dataset
        torn(2)
        shown = run("history", "main")
        assert (shown.exit_code, shown.stdout[:6]) == (3, "    1 ")
        assert run("search", "backoff").exit_code == 3
        result = run("rollback", "main", "--yes")
        assert result.exit_code == 0, result.stderr
        assert "main: an entry that cannot be read -> " in result.stdout
        assert AliasCatalogue(copy).current("main").manifest.dataset == dataset
        assert run("search", "backoff").exit_code == 0

    def test_a_rollback_to_the_torn_entry_says_why_not(self, run: Run, torn: Callable[[int], None]) -> None:
        torn(1)
        result = run("rollback", "main", "--to", "1", "--yes")
        assert result.exit_code == 3
        assert "00000001.json: it is not an alias entry" in result.stderr

    @pytest.mark.parametrize("command", ["aliases", "status"])
    def test_the_other_aliases_are_listed(
        self, run: Run, torn: Callable[[int], None], copy: Workspace, command: str
    ) -> None:
        AliasCatalogue(copy).append(replace(AliasCatalogue(copy).entry("main", 1), alias="other"))
        torn(2)
        result = run(command, "--json")
        assert [line["alias"] for line in json_lines(result)] == ["other"]
        assert "00000002.json" in result.stderr
        assert result.exit_code == 3


@pytest.mark.parametrize(
    ("to", "code", "told"),
    [
        ("2", 2, "already points to"),
        ("9", 2, "names no dataset or entry"),
        ("99999999999999999999", 2, "names no dataset or entry"),
        ("9" * 5000, 2, "names no dataset or entry"),
        ("²", 2, "names no dataset or entry"),
        ("\u0661", 2, "names no dataset or entry"),
        ("-1", 2, "names no dataset or entry"),
        ("", 2, "names no dataset or entry"),
        (" ", 2, "names no dataset or entry"),
        ("1", 3, "was removed"),
    ],
    ids=["current", "unknown", "huge", "endless", "superscript", "other digits", "negative", "empty", "blank", "gone"],
)
def test_rollback_checks_before_it_asks(run: Run, copy: Workspace, to: str, code: int, told: str) -> None:
    copy.delete_folder(AliasCatalogue(copy).history("main")[0].manifest.dataset)
    result = run("rollback", "main", "--to", to, "--workspace", copy.url, input="y\n")
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert AliasCatalogue(copy).number("main") == 2


def test_a_misspelt_dataset_is_guessed(run_main: Run, built: BuiltAlias) -> None:
    first = AliasCatalogue(built.workspace).history("main")[0].manifest.dataset.rpartition("/")[2]
    result = run_main("rollback", "main", "--to", "x" + first[1:])
    assert result.exit_code == 2
    assert f"did you mean '{first}'?" in result.stderr


@pytest.mark.parametrize(("typed", "code", "number"), [("n\n", 2, 2), ("\n", 2, 2), ("y\n", 0, 3)])
def test_on_a_terminal_rollback_asks_for_the_very_dataset(
    clean_home: Path, copy: Workspace, typed: str, code: int, number: int
) -> None:
    first = AliasCatalogue(copy).history("main")[0].manifest.dataset.rpartition("/")[2]
    shown = run_on_terminal("rollback", "main", "--workspace", copy.url, typed=typed)
    assert f"to {first} (entry 1)?" in shown.screen
    assert ("nothing was changed" in shown.screen) is (code == 2)
    assert (shown.exit_code, AliasCatalogue(copy).number("main")) == (code, number)


@pytest.mark.parametrize(
    "args", [["status", "-a"], ["search", "x", "-a"], ["history"], ["rollback", "--yes"]], ids=lambda args: args[0]
)
@pytest.mark.parametrize(("typed", "code"), [("mian", 3), ("Main", 2), ("main ", 2)])
def test_a_misspelt_alias_is_guessed(run_main: Run, args: list[str], typed: str, code: int) -> None:
    result = run_main(*args, typed)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.endswith("; did you mean 'main'?\n")
    assert len(result.stderr.splitlines()) == 1


class TestARemovedAlias:
    """`main`, removed after two swaps."""

    @pytest.fixture
    def removed(self, copy: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
        remove_alias("main", workspace=copy, now=datetime(2026, 3, 4, 5, 6, tzinfo=UTC))
        monkeypatch.setenv("ASKREPO_WORKSPACE", copy.url)
        return copy

    @pytest.mark.parametrize(
        "args",
        [["status", "-a", "main"], ["search", "-a", "main", "retry"], ["ask", "-a", "main", "What is it?"]],
        ids=lambda args: args[0],
    )
    def test_readers_are_told_when_it_was_removed_and_what_to_do(
        self, run: Run, removed: Workspace, args: list[str]
    ) -> None:
        result = run(*args)

        assert (result.exit_code, result.stdout) == (3, "")
        assert "alias 'main' was removed on 2026-03-04 05:06 UTC (entry 3)" in result.stderr
        assert "`askrepo rollback main`" in result.stderr

    def test_it_is_not_listed(self, run: Run, removed: Workspace) -> None:
        catalogue = AliasCatalogue(removed)
        catalogue.append(replace(catalogue.entry("main", 1), alias="other"))

        assert [line["alias"] for line in json_lines(run("aliases", "--json"))] == ["other"]
        assert [line["alias"] for line in json_lines(run("status", "--json"))] == ["other"]

    def test_a_workspace_of_nothing_else_counts_as_empty(self, run: Run, removed: Workspace) -> None:
        result = run("aliases")

        assert (result.exit_code, result.stdout) == (3, "")
        assert "no alias in workspace" in result.stderr

    def test_its_history_tells_the_removal_and_marks_no_entry_as_current(self, run: Run, removed: Workspace) -> None:
        newest, *older = run("history", "main").stdout.splitlines()
        dataset = AliasCatalogue(removed).history("main")[-1].manifest.dataset.rpartition("/")[2]

        assert newest.startswith(f"    3  2026-03-04 05:06  removed   {dataset}")
        assert [line[:8] for line in older] == ["    2  2", "    1  2"]
        entries = json_lines(run("history", "main", "--json"))
        assert [(entry["reason"], entry["current"]) for entry in entries] == [
            ("removed", False), ("swap", False), ("swap", False)
        ]  # fmt: skip

    def test_rollback_brings_it_back_with_the_dataset_it_had(self, run: Run, removed: Workspace) -> None:
        before = AliasCatalogue(removed).history("main")[1].manifest

        result = run("rollback", "main", "--yes")

        assert result.exit_code == 0
        assert result.stdout == f"main: removed -> {before.dataset.rpartition('/')[2]} (entry 4)\n"
        assert "main will not be refreshed until askrepo_ingest or aliases.yaml builds it again" in result.stderr
        assert AliasCatalogue(removed).current("main").manifest == before

    def test_rollback_brings_it_back_with_another_dataset(self, run: Run, removed: Workspace) -> None:
        assert run("rollback", "main", "--to", "1", "--yes").exit_code == 0

        first, *_, current = AliasCatalogue(removed).history("main")
        assert current.manifest == first.manifest

    def test_rollback_asks_first(self, run: Run, removed: Workspace) -> None:
        assert run("rollback", "main").exit_code == 2
        assert AliasCatalogue(removed).number("main") == 3

    def test_rollback_tells_when_its_dataset_is_gone(self, run: Run, removed: Workspace) -> None:
        removed.delete_folder("datasets/main")

        result = run("rollback", "main", "--yes")

        assert result.exit_code == 3
        assert "was removed; those that remain: none" in result.stderr


class TestDoctor:
    def test_a_healthy_installation_passes(self, run_main: Run) -> None:
        result = run_main("doctor")
        assert result.exit_code == 0
        assert "FAIL" not in result.stdout
        checks = [check["check"] for check in json_lines(run_main("doctor", "--json"))]
        assert [check for check in checks if not check.startswith("earlier dataset ")] == [
            "versions", "configuration", "workspace", "dataset of main", "embedder of main", "chat model"
        ]  # fmt: skip

    def test_a_missing_dataset_fails_its_check_only(self, run: Run, copy: Workspace) -> None:
        copy.delete_folder("datasets")
        result = run("doctor", "--json", "--workspace", copy.url)
        assert result.exit_code == 3
        assert {check["check"]: check["ok"] for check in json_lines(result)}["dataset of main"] is False
        assert json_lines(result)[-1]["ok"] is True

    @pytest.mark.parametrize("number", [1, 2], ids=["earlier", "current"])
    def test_a_flipped_bit_in_any_dataset_is_told_with_its_file(self, run: Run, copy: Workspace, number: int) -> None:
        manifest = AliasCatalogue(copy).entry("main", number).manifest
        dataset = Path(copy.url_of(manifest.dataset))
        file = max(files_of(dataset), key=lambda path: path.stat().st_size)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

        result = run("doctor", "--json", "--workspace", copy.url)

        assert result.exit_code == 3
        [failed] = [check for check in json_lines(result) if not check["ok"]]
        assert dataset.name in failed["check"] + failed["detail"]
        assert file.name in failed["detail"]
        if number == 2:
            searched = run("search", "retry", "--workspace", copy.url)
            assert (searched.exit_code, searched.stdout) == (3, "")
            assert file.name in searched.stderr
            assert len(searched.stderr.splitlines()) == 1

    def test_what_was_found_before_does_not_count(self, run_main: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("askrepo.store.proof._holds", lambda *_: True)
        read: list[object] = []
        check_digests = inventory.check_digests
        monkeypatch.setattr(
            inventory, "check_digests", lambda place, **digest: (read.append(place), check_digests(place, **digest))
        )
        assert run_main("doctor").exit_code == 0
        assert read

    def test_a_chat_model_without_a_key_is_a_credentials_failure(self, run_main: Run) -> None:
        assert run_main("doctor", env={"ASKREPO_CHAT_MODEL": "gpt-5-mini"}).exit_code == 4

    def test_secrets_are_never_shown(self, run_main: Run) -> None:
        env = {"ASKREPO_CHAT_MODEL": "m", "ASKREPO_OPENAI_API_KEY": "sk-very-secret"}
        assert "sk-very-secret" not in run_main("doctor", env=env).output

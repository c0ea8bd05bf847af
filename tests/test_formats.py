"""What is stored and what the command shows stay as they were: digests, an alias's entry, exit codes, help.

`tests/formats.json` has what they are. Who changes one on purpose writes it anew with `python -m tests.test_formats`,
and sees in the difference what will change for datasets and scripts that are out there.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from askrepo_query.cli import main
from tests.datasets import BuiltAlias, build_alias, run_stages

KNOWN = Path(__file__).with_name("formats.json")
FILES: dict[str, str | bytes] = {
    "README.md": "# Parcel\n\nParcel delivers messages.\n\n## Use\n\n- `Queue.put`.\n\n### Retries\n\nThey back off.\n",
    "docs/guide.rst": "Guide\n=====\n\nHow to wait\n-----------\n\nSet ``PARCEL_TIMEOUT`` to seconds.\n",
    "src/queue.py": (
        '"""Queues."""\n\nimport time\n\nLIMIT = 3\n\n\nclass Queue:\n    """First in, first out."""\n\n'
        "    def put(self, message: str) -> None:\n        self.items.append(message)\n\n"
        "    def backoff(self, attempt: int) -> float:\n        return 2.0**attempt\n\n\n"
        "def drain(queue: Queue) -> None:\n    while queue.items:\n        time.sleep(queue.backoff(1))\n"
    ),
    "src/retry.go": "package parcel\n\n// Retry tries again.\nfunc Retry(times int) error {\n\treturn nil\n}\n",
    "src/view.ts": "export interface View { id: string }\n\nexport function show(it: View) {\n  return it.id\n}\n",
    "tests/test_queue.py": "def test_put():\n    assert Queue().put('a') is None\n",
    "config/parcel.toml": "[queue]\nlimit = 3\n",
    "latin.txt": "Stra\xdfe, caf\xe9, na\xefve\n".encode("latin-1"),
    "tables.sql": "CREATE TABLE parcels (id INTEGER, text TEXT);\n" * 40,
    ".gitattributes": "gen/** linguist-generated\n",
    "gen/made.py": "MADE = 1\n",
    "logo.png": b"\x89PNG\0\0binary",
    "empty.txt": "",
}
COMMANDS = (
    "search backoff --alias main",
    "search zzqqxx --alias main --strategy bm25",
    "search backoff --alias other",
    "search backoff --strategy none",
    "ask backoff --alias main",
    "aliases",
    "status",
    "history main",
    "rollback main --to nothing",
    "doctor",
    "completion bash",
    "no-such-command",
)


def entries(alias: BuiltAlias) -> list[Any]:
    """Both entries as the workspace holds them; what depends on the machine or the time is left out."""
    folder = Path(alias.workspace.url.removeprefix("file://"), "aliases", alias.alias)
    return [comparable(file.read_text(), alias) for file in sorted(folder.iterdir())]


def comparable(text: str, alias: BuiltAlias) -> Any:
    text = text.replace(alias.repositories[0].url, "URL")
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "TIME", text)
    text = re.sub(r"\d{8}t\d{6}z-[0-9a-f]{6}", "DATASET", text)
    text = re.sub(r"snapshots/[^/\"]*/", "snapshots/REPOSITORY/", text)
    found = json.loads(text)
    manifest = found["manifest"]
    manifest["report"]["seconds"] = sorted(manifest["report"]["seconds"])
    for name in ("definition_digest", "inventory", "files_digest"):
        manifest[name] = len(manifest[name])
    return found


def helps() -> dict[str, list[str]]:
    """The help of the command and of each of its commands, by name."""
    names = [[], *([name] for name in sorted(main.commands))]
    runner = CliRunner(env={"COLUMNS": "100", "TERM": "dumb"})
    return {" ".join(["askrepo", *name]): runner.invoke(main, [*name, "--help"]).output.splitlines() for name in names}


def exit_codes(alias: BuiltAlias) -> dict[str, int]:
    root = Path(alias.workspace.url.removeprefix("file://")).parent
    env = {"ASKREPO_WORKSPACE": alias.workspace.url, "ASKREPO_CACHE": str(root / "cache"), "HOME": str(root)}
    return {command: CliRunner(env=env).invoke(main, command.split()).exit_code for command in COMMANDS}


def build(root: Path) -> BuiltAlias:
    """An alias with two datasets: one built whole, one that took over what had not changed."""
    alias = build_alias(root, FILES, name="parcel")
    alias.repositories[0].commit({"src/new.py": "def fresh():\n    return 'fresh'\n", "tables.sql": None})
    run_stages(alias.definition, workspace=alias.workspace, settings=alias.settings)
    return alias


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    return build(tmp_path_factory.mktemp("formats"))


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    return json.loads(KNOWN.read_text())


def test_the_same_files_give_the_same_digests_and_entries(built: BuiltAlias, known: dict[str, Any]) -> None:
    assert entries(built) == known["entries"]


def test_exit_codes_stay(built: BuiltAlias, known: dict[str, Any], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert exit_codes(built) == known["exit_codes"]


def test_help_stays(known: dict[str, Any]) -> None:
    assert isinstance(main, click.Group)
    assert helps() == known["help"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = build(Path(folder))
        values = {"entries": entries(made), "exit_codes": exit_codes(made), "help": helps()}
    KNOWN.write_text(json.dumps(values, indent=1) + "\n")
    sys.stdout.write(f"wrote {KNOWN}\n")

"""The README and docs tell the truth: commands, options, settings and links exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import askrepo
from askrepo.receipts.store import Use
from askrepo_query.log import _use_line
from benchmarks import headline
from tools import command_page, settings_page

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
MAX_README_LINES = 130
MAX_RESULTS_LINES = 120
# Pages that another page leads to.
BEHIND_OTHERS = {"docs/lab-notebook.md"}
DEVELOPMENT = (ROOT / "docs" / "development.md").read_text()
COMMAND = (ROOT / "docs" / "command.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def shell_lines(text: str) -> list[str]:
    """Lines of the fenced `sh` blocks, without prompts, outputs and comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line and line[0] not in "#>"]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z][a-z-]*)", README + DEVELOPMENT))))
def test_every_make_target_in_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize(
    "line", sorted({line for line in shell_lines(README + COMMAND) if line.startswith("askrepo ")})
)
def test_every_command_line_of_the_pages_parses(line: str) -> None:
    command, *rest = line.split()[1:]
    options = re.findall(r"(?<=\s)(--[a-z-]+|-[a-zA-Z])\b", " " + " ".join(rest))
    help_text = subprocess.run(
        [sys.executable, "-m", "askrepo_query", command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [option for option in options if option not in help_text] == []


def test_the_page_of_settings_and_the_example_are_current() -> None:
    """Otherwise: python -m tools.settings_page."""
    assert settings_page.PAGE.read_text() == settings_page.settings_page()
    example = settings_page.EXAMPLE.read_text()
    assert example == settings_page.example_file(example)


def test_the_reference_of_the_command_is_current() -> None:
    """Otherwise: python -m tools.command_page."""
    assert command_page.PAGE.read_text() == command_page.command_page()


def test_the_readme_is_short_and_names_every_page() -> None:
    assert len(README.splitlines()) <= MAX_README_LINES
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages - set(re.findall(r"\]\(([^)#]+)", README)) - BEHIND_OTHERS == set()


def test_the_results_are_those_of_the_lab_notebook() -> None:
    """Otherwise: python -m benchmarks.headline."""
    page = headline.PAGE.read_text()
    assert page == headline.with_headline(page, headline.NOTEBOOK.read_text())
    assert "origin's recipe |" in page


def test_the_results_fit_two_pages() -> None:
    assert len(headline.PAGE.read_text().splitlines()) <= MAX_RESULTS_LINES


def test_the_glossary_is_in_order() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "concepts.md").read_text(), flags=re.MULTILINE)
    assert rows[:1] == ["word"]
    assert rows[1:] == sorted(rows[1:], key=str.lower)


def test_no_file_reads_or_names_a_setting_that_the_table_has_not() -> None:
    known = {setting.name for setting in settings_page.ALL}
    folders = ("askrepo", "query", "plugins", "dags", "tools", "docs")
    files = [ROOT / "README.md", *(file for folder in folders for file in (ROOT / folder).rglob("*.[pm][yd]"))]
    named = {name for file in files for name in re.findall(r"\bASKREPO_[A-Z_]*[A-Z]\b", file.read_text())}
    allowed = {name for name in named if name.startswith(("ASKREPO_AIRFLOW__", "ASKREPO_CHAT_MAX_"))}
    assert named - known - allowed == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_changelog_names_the_version() -> None:
    assert f"## {askrepo.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_requirements_name_no_host_and_pin_every_direct_dependency() -> None:
    locked = (ROOT / "requirements.txt").read_text()
    assert "://" not in locked
    pinned = {re.split(r"[=\[]", line, maxsplit=1)[0] for line in locked.splitlines() if "==" in line}
    direct = [line for line in (ROOT / "requirements.in").read_text().splitlines() if line and line[0] != "#"]
    assert all("#" in line for line in direct), "a direct dependency without its reason"
    assert {re.split(r"[=<>\[ ]", line, maxsplit=1)[0] for line in direct} <= pinned


def test_samples_of_kept_answers_are_of_one_session_and_in_the_command_s_own_words() -> None:
    listed = re.findall(r"^([0-9a-f]{8})  (\S{10}) \d\d:\d\d  itsdangerous  (.+)$", COMMAND, flags=re.MULTILINE)
    (used,) = re.findall(
        r"^((\S+)  (\S+)  (\d) answers  ([\d,]+) tokens in, (\d+) out  ([\d.]+) s)$", COMMAND, re.MULTILINE
    )
    line, day, model, answers, tokens_in, tokens_out, seconds = used
    count = int(tokens_in.replace(",", ""))
    assert _use_line(Use(day, model, int(answers), count, int(tokens_out), 0, float(seconds))) == line
    assert ([each[1] for each in listed], int(answers)) == ([day] * 2, 2)
    (shown,) = re.findall(r"^\$ askrepo log show (\w+)$\n(.+)", COMMAND, flags=re.MULTILINE)
    (rechecked,) = re.findall(r"^\$ askrepo recheck (\w+)$\n(\w+)  (.+)", COMMAND, flags=re.MULTILINE)
    assert [listed[0][0].startswith(shown[0]), shown[1]] == [True, listed[0][2]]
    assert [rechecked[1].startswith(rechecked[0]), rechecked[1:]] == [True, (listed[1][0], listed[1][2])]

"""The current directory may be a cloned repository: it can say what to ask, and nothing else of it is read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.datasets import BuiltAlias
from tests.query.conftest import Run, json_lines

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).with_name("askrepo")
IMPORTED = (
    "askrepo", "askrepo_query", "click", "deeplake", "json", "langchain_openai", "numpy", "obstore", "onnxruntime",
    "pyarrow", "sitecustomize", "tokenizers", "tomllib", "usercustomize",
)  # fmt: skip
RELATIVE_OPEN = re.compile(r'AT_FDCWD, "((?!/)[^"]+)"|(?:open|stat|access|readlink)\("((?!/)[^"]+)"')


@pytest.mark.parametrize(
    ("text", "args", "paths"),
    [
        ('path = "*.ts"', [], {"src/queue.ts"}),
        ('path = ["*.ts", "README*"]', [], {"src/queue.ts", "README.md"}),
        ('language = ["typescript"]', [], {"src/queue.ts"}),
        ('path = "*.ts"', ["--path", "README*"], {"README.md"}),
        ('language = "python"', ["--language", "typescript"], {"src/queue.ts"}),
    ],
    ids=["path", "paths", "language", "option wins over path", "option wins over language"],
)
def test_project_file_narrows_what_is_asked_and_the_note_says_so(
    run_main: Run, clean_home: Path, text: str, args: list[str], paths: set[str]
) -> None:
    (clean_home / "askrepo.toml").write_text(text)
    result = run_main("search", "message", "--json", *args)
    assert {hit["path"] for hit in json_lines(result)} == paths
    assert ("as the settings say" in result.stderr) == (not args)


@pytest.mark.parametrize("command", [["search", "x"], ["ask", "x"], ["aliases"], ["doctor"], ["chat"]], ids=" ".join)
def test_project_file_that_sends_anything_elsewhere_stops_every_command(
    run_main: Run, clean_home: Path, command: list[str]
) -> None:
    (clean_home / "askrepo.toml").write_text('chat_model = "s3cret-value"')
    result = run_main(*command)
    assert "chat_model may not be set in a project's file" in str(result.exception) + result.stderr
    assert "s3cret-value" not in result.output
    assert result.exit_code == 2


def test_no_module_and_no_file_of_the_current_directory_is_read(built: BuiltAlias, tmp_path: Path) -> None:
    hostile, home, trace = tmp_path / "hostile", tmp_path / "home", tmp_path / "trace"
    hostile.mkdir()
    home.mkdir()
    for name in IMPORTED:
        (hostile / f"{name}.py").write_text("raise SystemExit('a file of the current directory was run')")
    for name in (".env", ".netrc", ".gitconfig", "pyvenv.cfg", "config.toml"):
        (hostile / name).write_text("ASKREPO_WORKSPACE=/nowhere\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "ASKREPO_WORKSPACE": built.workspace.url}
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=open,openat,stat,lstat,newfstatat,access,readlink", "-o", trace, SCRIPT,
         "search", "backoff", "-k", "1"],
        cwd=hostile, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1. src/retry.py:")
    opened = {first or second for first, second in RELATIVE_OPEN.findall(trace.read_text())}
    assert opened == {"askrepo.toml"}


@pytest.mark.parametrize(
    ("args", "workspace", "code", "told"),
    [
        (["search", "message"], None, 0, ""),
        (["doctor"], None, 0, ""),
        (["aliases"], "relative", 2, "'relative': the current directory was removed: write the whole path"),
    ],
    ids=["search", "doctor", "relative workspace"],
)
def test_a_directory_that_is_gone_stops_nothing(
    built: BuiltAlias, clean_home: Path, tmp_path: Path, args: list[str], workspace: str | None, code: int, told: str
) -> None:
    (tmp_path / "gone").mkdir()
    script = 'cd gone && rmdir ../gone && exec "$@"'
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ASKREPO_WORKSPACE": workspace or built.workspace.url}
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "askrepo_query", *args]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done
    assert told in done.stderr
    assert len(done.stderr.splitlines()) <= 1

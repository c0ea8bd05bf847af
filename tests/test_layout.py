"""The house's only arrows: dags → plugins → askrepo ← query. Read from the source, so that lazy imports count too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "askrepo": {"airflow", "click", "askrepo_operators", "query", "tools", "tests"},
    "query": {"airflow", "askrepo_operators", "tools", "tests"},
    "plugins": {"click", "query", "tools", "tests"},
    "dags": {"click", "query", "tools", "tests"},
    "tools": {"airflow", "click", "query", "tests"},
}
BOTTOM = {"types", "errors", "settings", "telemetry"}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(file: Path) -> Iterator[str]:
    """Dotted names of all modules that the file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_arrows_point_to_the_core(folder: str) -> None:
    wrong = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in modules(folder)
        for name in imported(file)
        if name.split(".")[0] in FORBIDDEN[folder]
    }

    assert modules(folder)
    assert wrong == set()


def test_all_imports_are_absolute() -> None:
    relative = [file for folder in FORBIDDEN for file in modules(folder) for name in imported(file) if name[0] == "."]

    assert relative == []


def test_bottom_of_the_core_imports_only_itself() -> None:
    ours = {
        f"{module} imports {name}"
        for module in BOTTOM
        for name in imported(ROOT / "askrepo" / f"{module}.py")
        if name.startswith("askrepo") and name.removeprefix("askrepo.") not in BOTTOM
    }

    assert ours == set()


def test_operators_live_in_one_package_that_airflow_does_not_scan() -> None:
    ignored = (ROOT / "plugins" / ".airflowignore").read_text(encoding="utf-8").splitlines()

    assert {file.parent.name for file in modules("plugins")} == {"askrepo_operators"}
    assert "askrepo_operators/" in ignored

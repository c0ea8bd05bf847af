"""The house's only arrows: dags → plugins → askrepo ← query, and inside the core from a room to those before it.

Read from the source, so that lazy imports count too.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "askrepo": {"airflow", "click", "askrepo_operators", "askrepo_query", "tools", "tests"},
    "query": {"airflow", "askrepo_operators", "tools", "tests"},
    "plugins": {"click", "askrepo_query", "tools", "tests"},
    "dags": {"click", "askrepo_query", "tools", "tests"},
    "tools": {"airflow", "click", "askrepo_query", "tests"},
}
BOTTOM = {"errors", "types", "settings", "config_file", "telemetry"}
ROOMS = {
    "text": set(),
    "files": {"text"},
    "chunking": set(),
    "workspace": set(),
    "git": {"files", "workspace"},
    "embedders": {"text"},
    "store": {"files", "workspace", "embedders"},
    "aliases": {"text", "workspace", "git", "embedders", "store"},
    "housekeeping": {"text", "workspace", "store", "aliases"},
    "pipeline": {
        "text",
        "files",
        "chunking",
        "workspace",
        "git",
        "embedders",
        "store",
        "aliases",
        "housekeeping",
    },
    "search": {"text", "files", "chunking", "git", "store", "aliases"},
    "answer": {"text", "files", "git", "embedders", "store", "aliases", "search"},
    "receipts": {"text", "workspace", "aliases", "search", "answer"},
    "langchain": {"store", "aliases", "search"},
}
"""The rooms of the core in their order, and those that each one imports from: always rooms before it."""
PACKAGES = sorted(
    ".".join(file.relative_to(ROOT).parent.parts)
    for file in (ROOT / "askrepo").rglob("__init__.py")
    if file.parent.name != "askrepo"
)


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@functools.cache
def imported(file: Path) -> tuple[str, ...]:
    """Dotted names of all that the file imports, wherever in it: modules, and what is taken out of them."""
    return tuple(_imported(file))


def _imported(file: Path) -> Iterator[str]:
    known: dict[str, str] = {}
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            known |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            yield f"{known[node.value.id]}.{node.attr}"


def offered(package: str) -> list[str]:
    """What a package's `__init__` names in `__all__`; there is nothing in it but a docstring and that."""
    text, names = ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text(encoding="utf-8")).body
    assert isinstance(text, ast.Expr)
    assert isinstance(names, ast.Assign)
    assert ast.unparse(names.targets[0]) == "__all__"
    return ast.literal_eval(names.value)


def parts_of(package: str, files: Iterable[Path]) -> set[str]:
    """The modules and packages of a package that files import, or import from."""
    names = {full for file in files for full in imported(file) if full.startswith(f"{package}.")}
    parts = {name.removeprefix(f"{package}.").split(".")[0] for name in names}
    folder = ROOT / package.replace(".", "/")
    return {part for part in parts if (folder / f"{part}.py").exists() or (folder / part).is_dir()}


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


def test_the_top_level_holds_nothing_that_a_test_left_there() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    folders = {path.split("/")[0] for path in tracked.splitlines() if "/" in path}

    assert folders == {".ci", "askrepo", "benchmarks", "dags", "docs", "plugins", "query", "tests", "tools"}


def test_all_imports_are_absolute() -> None:
    relative = [file for folder in FORBIDDEN for file in modules(folder) for name in imported(file) if name[0] == "."]

    assert relative == []


def test_the_core_is_its_rooms_and_what_is_below_them() -> None:
    beside = {file.stem for file in (ROOT / "askrepo").glob("*.py")} - {"__init__"}
    rooms = {file.parent.name for file in (ROOT / "askrepo").glob("*/__init__.py")}

    assert (beside, rooms) == (BOTTOM, set(ROOMS))


def test_bottom_of_the_core_imports_only_itself() -> None:
    ours = {
        f"{module} imports {name}"
        for module in BOTTOM
        for name in imported(ROOT / "askrepo" / f"{module}.py")
        if name.startswith("askrepo.") and name.split(".")[1] not in BOTTOM
    }

    assert ours == set()


def test_rooms_import_only_from_the_rooms_before_them_that_the_table_names() -> None:
    arrows = {
        room: {
            name.split(".")[1]
            for file in modules(f"askrepo/{room}")
            for name in imported(file)
            if name.startswith("askrepo.") and name.split(".")[1] not in {room, *BOTTOM}
        }
        for room in ROOMS
    }
    order = list(ROOMS)

    assert arrows == ROOMS
    assert [(room, at) for room in order for at in ROOMS[room] if order.index(at) >= order.index(room)] == []


@pytest.mark.parametrize("package", PACKAGES, ids=PACKAGES)
def test_a_package_names_the_modules_that_others_may_import(package: str) -> None:
    named = offered(package)
    inside = modules(package.replace(".", "/"))
    users = [file for folder in FORBIDDEN for file in modules(folder) if file not in inside]
    seen = "".join(file.read_text(encoding="utf-8") for file in [ROOT / "README.md", *modules("benchmarks")])

    assert named == sorted(set(named))
    assert parts_of(package, users) - set(named) == set()
    assert [name for name in set(named) - parts_of(package, users) if f"{package}.{name}" not in seen] == []


def unused_in_its_module(module: Path) -> Iterator[str]:
    """Public names that a module defines and does not use."""
    nodes = ast.parse(module.read_text(encoding="utf-8")).body
    used = [{each.id for each in ast.walk(node) if isinstance(each, ast.Name)} for node in nodes]
    for at, node in enumerate(nodes):
        for target in getattr(node, "targets", [getattr(node, "target", node)]):
            name = getattr(target, "name", getattr(target, "id", "_"))
            if name[0] != "_" and not any(name in names for other, names in enumerate(used) if other != at):
                yield name


def test_nothing_public_in_the_core_is_for_tests_or_benchmarks_alone() -> None:
    pages = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/command.md"))
    used = {name for folder in FORBIDDEN for file in modules(folder) for name in imported(file)}
    unused = [
        f"{dotted}.{name}"
        for module in modules("askrepo")
        for dotted in [".".join(module.relative_to(ROOT).with_suffix("").parts)]
        for name in unused_in_its_module(module)
        if f"{dotted}.{name}" not in used and f"{name}`" not in pages
    ]

    assert unused == ["askrepo.chunking.parser_process.serve", "askrepo.chunking.spans.answer_split"]  # PARSER_CODE


def test_one_module_spells_the_keys_of_the_workspace() -> None:
    spelled = re.compile(
        r"(?:aliases|claims|datasets|definitions|files|runs|snapshots|watched)/|/(?:load|split|embed)/"
    )
    found = {
        f"{file.relative_to(ROOT)}:{node.lineno} {node.value!r}"
        for folder in ("askrepo", "query", "plugins")
        for file in modules(folder)
        if file != ROOT / "askrepo" / "workspace" / "keys.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value
        if spelled.match(node.value)
    }

    assert found == set()


def test_tests_mirror_the_rooms() -> None:
    rooms = {folder.name for folder in (ROOT / "tests" / "core").iterdir() if (folder / "__init__.py").exists()}

    assert rooms == set(ROOMS)


def test_operators_live_in_one_package_that_airflow_does_not_scan() -> None:
    ignored = (ROOT / "plugins" / ".airflowignore").read_text(encoding="utf-8").splitlines()

    assert {file.parent.name for file in modules("plugins")} == {"askrepo_operators"}
    assert "askrepo_operators/" in ignored

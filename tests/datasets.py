"""Small aliases built through the real stages: a git repository, clone, load, split, embed, build and swap.

built = build_alias(tmp_path, {"a.py": "def retry(): …"})
search("retry", readers=[built.reader])

Building takes about a second, so share one among the tests of a module:

@pytest.fixture(scope="module")
def alias(tmp_path_factory):
    return build_alias(tmp_path_factory.mktemp("alias"), FILES)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from askrepo.aliases.readers import AliasReader, open_alias
from askrepo.embedders.embedder import Embedder
from askrepo.settings import Settings
from askrepo.types import AliasEntry, Definition
from askrepo.workspace.objects import Workspace
from benchmarks.in_process import run_until_embedded
from tests.conftest import GitRepository

Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class BuiltAlias:
    """An alias with everything it came from."""

    alias: str
    workspace: Workspace
    settings: Settings
    definition: Definition
    repositories: tuple[GitRepository, ...]
    entry: AliasEntry

    @property
    def reader(self) -> AliasReader:
        """A fresh reader of the alias's current dataset."""
        return open_alias(self.alias, workspace=self.workspace, settings=self.settings)


def build_alias(
    root: Path,
    files: Files,
    *,
    alias: str = "main",
    name: str = "project",
    others: Mapping[str, Files] | None = None,
    workspace: Workspace | None = None,
    embedder: str = "hash",
) -> BuiltAlias:
    """An alias over one repository, or over several.

    :param root: an empty directory; the repositories and, unless one is given, the workspace are made in it.
    :param others: further repositories by name, with their files.
    """
    contents = {name: files, **(others or {})}
    repositories = tuple(GitRepository(root / "repositories" / alias / each) for each in contents)
    for repository, content in zip(repositories, contents.values(), strict=True):
        repository.commit(content)
    workspace = workspace or Workspace.open(str(root / "workspace"))
    environment = {"WORKSPACE": workspace.url, "CACHE": str(root / "cache"), "ANSWERS": str(root / "answers.db")}
    settings = Settings.from_env({f"ASKREPO_{name}": value for name, value in environment.items()})
    definition = Definition(alias, tuple(repository.url for repository in repositories), embedder=embedder)
    entry = run_stages(definition, workspace=workspace, settings=settings)
    return BuiltAlias(alias, workspace, settings, definition, repositories, entry)


def run_stages(
    definition: Definition, *, workspace: Workspace, settings: Settings, embedder: Embedder | None = None
) -> AliasEntry:
    """One passage of the pipeline in this process: the repositories as they are now become the alias's dataset."""
    return run_until_embedded(definition, workspace=workspace, settings=settings, embedder=embedder).finish()

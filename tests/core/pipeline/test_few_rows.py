"""Every stage with no row, one and two: repositories that shrink to nothing and grow again, for each embedder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.readers import open_alias
from askrepo.embedders.embedder import Embedder, open_embedder
from askrepo.errors import NothingToIndexError
from askrepo.pipeline.embed import embed_chunks
from askrepo.search.search import STRATEGIES, search
from askrepo.settings import Settings
from askrepo.types import AliasEntry, ChunkShard, Definition
from askrepo.workspace.objects import Workspace
from askrepo.workspace.tables import chunks_schema, vectors_schema, write_table
from tests import fakes
from tests.conftest import GitRepository
from tests.datasets import run_stages

pytestmark = pytest.mark.slow

ALPHA = {"alpha.py": "def alpha():\n    return 1\n"}
BETA = {"beta.py": "def beta():\n    return 2\n"}
NO_ALPHA, NO_BETA = {"alpha.py": None}, {"beta.py": None}


@dataclass
class TinyAlias:
    """An alias over one repository, refreshed after each commit."""

    repository: GitRepository
    workspace: Workspace
    settings: Settings
    embedder: Embedder
    include: tuple[str, ...] = ()

    def refresh(self, files: Mapping[str, str | bytes | None]) -> AliasEntry:
        self.repository.commit(files)
        definition = Definition("main", (self.repository.url,), include=self.include, embedder=self.embedder.spec)
        return run_stages(definition, workspace=self.workspace, settings=self.settings, embedder=self.embedder)

    def refused(self, files: Mapping[str, str | bytes | None]) -> str:
        """What a refresh that has nothing to build says; the alias stays where it is."""
        before = AliasCatalogue(self.workspace).number("main")
        with pytest.raises(NothingToIndexError) as refused:
            self.refresh(files)
        assert AliasCatalogue(self.workspace).number("main") == before
        return str(refused.value)

    def found(self) -> list[set[str]]:
        """The paths that each strategy finds."""
        reader = open_alias("main", workspace=self.workspace, settings=self.settings)
        return [{hit.chunk.path for hit in search("alpha beta", readers=[reader], strategy=one)} for one in STRATEGIES]


@pytest.fixture(scope="module")
def model_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(params=["hash", "local", "openai:tiny"])
def alias(request, tmp_path, make_repository, model_cache) -> Iterator[TinyAlias]:
    yield from tiny_alias(request.param, tmp_path, make_repository("project"), model_cache)


def tiny_alias(spec: str, root: Path, repository: GitRepository, cache: Path) -> Iterator[TinyAlias]:
    with fakes.OpenAIServer() as server:
        workspace = Workspace.open(str(root / "workspace"))
        values = {"ASKREPO_WORKSPACE": workspace.url, "ASKREPO_CACHE": str(cache), "OPENAI_BASE_URL": server.base_url}
        embedder = open_embedder(spec, cache=cache, base_url=server.base_url)
        settings = Settings.from_env({**values, "ASKREPO_MIN_SIZE_RATIO": "0"})
        yield TinyAlias(repository, workspace, settings, embedder)


def test_alias_of_two_rows_shrinks_to_one_and_to_none_and_grows_again(alias):
    assert alias.refresh(ALPHA | BETA).manifest.chunks == 2
    shrunk = alias.refresh(NO_BETA).manifest
    assert (shrunk.chunks, shrunk.report["chunks"]) == (1, {"carried": 1, "embedded": 0, "reused": 1})
    assert alias.found() == [{"alpha.py"}] * len(STRATEGIES)
    assert "found no files at all" in alias.refused(NO_ALPHA)
    assert alias.found() == [{"alpha.py"}] * len(STRATEGIES)
    assert alias.refresh(BETA).manifest.chunks == 1
    assert alias.found() == [{"beta.py"}] * len(STRATEGIES)


@pytest.mark.parametrize(
    ("include", "files", "found"),
    [
        ((), {}, "no files at all"),
        ((), {"logo.png": b"\x89PNG\0\0"}, "1 binary"),
        ((), {"empty.txt": "", "blank.txt": "\n \n"}, "2 empty"),
        (("*.nothing",), {**ALPHA, **BETA}, "2 excluded"),
    ],
    ids=["no files", "only binaries", "only empty files", "pattern that matches nothing"],
)
def test_repository_without_text_is_refused_with_what_was_found(
    tmp_path, make_repository, model_cache, include, files, found
):
    for alias in tiny_alias("hash", tmp_path, make_repository("project"), model_cache):
        alias.include = include
        message = alias.refused(files)
        assert f"found {found}" in message
        assert "check the repositories and the include and exclude patterns" in message


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_shard_of_few_rows_is_embedded_and_found_again(workspace, rows):
    names = [f"{number}.py" for number in range(rows)]
    texts = dict.fromkeys(("id", "path", "text"), names)
    numbers = dict.fromkeys(("start_line", "end_line", "tokens"), [1] * rows)
    columns = {name: [""] * rows for name in chunks_schema().names} | texts | numbers
    write_table(workspace, "chunks.parquet", pa.table(columns, schema=chunks_schema()))
    shard = ChunkShard(0, "chunks.parquet", chunks=rows, tokens=rows, digest="")
    with fakes.OpenAIServer() as server:
        embedder = open_embedder("openai:tiny", cache=Path(), base_url=server.base_url)
        first, second = (
            embed_chunks(shard, workspace=workspace, run="runs/main/1", embedder=embedder, current_vectors=None)
            for _ in range(2)
        )
    assert (first.computed, second.computed, second.reused) == (rows, 0, rows)
    assert second.dimension == (server.dimension if rows else 0)


def test_lists_of_vectors_have_any_size_where_nobody_knows_it():
    """Parquet's writer ends the process by a signal on lists of size 0."""
    assert not pa.types.is_fixed_size_list(vectors_schema(0).field("vector").type)
    assert vectors_schema(3).field("vector").type.list_size == 3

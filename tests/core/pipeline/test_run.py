"""The stages of a run, each by a `Run` of its own that knows nothing but what the others returned."""

from dataclasses import replace

import pytest

from askrepo.errors import VerificationError
from askrepo.pipeline.run import Run
from askrepo.settings import Settings
from askrepo.types import Definition, FileShard
from askrepo.workspace.objects import Workspace
from tests.datasets import build_alias

FILES = {"a.py": "def first():\n    pass\n", "b.py": "def second():\n    pass\n"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build_alias(tmp_path_factory.mktemp("alias"), FILES)


@pytest.fixture
def run(built):
    """Makes a new equal run for each stage."""
    settings = replace(built.settings, allow_local=True)
    return lambda **changes: Run(
        **{"definition": built.definition, "workspace": built.workspace, "settings": settings, "run_id": "x", **changes}
    )


@pytest.fixture
def comparison(run, built):
    return run().compare(built.entry.manifest.snapshots, number=1)


def test_stages_of_separate_runs_come_to_the_same_dataset(run, built):
    snapshots = [run().clone(repository) for repository in run().plan()]
    comparison = run().compare(snapshots, number=run().number())
    loads = [run().load(snapshot, comparison) for snapshot in snapshots]
    chunks = [run().split(shard, comparison) for shard in run().gather(loads)]
    vectors = [run().embed(shard, comparison) for shard in chunks]
    manifest = run().build(snapshots, loads, vectors, comparison, clone_s=2.0)
    entry = run().swap(manifest, comparison)

    assert (loads[0].carried, sum(shard.computed for shard in vectors)) == (2, 0)
    assert (manifest.digest, manifest.report["seconds"]["clone"]) == (built.entry.manifest.digest, 2.0)
    assert (entry.number, entry.manifest.dataset) == (2, manifest.dataset)


def test_split_has_nothing_to_copy_from_when_nothing_is_carried_over(run, comparison):
    snapshots = run().clone(run().plan()[0])
    load = run().load(snapshots, comparison)
    moved = replace(comparison, carry=False)

    with pytest.raises(VerificationError, match="this run has no dataset to copy them from; start a new run"):
        run()._open_carried(moved)
    assert run().split(FileShard(0, load.parts), moved).chunks == 0


def test_embed_refuses_another_embedder_than_compare_saw(run, comparison):
    with pytest.raises(VerificationError, match="install the same askrepo on all workers"):
        run().embed(None, replace(comparison, fingerprint="another"))


def test_the_embedder_is_opened_once_as_the_settings_say(tmp_path):
    settings = Settings.from_env(
        {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "ASKREPO_CACHE": str(tmp_path)}
    )
    definition = Definition("main", ("https://h.org/a/b",), embedder="openai:small")
    run = Run(definition, Workspace.open(str(tmp_path / "workspace")), settings, "x")
    elsewhere = replace(run, settings=replace(settings, openai_base_url="http://127.0.0.1:8/v1"))

    assert run.embedder is run.embedder
    assert run.embedder.fingerprint != elsewhere.embedder.fingerprint

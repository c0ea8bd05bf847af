"""The values between stages survive the way through XCom and refuse nonsense."""

from __future__ import annotations

import json

import pytest

from askrepo import types
from askrepo.errors import UsageError

SNAPSHOT = types.Snapshot("o/n", "https://h/o/n", None, "a" * 40, "2026-01-02T03:04:05+00:00", "snapshots/x.tar", 7)
MANIFEST = types.DatasetManifest(
    dataset="datasets/main/1",
    alias="main",
    run="runs/main/1",
    created_at="2026-01-02T03:04:05+00:00",
    definition=types.Definition("main", ("https://h/o/n",), include=("*.py",)),
    definition_digest="d",
    snapshots=(SNAPSHOT,),
    embedder=types.EmbedderStamp("hash", "f", 64),
    files=3,
    loaded=2,
    skipped={"binary": 1},
    chunks=5,
    tokens=99,
    digest="e",
    report={"computed": 5},
)
CHUNKS = types.ChunkShard(0, "k", 5, 99, "d")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (SNAPSHOT, types.snapshot_from),
        (types.LoadManifest(SNAPSHOT, ("p",), (9,), 3, 2, {"binary": 1}, 9), types.load_manifest_from),
        (types.FileShard(0, ("p", "q")), types.file_shard_from),
        (CHUNKS, types.chunk_shard_from),
        (types.VectorShard(0, CHUNKS, "v", 64, 4, 1, 80), types.vector_shard_from),
        (MANIFEST, types.dataset_manifest_from),
        (types.AliasEntry("main", 1, "2026-01-02T03:04:05+00:00", "swap", MANIFEST), types.alias_entry_from),
    ],
    ids=lambda value: type(value).__name__ if not callable(value) else "",
)
def test_json_round_trip(value: object, read: object) -> None:
    assert read(json.loads(json.dumps(types.to_json(value)))) == value  # type: ignore[operator]


@pytest.mark.parametrize("alias", ["", "Main", "../x", "a/b", "-a", "a" * 65, "a b", "ä", "a\n"])
def test_an_alias_that_could_not_be_a_folder_is_refused(alias: str) -> None:
    with pytest.raises(UsageError, match="alias"):
        types.check_alias(alias)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"repositories": ["u"]}, "no alias"),
        ({"alias": "a", "repositories": []}, "no repository"),
        ({"alias": "a", "repositories": ["  "]}, "no repository"),
        ({"alias": "a", "repositories": "https://h/x"}, "list of strings"),
        ({"alias": "a", "repositories": ["u"], "include": [1]}, "include must be a list"),
        ({"alias": "a", "repositories": ["u"], "include": ["https://u:s3cret@h"]}, "include has a URL"),
        ({"alias": "a", "repositories": ["u"], "exclude": ["https://u:s3cret@h"]}, "exclude has a URL"),
        ({"alias": "https://u:s3cret@h", "repositories": ["u"]}, "^this is not an alias name"),
        ({"alias": ["s3cret"], "repositories": ["u"]}, "alias must be text, found list"),
        ({"alias": "a", "repositories": ["u"], "embedder": ["s3cret"]}, "embedder must be text, found list"),
    ],
)
def test_a_definition_says_what_is_wrong(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        types.Definition.from_mapping(values)

    assert "s3cret" not in str(caught.value)


def test_a_definition_ignores_what_it_does_not_know() -> None:
    definition = types.Definition.from_mapping({"alias": "a", "repositories": [" u "], "force": True, "include": None})
    assert definition == types.Definition("a", ("u",))


def test_equal_values_have_equal_digests() -> None:
    assert types.digest_of({"a": 1, "b": [2]}) == types.digest_of({"b": [2], "a": 1})
    assert types.digest_of("\udcff") != types.digest_of("?")


def test_a_citation_reads_as_designed() -> None:
    citation = types.Citation("dlt-hub/dlt", "58d66fceef2bf6e04a2d", "README.md", 3, 9)
    assert str(citation) == "dlt-hub/dlt@58d66fceef README.md:3-9"

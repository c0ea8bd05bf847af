"""The values that pass between the stages: frozen and typed. They check what they are made of, and do nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from askrepo.errors import UsageError

FileKind = Literal["source", "test", "example", "doc", "config", "generated", "vendored"]
"""What a file is for; a ranking prior, and a filter."""

SkipReason = Literal[
    "binary",
    "too large",
    "undecodable",
    "minified",
    "LFS pointer",
    "symlink",
    "submodule",
    "excluded",
    "empty",
    "path not UTF-8",
    "path too long",
    "duplicate path",
]
"""Why a path of the tree has no text in the dataset."""

Strategy = Literal["hybrid", "signals", "cosine", "mmr", "bm25"]

_ALIAS = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def canonical_json(value: object) -> str:
    """One JSON text per value: sorted keys, no spaces, so that equal values have equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: object) -> str:
    """SHA-256, in hex, of the value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def check_alias(alias: str) -> str:
    """The alias itself when its name is valid.

    :raises UsageError: it could not be a folder on every store.
    """
    if not _ALIAS.fullmatch(alias):
        # what was pasted there by mistake may be a secret
        shown = "this" if re.search("[:@]", alias) else repr(alias)
        raise UsageError(
            f"{shown} is not an alias name: use 1 to 64 lower-case letters, digits, '.', '_' or '-', "
            "starting with a letter or a digit"
        )
    return alias


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as the user named it, after validation: where it is and which ref is wanted.

    :ivar name: short name used in citations (`owner/name`, or the directory's name for a local path).
    :ivar url: without credentials.
    :ivar ref: branch, tag or full commit; None for the remote's default branch.
    """

    name: str
    url: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository at one commit, published in the workspace.

    :ivar committed_at: ISO 8601, UTC.
    :ivar archive: workspace key of the tar file that holds the bare repository.
    :ivar bytes: size of the archive.
    """

    name: str
    url: str
    ref: str | None
    commit: str
    committed_at: str
    archive: str
    bytes: int


def _kinds(items: object) -> str:
    if not isinstance(items, list | tuple):
        return f"a value of type {type(items).__name__}"
    return f"one with {', '.join(sorted({type(item).__name__ for item in items}))}"


@dataclass(frozen=True, slots=True)
class Definition:
    """What an alias is built from: the part of a run that does not change between refreshes."""

    alias: str
    repositories: tuple[str, ...]
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    embedder: str = "local"
    max_file_bytes: int = 1_000_000

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """A definition from JSON-like values; unknown keys are ignored, lists become tuples.

        :raises UsageError: a value is missing or has the wrong shape.
        """
        known = {key: values[key] for key in cls.__dataclass_fields__ if values.get(key) is not None}
        for key in ("repositories", "include", "exclude"):
            items = known.get(key, ())
            if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
                # not quoted: a URL may carry credentials
                raise UsageError(f"{key} must be a list of strings, found {_kinds(items)}")
            known[key] = tuple(item.strip() for item in items if item.strip())
            if key != "repositories" and any("://" in item for item in known[key]):
                raise UsageError(f"{key} has a URL: write patterns of paths there, and URLs among the repositories")
        for key in ("alias", "embedder"):
            if not isinstance(known.get(key, ""), str):
                raise UsageError(f"{key} must be text, found {type(known[key]).__name__}")
        if not known.get("alias"):
            raise UsageError("no alias given: name the alias that readers will follow")
        check_alias(known["alias"])
        if not known["repositories"]:
            raise UsageError(f"no repository given for alias {known['alias']!r}: add at least one git URL")
        return cls(**known)


@dataclass(frozen=True, slots=True)
class LoadManifest:
    """What load wrote for one snapshot.

    :ivar parts: workspace keys of Parquet files (schema `tables.FILES`), in tree order.
    :ivar part_bytes: bytes of text in each part that are still to be split.
    :ivar files: paths in the commit's tree; always loaded + the sum of skipped.
    :ivar loaded: files with text, those carried over included.
    :ivar carried: loaded files whose chunks the current dataset has, so that their text was not read.
    :ivar repaired: loaded files in which what could not be decoded is a replacement character.
    """

    snapshot: Snapshot
    parts: tuple[str, ...]
    part_bytes: tuple[int, ...]
    files: int
    loaded: int
    skipped: Mapping[str, int]
    text_bytes: int
    carried: int = 0
    repaired: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What compare found: whether a run is needed, and what all its later stages must agree on.

    :ivar number: of the alias's newest entry, 0 for none; swap must still find it.
    :ivar current: number of the entry whose dataset is current, 0 for none.
    :ivar carry: whether rows of unchanged files are taken over from the current dataset.
    :ivar fingerprint: of the embedder that makes all vectors of the run.
    :ivar reasons: why a new dataset is needed; none when the current one is what this run would build.
    """

    number: int
    current: int
    carry: bool
    fingerprint: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileShard:
    """A unit of split work: parts of one or more load manifests."""

    number: int
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChunkShard:
    """What split wrote for one file shard.

    :ivar key: workspace key of a Parquet file (schema `tables.CHUNKS`), rows in tree order.
    :ivar digest: SHA-256 of the Parquet file.
    """

    number: int
    key: str
    chunks: int
    tokens: int
    digest: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class VectorShard:
    """What embed wrote for one chunk shard.

    :ivar key: workspace key of a Parquet file (schema `tables.vectors(dimension)`), one row per distinct vector_id.
    :ivar computed: vectors the embedder made in this task; reused: vectors found in the current dataset
        or among those written earlier by this run.
    :ivar embedded_tokens: tokens of the computed texts.
    :ivar checked: computed texts that were embedded once more, alone, as a check.
    """

    number: int
    chunks: ChunkShard
    key: str
    dimension: int
    computed: int
    reused: int
    embedded_tokens: int
    seconds: float = 0.0
    checked: int = 0


@dataclass(frozen=True, slots=True)
class EmbedderStamp:
    """Which embedder made a dataset's vectors."""

    spec: str
    fingerprint: str
    dimension: int


@dataclass(frozen=True, slots=True)
class DatasetManifest:
    """What a dataset is, stored in its metadata and in the alias's entry.

    :ivar dataset: workspace key (`datasets/…`) or an absolute URL when ASKREPO_DATASETS is set.
    :ivar digest: SHA-256 over every row, the vectors included, in order.
    :ivar inventory: SHA-256 of the list of its files; "" of a dataset of an earlier version, or one without files.
    :ivar files_digest: SHA-256 of the table of its files; "" of a dataset of an earlier version.
    :ivar skipped: files without text, by reason.
    :ivar report: what the run did (stage seconds, chunks embedded and reused, …); not part of the identity.
    """

    dataset: str
    alias: str
    run: str
    created_at: str
    definition: Definition
    definition_digest: str
    snapshots: tuple[Snapshot, ...]
    embedder: EmbedderStamp
    files: int
    loaded: int
    skipped: Mapping[str, int]
    chunks: int
    tokens: int
    digest: str
    inventory: str = ""
    files_digest: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AliasEntry:
    """One swap of an alias. Entries are never changed; the highest number is current.

    :ivar swapped_at: ISO 8601, UTC.
    :ivar reason: what moved the alias; "removed": it was taken away from its readers, and the manifest is that of the
        dataset it pointed to.
    """

    alias: str
    number: int
    swapped_at: str
    reason: Literal["swap", "rollback", "removed"]
    manifest: DatasetManifest


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of lines of a file.

    :ivar id: stable over refreshes while repository, path and text stay the same.
    :ivar start_line: 1-based, inclusive; end_line likewise.
    :ivar symbols: names the chunk defines.
    :ivar scope: names of the enclosing definitions or headings, outermost first.
    """

    id: str
    repository: str
    path: str
    language: str
    kind: str
    symbols: tuple[str, ...]
    scope: tuple[str, ...]
    start_line: int
    end_line: int
    tokens: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk with its score, from the dataset an alias pointed at.

    :ivar rank: 1-based.
    :ivar score: higher is better; comparable only within one answer.
    :ivar more: further chunks of its file that answer, best first, where a listing shows each file once.
    """

    rank: int
    score: float
    alias: str
    commit: str
    url: str
    chunk: Chunk
    more: tuple[Chunk, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement comes from, printed as `repository@commit path:start-end`."""

    repository: str
    commit: str
    path: str
    start_line: int
    end_line: int

    def __str__(self) -> str:
        return f"{self.repository}@{self.commit[:10]} {self.path}:{self.start_line}-{self.end_line}"


def to_json(value: object) -> Any:
    """The dataclass as plain JSON values, ready for XCom and for a file."""
    return json.loads(json.dumps(asdict(value)))  # type: ignore[call-overload]


def snapshot_from(values: Mapping[str, Any]) -> Snapshot:
    """The snapshot that `to_json` wrote."""
    return Snapshot(**values)


def load_manifest_from(values: Mapping[str, Any]) -> LoadManifest:
    """The load manifest that `to_json` wrote."""
    tuples = {key: tuple(values[key]) for key in ("parts", "part_bytes")}
    return LoadManifest(**{**values, **tuples, "snapshot": Snapshot(**values["snapshot"])})


def comparison_from(values: Mapping[str, Any]) -> Comparison:
    """The comparison that `to_json` wrote."""
    return Comparison(**{**values, "reasons": tuple(values["reasons"])})


def file_shard_from(values: Mapping[str, Any]) -> FileShard:
    """The file shard that `to_json` wrote."""
    return FileShard(number=values["number"], parts=tuple(values["parts"]))


def chunk_shard_from(values: Mapping[str, Any]) -> ChunkShard:
    """The chunk shard that `to_json` wrote."""
    return ChunkShard(**values)


def vector_shard_from(values: Mapping[str, Any]) -> VectorShard:
    """The vector shard that `to_json` wrote."""
    return VectorShard(**{**values, "chunks": ChunkShard(**values["chunks"])})


def dataset_manifest_from(values: Mapping[str, Any]) -> DatasetManifest:
    """The dataset manifest that `to_json` wrote."""
    return DatasetManifest(
        **{
            **values,
            "definition": Definition.from_mapping(values["definition"]),
            "snapshots": tuple(Snapshot(**snapshot) for snapshot in values["snapshots"]),
            "embedder": EmbedderStamp(**values["embedder"]),
        }
    )


def alias_entry_from(values: Mapping[str, Any]) -> AliasEntry:
    """The alias entry that `to_json` wrote."""
    return AliasEntry(**{**values, "manifest": dataset_manifest_from(values["manifest"])})

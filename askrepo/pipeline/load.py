"""Load: a row for every path of a snapshot, with its text or the reason why it has none."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from askrepo.errors import LimitExceededError, NothingToIndexError
from askrepo.files.comments import is_documentation
from askrepo.files.data_pages import is_prose_as_data
from askrepo.files.decode import REPAIRED_MARK, Decoded, decode, is_notebook
from askrepo.files.globs import selected
from askrepo.files.kinds import has_generated_header, is_in_document_folder, kind_of
from askrepo.files.languages import language_of
from askrepo.git.linked_pages import linked_pages
from askrepo.git.repository_urls import repository_id
from askrepo.git.snapshots import open_snapshot
from askrepo.git.tree import MAX_PATH_BYTES, SUBMODULE, SYMLINK, TreeEntry, TreeReader
from askrepo.pipeline.known_files import FileFacts, KnownFiles
from askrepo.text.display import plain_line
from askrepo.types import FileKind, FileShard, LoadManifest, SkipReason, Snapshot, canonical_json
from askrepo.workspace.keys import part_key
from askrepo.workspace.objects import Workspace
from askrepo.workspace.tables import FILE_FACTS, files_schema, write_table

# A part is cut by its text, so that a part is about the same work everywhere, and by its rows, so that a tree of
# skipped files stays bounded too. It is about 4,000 chunks: 40 seconds of the local embedder on two processors, beside
# which the second that each task of its own takes to begin, and to load the model, is little.
PART_BYTES = 2 * 1024 * 1024
PART_ROWS = 10_000
# Entries whose blobs are asked for together: enough to keep git busy, little enough to hold in memory.
BLOCK_ENTRIES = 512
BLOCK_BYTES = 4 * 1024 * 1024
# A blob of 1 MB under a million paths would be a terabyte of text; the largest public repositories have a few GB.
MAX_TEXT_BYTES = 4 * 1024**3
# A notebook is mostly pictures: it is measured by its cells, and read though it be so many times as large.
NOTEBOOK_FACTOR = 20
# Blobs that may turn up again under another path.
CACHE_BYTES = 16 * 1024 * 1024
# A `#!` line is shorter: kernels cut it at 255 characters.
FIRST_LINE_CHARS = 255

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rules:
    repository: str
    include: Sequence[str]
    exclude: Sequence[str]
    max_file_bytes: int
    known: KnownFiles | None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A path of the tree, and why its blob is not read: for a reason, or as the current dataset knows the content."""

    entry: TreeEntry
    path: str
    reason: SkipReason | None
    declared: Mapping[str, bool]
    known: FileFacts | None

    @property
    def is_wanted(self) -> bool:
        return self.reason is None and self.known is None


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of `tables.FILES`."""

    facts: FileFacts
    known_as: str = ""
    text: str = ""

    @property
    def bytes_to_split(self) -> int:
        """The current dataset's rows are taken as they are, unless the path changed."""
        return 0 if self.known_as == self.facts.path else self.facts.text_bytes


@dataclass(slots=True)
class _Part:
    """Rows gathered for one Parquet file."""

    rows: list[_Row] = field(default_factory=list)
    bytes_to_split: int = 0

    def add(self, row: _Row) -> None:
        self.rows.append(row)
        self.bytes_to_split += row.bytes_to_split

    @property
    def is_full(self) -> bool:
        return self.bytes_to_split >= PART_BYTES or len(self.rows) >= PART_ROWS


def load_files(
    snapshot: Snapshot,
    *,
    workspace: Workspace,
    run: str,
    include: Sequence[str],
    exclude: Sequence[str],
    max_file_bytes: int,
    known: KnownFiles | None = None,
) -> LoadManifest:
    """Read every path of the snapshot's tree into Parquet parts below `<run>/load/`.

    Parts follow the tree's order and their boundaries depend on the content alone: the same snapshot, patterns and
    known files give the same parts.

    :param run: workspace key under which this run writes.
    :param include: patterns of paths to load; none means all. Other paths get a row with the reason "excluded".
    :param exclude: patterns of paths to leave out; they win over `include`.
    :param max_file_bytes: larger blobs are never read.
    :param known: the current dataset's files, when its rows can be carried over: content that it knows is not read.
    :raises LimitExceededError: the tree has too many paths or too much text.
    :raises StorageError: the snapshot is missing or damaged.
    """
    started = time.monotonic()
    identity = repository_id(snapshot.url, snapshot.ref)
    rules = _Rules(snapshot.name, include, exclude, max_file_bytes, known)
    skipped: Counter[str] = Counter()
    keys: list[str] = []
    part_bytes: list[int] = []
    files = text_bytes = carried = repaired = 0
    with open_snapshot(snapshot, workspace=workspace) as bare, TreeReader(bare, snapshot.commit) as tree:
        _check_text_bytes(tree.entries(), rules)
        for part in _parts(_rows(tree, rules)):
            keys.append(part_key(run, identity, len(keys)))
            part_bytes.append(part.bytes_to_split)
            files += len(part.rows)
            text_bytes += sum(row.facts.text_bytes for row in part.rows)
            carried += sum(bool(row.known_as) for row in part.rows)
            repaired += sum(row.facts.encoding.endswith(REPAIRED_MARK) for row in part.rows)
            skipped.update(row.facts.reason for row in part.rows if row.facts.reason)
            _write_part(part, workspace, keys[-1])
    loaded = files - skipped.total()
    log.info(
        "%s: %d of %d files loaded, %d carried over, %d with damaged letters",
        *(plain_line(snapshot.name), loaded, files, carried, repaired),
    )
    return LoadManifest(
        snapshot=snapshot,
        parts=tuple(keys),
        part_bytes=tuple(part_bytes),
        files=files,
        loaded=loaded,
        skipped=dict(sorted(skipped.items())),
        text_bytes=text_bytes,
        carried=carried,
        repaired=repaired,
        seconds=time.monotonic() - started,
    )


def gather_shards(manifests: Sequence[LoadManifest], *, max_shards: int = 200) -> tuple[FileShard, ...]:
    """Consecutive parts, over all snapshots, grouped into at most `max_shards` shards numbered from 0.

    A shard holds at least one part's worth of text, so that small repositories share one; parts without any text
    to split belong to none. When all files are carried over there is one empty shard.

    :raises NothingToIndexError: no file was loaded.
    """
    if not any(manifest.loaded for manifest in manifests):
        raise NothingToIndexError(_nothing_loaded(manifests))
    sized = [(key, size) for one in manifests for key, size in zip(one.parts, one.part_bytes, strict=True) if size]
    target = max(PART_BYTES, math.ceil(sum(size for _, size in sized) / max_shards))
    groups: list[list[str]] = [[]]
    filled = 0
    for key, size in sized:
        if filled >= target:
            groups.append([])
            filled = 0
        groups[-1].append(key)
        filled += size
    return tuple(FileShard(number, tuple(keys)) for number, keys in enumerate(groups))


def _nothing_loaded(manifests: Sequence[LoadManifest]) -> str:
    skipped: Counter[str] = Counter()
    for manifest in manifests:
        skipped.update(manifest.skipped)
    names = ", ".join(manifest.snapshot.name for manifest in manifests) or "no repository"
    found = ", ".join(f"{count} {reason}" for reason, count in skipped.most_common()) or "no files at all"
    return f"nothing to index in {names}: found {found}; check the repositories and the include and exclude patterns"


def _parts(rows: Iterable[_Row]) -> Iterator[_Part]:
    part = _Part()
    for row in rows:
        part.add(row)
        if part.is_full:
            yield part
            part = _Part()
    if part.rows:
        yield part


def _write_part(part: _Part, workspace: Workspace, key: str) -> None:
    import pyarrow as pa

    columns: dict[str, list[object]] = {name: [getattr(row.facts, name) for row in part.rows] for name in FILE_FACTS}
    columns["known_as"] = [row.known_as for row in part.rows]
    columns["text"] = [row.text for row in part.rows]
    write_table(workspace, key, pa.table(columns, schema=files_schema()))


def _check_text_bytes(entries: Iterable[TreeEntry], rules: _Rules) -> None:
    """Refuse a tree that holds a lot of text, before any of it is read."""
    total = 0
    for entry in entries:
        if entry.size <= rules.max_file_bytes and _reason_unread(entry, _shown(entry.raw_path), rules) is None:
            total += entry.size
    if total > MAX_TEXT_BYTES:
        raise LimitExceededError(
            f"cannot load {rules.repository}: {total / 1024**3:,.1f} GiB of files are selected, and "
            f"{MAX_TEXT_BYTES / 1024**3:g} GiB is the limit; exclude what is not needed"
        )


def _shown(raw_path: bytes) -> str:
    return raw_path.decode("utf-8", "backslashreplace")


def _rows(tree: TreeReader, rules: _Rules) -> Iterator[_Row]:
    """One row per path, in the tree's order."""
    cache = _BlobCache(CACHE_BYTES)
    linked = linked_pages(tree, include=rules.include, exclude=rules.exclude)
    entries = (linked.get(entry.raw_path, entry) for entry in tree.entries())
    for block in _blocks(entries, rules.max_file_bytes):
        declared = tree.attributes(block)
        candidates = [_candidate(entry, of_entry, rules) for entry, of_entry in zip(block, declared, strict=True)]
        contents = _contents(tree, candidates, cache)
        for candidate in candidates:
            if candidate.known is None:
                yield _row(candidate, contents, rules)
            else:
                yield _known_row(candidate, candidate.known)


def _blocks(entries: Iterable[TreeEntry], max_file_bytes: int) -> Iterator[list[TreeEntry]]:
    block: list[TreeEntry] = []
    size = 0
    for entry in entries:
        block.append(entry)
        path = entry.raw_path.decode("utf-8", "replace")
        size += entry.size if entry.size <= _most_bytes(path, max_file_bytes) else 0
        if len(block) >= BLOCK_ENTRIES or size >= BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _candidate(entry: TreeEntry, declared: Mapping[str, bool], rules: _Rules) -> _Candidate:
    try:
        path = entry.raw_path.decode("utf-8")
    except UnicodeDecodeError:
        path = _shown(entry.raw_path)
        return _Candidate(entry, path, "path not UTF-8", declared, None)
    reason = _reason_unread(entry, path, rules)
    known = None
    if rules.known is not None and reason is None:
        known = rules.known.find(rules.repository, path, blob=entry.blob, attributes=canonical_json(declared))
    return _Candidate(entry, path, reason, declared, known)


def _reason_unread(entry: TreeEntry, path: str, rules: _Rules) -> SkipReason | None:
    if entry.is_duplicate:
        return "duplicate path"
    if len(entry.raw_path) > MAX_PATH_BYTES:
        return "path too long"
    if not selected(path, include=rules.include, exclude=rules.exclude):
        return "excluded"
    if entry.mode == SUBMODULE:
        return "submodule"
    if entry.mode == SYMLINK:
        return "symlink"
    if entry.size == 0:
        return "empty"
    return "too large" if entry.size > _most_bytes(path, rules.max_file_bytes) else None


def _most_bytes(path: str, max_file_bytes: int) -> int:
    """The size up to which a blob is read."""
    return max_file_bytes * NOTEBOOK_FACTOR if is_notebook(path) else max_file_bytes


def _contents(tree: TreeReader, candidates: Sequence[_Candidate], cache: _BlobCache) -> dict[str, bytes]:
    """Contents of the blobs that are wanted, each read once."""
    wanted = dict.fromkeys(one.entry.blob for one in candidates if one.is_wanted)
    contents = {blob: content for blob in wanted if (content := cache.get(blob)) is not None}
    missing = [blob for blob in wanted if blob not in contents]
    for blob, content in zip(missing, tree.blobs(missing), strict=True):
        cache.put(blob, content)
        contents[blob] = content
    return contents


class _BlobCache:
    """The blobs used last, up to a number of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._blobs: OrderedDict[str, bytes] = OrderedDict()

    def get(self, blob: str) -> bytes | None:
        if blob in self._blobs:
            self._blobs.move_to_end(blob)
        return self._blobs.get(blob)

    def put(self, blob: str, content: bytes) -> None:
        self._blobs[blob] = content
        self._bytes += len(content)
        while self._bytes > self._max_bytes:
            _, dropped = self._blobs.popitem(last=False)
            self._bytes -= len(dropped)


def _row(candidate: _Candidate, contents: Mapping[str, bytes], rules: _Rules) -> _Row:
    entry, path = candidate.entry, candidate.path
    language = language_of(path)
    decoded = Decoded(reason=candidate.reason)
    if candidate.reason is None:
        decoded = decode(contents[entry.blob], path=path, language=language)
        if is_notebook(path) and len(decoded.text.encode()) > rules.max_file_bytes:
            decoded = Decoded(reason="too large")
        language = language or language_of(path, first_line=decoded.text[:FIRST_LINE_CHARS].partition("\n")[0])
    generated = has_generated_header(decoded.text, language=language)
    documents = is_documentation(decoded.text, language=language) or is_prose_as_data(decoded.text, language=language)
    facts = FileFacts(
        repository=rules.repository,
        path=path,
        blob=entry.blob,
        size=entry.size,
        language=language,
        kind=_kind(candidate, language, generated=generated, documents=documents),
        reason=decoded.reason or "",
        encoding=decoded.encoding,
        attributes=canonical_json(candidate.declared),
        generated=generated,
        documents=documents,
        text_bytes=len(decoded.text.encode()),
    )
    return _Row(facts, text=decoded.text)


def _known_row(candidate: _Candidate, known: FileFacts) -> _Row:
    """What the current dataset knows; at another path a file may be of another kind."""
    kind = _kind(candidate, known.language, generated=known.generated, documents=known.documents)
    facts = replace(known, path=candidate.path, kind=kind)
    return _Row(facts, known_as="" if known.reason else known.path)


def _kind(candidate: _Candidate, language: str, *, generated: bool, documents: bool) -> FileKind:
    """What the repository declares counts, then what the file's header says, then its path and what its text is."""
    declared = candidate.declared.get("linguist-generated")
    if declared is None and generated:
        declared = True
    vendored = candidate.declared.get("linguist-vendored")
    kind = kind_of(candidate.path, language=language, generated=declared, vendored=vendored)
    beside_pages = kind in ("config", "example") and is_in_document_folder(candidate.path)
    return "doc" if documents and (kind == "source" or beside_pages) else kind

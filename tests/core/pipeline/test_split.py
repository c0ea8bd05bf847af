"""A shard of chunks has a row for each span, and each row knows what it is."""

from __future__ import annotations

import pyarrow as pa
import pytest

from askrepo.chunking.rows import MAX_BYTES
from askrepo.pipeline.split import ID_CHARS, split_files
from askrepo.text.tokens import count_tokens
from askrepo.types import FileShard
from askrepo.workspace import tables
from askrepo.workspace.objects import Workspace


def write_part(workspace: Workspace, key: str, files: list[dict[str, object]]) -> None:
    empty: dict[str, object] = {
        "repository": "ada/engine",
        "blob": "0" * 40,
        "size": 1,
        "language": "python",
        "kind": "source",
        "reason": "",
        "encoding": "utf-8",
        "text": "",
    }
    rows = [{**empty, **file} for file in files]
    tables.write_table(workspace, key, pa.Table.from_pylist(rows, schema=tables.files_schema()))


MODULE = "class Engine:\n    def run(self):\n        return 1\n"
PART: list[dict[str, object]] = [
    {"path": "src/engine.py", "text": MODULE},
    {"path": "src/copy.py", "text": MODULE},
    {"path": "logo.png", "text": "", "reason": "binary", "language": ""},
    {"path": "repeat.txt", "text": ("line of text\n" * 40 + "\n") * 3, "language": "text", "kind": "doc"},
]


@pytest.fixture
def shard(workspace: Workspace) -> FileShard:
    write_part(workspace, "runs/a/1/load/x/part-00000.parquet", PART)
    write_part(workspace, "runs/a/1/load/x/part-00001.parquet", [{"path": "z.py", "text": "Z = 1\n"}])
    return FileShard(number=3, parts=tuple(f"runs/a/1/load/x/part-0000{n}.parquet" for n in range(2)))


def test_shard_holds_a_row_per_chunk_in_order(workspace: Workspace, shard: FileShard) -> None:
    written = split_files(shard, workspace=workspace, run="runs/a/1")
    table = tables.read_table(workspace, written.key)
    assert written.key == "runs/a/1/split/shard-00003.parquet"
    assert table.schema.equals(tables.chunks_schema())
    assert (written.chunks, written.tokens) == (table.num_rows, sum(table["tokens"].to_pylist()))
    assert list(dict.fromkeys(table["path"].to_pylist())) == ["src/engine.py", "src/copy.py", "repeat.txt", "z.py"]


def test_files_can_be_put_together_from_their_chunks(workspace: Workspace, shard: FileShard) -> None:
    rows = tables.read_table(workspace, split_files(shard, workspace=workspace, run="r").key).to_pylist()
    for file in PART:
        assert "".join(row["text"] for row in rows if row["path"] == file["path"]) == file["text"]


def test_row_knows_names_lines_tokens_and_terms(workspace: Workspace, shard: FileShard) -> None:
    row = tables.read_table(workspace, split_files(shard, workspace=workspace, run="r").key).to_pylist()[0]
    assert (row["symbols"], row["start_line"], row["end_line"]) == ("Engine run", 1, 3)
    assert row["tokens"] == count_tokens(MODULE) <= MAX_BYTES  # a token stands for one byte at least
    assert row["lexemes"].split() == ["class", "engin", "def", "run", "self", "return", "1", "engin", "engin", "src"]


def test_same_input_gives_the_same_shard_and_distinct_ids(workspace: Workspace, shard: FileShard) -> None:
    first = split_files(shard, workspace=workspace, run="r")
    content = workspace.read(first.key)
    second = split_files(shard, workspace=workspace, run="r")
    ids = tables.read_table(workspace, second.key)["id"].to_pylist()
    assert (first.digest, content) == (second.digest, workspace.read(second.key))
    assert len(set(ids)) == len(ids) == second.chunks
    assert all(len(identity) == ID_CHARS for identity in ids)


def test_digest_follows_the_text(workspace: Workspace) -> None:
    digests = set()
    for text in ("A = 1\n", "A = 2\n"):
        write_part(workspace, "part.parquet", [{"path": "a.py", "text": text}])
        digests.add(split_files(FileShard(0, ("part.parquet",)), workspace=workspace, run="r").digest)
    assert len(digests) == 2


def test_shard_without_text_is_empty_but_valid(workspace: Workspace) -> None:
    write_part(workspace, "part.parquet", [{"path": "a.png", "reason": "binary"}])
    written = split_files(FileShard(0, ("part.parquet",)), workspace=workspace, run="r")
    assert (written.chunks, written.tokens) == (0, 0)
    assert tables.read_table(workspace, written.key).num_rows == 0

"""What a refresh costs when one file in a hundred changed, and what the origin's way of ingesting costs.

    .venv/bin/python -m benchmarks.refresh REPOSITORY [--share 0.01] [--include GLOB …] [--embedder local]

Runs every task of the pipeline on the repository, each in a process of its own as in Airflow and one after the other;
changes a line in so many of its files, chosen by chance but always the same; runs the pipeline again. Prints processor
seconds and seconds per stage, and the refresh's shares of the full run's; what the embedder itself took is left out of
the sum. In the same run it ingests the repository the origin's way with the same embedder: a LangChain loader reads
every file, a splitter cuts it, and `add_documents` puts the pieces into a new vector store on Deep Lake, which is also
what its refresh is. Prints how many times as fast the pipeline is. Exit code 1 when the refresh embeds more, or takes
more time beside, than the project promises.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_text_splitters import CharacterTextSplitter, RecursiveCharacterTextSplitter, TextSplitter

from askrepo.embedders.embedder import Embedder, open_embedder
from askrepo.embedders.local import MAX_WORD_PIECES
from askrepo.files.globs import selected
from askrepo.settings import Settings
from askrepo.text.tokens import count_tokens
from askrepo.workspace.objects import Workspace
from askrepo.workspace.tables import read_table
from benchmarks.adhoc import AdhocVectorStore
from benchmarks.origin_recipe import CHUNK_CHARS, CHUNK_OVERLAP, SEPARATOR
from benchmarks.stages import STAGES, Cost, Passage, Pipeline, call_in_process, measured

SPLITTERS: Mapping[str, TextSplitter] = {
    "character": CharacterTextSplitter(separator=SEPARATOR, chunk_size=CHUNK_CHARS, chunk_overlap=CHUNK_OVERLAP),
    "recursive": RecursiveCharacterTextSplitter(chunk_size=CHUNK_CHARS, chunk_overlap=CHUNK_OVERLAP),
}
"""The origin's is `character`, which cuts at blank lines only."""

MAX_EMBEDDER_SHARE = 0.015
MAX_OTHER_SHARE = 0.25
"""Of the time that everything but the embedder takes."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", help="git URL or local path")
    parser.add_argument("--share", type=float, default=0.01, help="of the files that change")
    parser.add_argument("--include", nargs="*", default=[], help="globs over whole paths")
    parser.add_argument("--embedder", default="local")
    parser.add_argument("--splitter", choices=SPLITTERS, default="character", help="of the origin's way")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone", Path(asked.repository).name)
        subprocess.run(["git", "clone", "--quiet", "--depth=1", _url(asked.repository), clone], check=True)
        definition = {"alias": "benchmark", "repositories": [str(clone)], "include": asked.include}
        pipeline = Pipeline({**definition, "embedder": asked.embedder}, workspace=Path(folder, "workspace"))
        full = pipeline.run("full")
        origin = call_in_process(ingest_the_origins_way, clone, asked.include, asked.embedder, asked.splitter)
        changed = max(1, round(asked.share * full.tasks["build"][0].result["files"]))
        edit(clone, loaded_files(full, Workspace.open(f"{folder}/workspace")), changed)
        unread = tokens_beyond_the_model(chunk_tokens(full, Workspace.open(f"{folder}/workspace")))
        refresh = pipeline.run("refresh")
    return report(full, refresh, changed, origin, unread)


def _url(repository: str) -> str:
    """A local path as a URL: else git would not make it shallow."""
    return Path(repository).absolute().as_uri() if Path(repository).is_dir() else repository


def loaded_files(passage: Passage, workspace: Workspace) -> list[str]:
    """Paths of the files that have text in the dataset."""
    parts = [part for task in passage.tasks["load"] for part in task.result["parts"]]
    tables = [read_table(workspace, part, columns=["path", "reason"]) for part in parts]
    rows = (row for table in tables for row in table.to_pylist())
    return [row["path"] for row in rows if row["reason"] == ""]


def edit(clone: Path, paths: Sequence[str], count: int) -> None:
    """Change a line of so many of the files, and commit."""
    made = random.Random(0)
    for path in made.sample(sorted(paths), count):
        lines = (clone / path).read_bytes().split(b"\n")
        place = made.choice([number for number, line in enumerate(lines) if line.strip()])
        lines[place] = lines[place].rstrip() + b" # changed"
        (clone / path).write_bytes(b"\n".join(lines))
    author = ["-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org"]
    subprocess.run(["git", "-C", clone, *author, "commit", "--quiet", "--all", "--message=Change"], check=True)


@dataclass(frozen=True)
class Origin:
    """What the origin's way did."""

    pieces: int
    tokens: int
    unread: int
    cost: Cost


def ingest_the_origins_way(clone: Path, include: Sequence[str], spec: str, splitter: str) -> Origin:
    """Load, split and add, into a store of its own that goes away with the process."""
    settings = Settings.from_env(os.environ)
    embedder = open_embedder(spec, cache=settings.cache, threads=settings.embed_threads)

    def ingest() -> list[Document]:
        pieces = SPLITTERS[splitter].split_documents(FilesLoader(clone, include).load())
        AdhocVectorStore(LangChainEmbedder(embedder)).add_documents(pieces)
        return pieces

    pieces, cost = measured(ingest)
    tokens = [count_tokens(piece.page_content) for piece in pieces]
    return Origin(len(pieces), sum(tokens), tokens_beyond_the_model(tokens), cost)


def tokens_beyond_the_model(tokens: Iterable[int]) -> int:
    """About how many tokens of the texts the local model does not read, so that no vector tells of them."""
    return sum(max(0, count - MAX_WORD_PIECES) for count in tokens)


def chunk_tokens(passage: Passage, workspace: Workspace) -> list[int]:
    """Tokens of each chunk that was split."""
    tables = [read_table(workspace, task.result["key"], columns=["tokens"]) for task in passage.tasks["split"]]
    return [count for table in tables for count in table["tokens"].to_pylist()]


class FilesLoader(BaseLoader):
    """Every file of a checkout that is UTF-8, as LangChain's loader of git repositories gives them."""

    def __init__(self, clone: Path, include: Sequence[str]) -> None:
        self._clone = clone
        self._include = include

    def lazy_load(self) -> Iterator[Document]:
        listed = subprocess.run(["git", "-C", self._clone, "ls-files", "-z"], check=True, capture_output=True)
        for path in sorted(filter(None, listed.stdout.decode().split("\0"))):
            file = self._clone / path
            if not selected(path, include=self._include, exclude=()) or not file.is_file():
                continue
            try:
                text = file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            yield Document(text, metadata={"source": path, "file_name": file.name, "file_type": file.suffix})


class LangChainEmbedder(Embeddings):
    """An embedder of the pipeline as LangChain calls it."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed_texts(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        vector: list[float] = self._embedder.embed_question(text).tolist()
        return vector


def report(full: Passage, refresh: Passage, edited: int, origin: Origin, unread: int) -> int:
    files = full.tasks["build"][0].result["files"]
    print(f"{files:,} files, {full.chunks:,} chunks; changed: {edited} files ({edited / files:.2%})\n")
    print(f"{'':24s}{'seconds of CPU':>36s}{'seconds':>36s}")
    print(f"{'':24s}" + 2 * f"{'full':>12s}{'refresh':>12s}{'share':>12s}")
    for stage in STAGES:
        cpu_s, wall_s = (full.cpu_s(stage), refresh.cpu_s(stage)), (full.wall_s(stage), refresh.wall_s(stage))
        _print_costs(stage, cpu_s, wall_s)
    _, others = _print_costs(
        "all but the embedder",
        (full.other_cpu_s(), refresh.other_cpu_s()),
        (full.other_wall_s(), refresh.other_wall_s()),
    )
    print()
    _print_share("texts embedded", _embedded(full, "vectors_computed"), _embedded(refresh, "vectors_computed"))
    tokens = _print_share("tokens embedded", *(_embedded(each, "embedded_tokens") for each in (full, refresh)))
    print(f"\n{'':24s}{'origin':>12s}{'full':>12s}{'refresh':>12s}")
    _print_speed("seconds of CPU", origin.cost.cpu_s, full.cpu_s(), refresh.cpu_s())
    _print_speed("seconds", origin.cost.wall_s, full.wall_s(), refresh.wall_s())
    print(f"{'texts embedded':24s}{origin.pieces:12,}{_embedded(full, 'vectors_computed'):12,}")
    print(f"{'tokens embedded':24s}{origin.tokens:12,}{_embedded(full, 'embedded_tokens'):12,}")
    print(f"{'  beyond the model':24s}{origin.unread:12,}{unread:12,}")
    return 0 if tokens <= MAX_EMBEDDER_SHARE and others <= MAX_OTHER_SHARE else 1


def _embedded(passage: Passage, what: str) -> int:
    return int(passage.report[what])


def _print_costs(name: str, *pairs: tuple[float, float]) -> list[float]:
    """Returns the refresh's share of each pair."""
    print(f"{name:24s}" + "".join(f"{before:12.2f}{after:12.2f}{after / before:12.1%}" for before, after in pairs))
    return [after / before for before, after in pairs]


def _print_share(name: str, full: int, refresh: int) -> float:
    share = refresh / full if full else 0.0
    print(f"{name:24s}{full:12,}{refresh:12,}{share:12.2%}")
    return share


def _print_speed(name: str, origin: float, full: float, refresh: float) -> None:
    print(f"{name:24s}{origin:12.1f}{full:12.1f}{refresh:12.1f}")
    print(f"{'  times as fast':24s}{'':12s}{origin / full:12.2f}{origin / refresh:12.1f}")


if __name__ == "__main__":
    sys.exit(main())

"""What a second embed task on a second processor brings.

    .venv/bin/python -m benchmarks.parallel_embedding REPOSITORY [--texts 1000] [--rounds 3]

Splits the repository, takes the first chunks as two shards, and embeds them with ASKREPO_EMBED_THREADS=1: one task
after the other, then both side by side, each a process of its own, with the look-ups and the writing that every embed
task does. Prints the medians over rounds, taken in turns, and how many times the throughput of one task two tasks have.
Exit code 1 when that is less than the project promises.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from askrepo.types import ChunkShard, to_json
from askrepo.workspace.keys import run_key
from askrepo.workspace.objects import Workspace
from askrepo.workspace.tables import read_table, write_table
from benchmarks.stages import Pipeline, Task

MIN_RATIO = 1.7
ALIAS, RUN = "benchmark", "run"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", help="git URL or local path, optionally @ref")
    parser.add_argument("--embedder", default="local")
    parser.add_argument("--texts", type=int, default=1000, help="chunks of each task")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    definition = {"alias": ALIAS, "repositories": [asked.repository], "embedder": asked.embedder}
    with tempfile.TemporaryDirectory() as folder:
        alone, paired = (
            Pipeline(definition, workspace=Path(folder), workers=workers, environment={"ASKREPO_EMBED_THREADS": "1"})
            for workers in (1, 2)
        )
        tasks = alone.split(RUN)
        workspace = Workspace.open(folder)
        shards = two_shards([task.result for task in tasks["split"]], asked.texts, workspace)
        fingerprint = tasks["compare"][0].xcoms["comparison"]["fingerprint"]
        rounds = []
        for _ in range(asked.rounds):
            one_by_one = [task for shard in shards for task in embed(alone, [shard], fingerprint, workspace)]
            rounds.append((one_by_one, embed(paired, shards, fingerprint, workspace)))
    return report(rounds)


def two_shards(shards: Sequence[Mapping[str, Any]], texts: int, workspace: Workspace) -> list[dict[str, Any]]:
    """Two shards of so many chunks each, or of half as many as there are; chunks are dealt out in turns."""
    import pyarrow as pa

    table = pa.concat_tables([read_table(workspace, shard["key"]) for shard in shards]).slice(0, 2 * texts)
    made = []
    for number in range(2):
        part = table.take(list(range(number, table.num_rows, 2)))
        key = f"{run_key(ALIAS, RUN)}/halves/shard-{number:05d}.parquet"
        digest = write_table(workspace, key, part)
        tokens = sum(part["tokens"].to_pylist())
        made.append(to_json(ChunkShard(number, key, part.num_rows, tokens, digest)))
    return made


def embed(
    pipeline: Pipeline, shards: Sequence[Mapping[str, Any]], fingerprint: str, workspace: Workspace
) -> list[Task]:
    """Embed the shards, with nothing there to look up."""
    workspace.delete_folder(f"{run_key(ALIAS, RUN)}/embed")
    return pipeline.embed(RUN, shards, fingerprint=fingerprint)


def report(rounds: Sequence[tuple[Sequence[Task], Sequence[Task]]]) -> int:
    """Print the medians.

    :param rounds: tasks one after the other, and side by side.
    """
    alone_s = statistics.median(sum(task.cost.wall_s for task in tasks) for tasks, _ in rounds)
    paired_s = statistics.median(_elapsed_s(tasks) for _, tasks in rounds)
    cpu_s = [statistics.median(sum(task.cost.cpu_s for task in each[side]) for each in rounds) for side in (0, 1)]
    ratio = statistics.median(sum(task.cost.wall_s for task in one) / _elapsed_s(two) for one, two in rounds)
    texts = sum(task.result["computed"] for task in rounds[0][0])
    print(f"texts embedded         {texts:10,}")
    print(f"one after the other    {alone_s:10.1f} s{texts / alone_s:10.1f} texts/s{cpu_s[0]:10.1f} s of CPU")
    print(f"side by side           {paired_s:10.1f} s{texts / paired_s:10.1f} texts/s{cpu_s[1]:10.1f} s of CPU")
    print(f"throughput             {ratio:10.2f} x")
    return 0 if ratio >= MIN_RATIO else 1


def _elapsed_s(tasks: Sequence[Task]) -> float:
    """From the begin of the first to the end of the last."""
    return max(task.cost.began + task.cost.wall_s for task in tasks) - min(task.cost.began for task in tasks)


if __name__ == "__main__":
    sys.exit(main())

"""Do exact names come first? Samples rare identifiers of an alias's repositories and searches for each in three ways.

    python -m benchmarks.exact_names ALIAS [--names 60] [--seed 1] [--strategy signals]

An identifier has an underscore or a capital inside and 8 letters or more, and stands on 20 lines of the text at most.
Prints for each way the share of names that the first hit, and the first three, hold; and how often the first hit is a
definition where the dataset has one.
"""

from __future__ import annotations

import argparse
import os
import random
import re
from collections import Counter

from askrepo.search import search
from askrepo.settings import Settings
from askrepo.sources import AliasReader, open_alias
from askrepo.store.schema import batches
from askrepo.workspace import Workspace

WORD = re.compile(r"(?<!\w)(?:[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|[A-Za-z][a-z0-9]*[a-z0-9][A-Z]\w*)(?!\w)")
MIN_CHARS, MAX_LINES = 8, 20
WAYS = ("{}", "where is {} set", "what does {} do")


def main() -> None:
    arguments = parsed()
    settings = Settings.from_env(os.environ)
    reader = open_alias(arguments.alias, workspace=Workspace.open(settings.workspace), settings=settings)
    lines = lines_with_names(reader)
    rare = sorted(name for name, count in lines.items() if count <= MAX_LINES)
    names = random.Random(arguments.seed).sample(rare, min(arguments.names, len(rare)))
    defined = reader.dataset.symbols()
    for way in WAYS:
        places, definitions = [], []
        for name in names:
            hits = search(way.format(name), readers=[reader], strategy=arguments.strategy)
            held = (at for at, hit in enumerate(hits) if name in hit.chunk.text or name in hit.chunk.path)
            places.append(next(held, len(hits) + 3))
            if name in defined:
                definitions.append(bool(hits) and name in hits[0].chunk.symbols)
        first, three = (sum(at < limit for at in places) / len(names) for limit in (1, 3))
        homes = f"{sum(definitions)} of {len(definitions)} definitions first"
        print(f"{way:18s} {len(names)} names: first hit {first:.3f}, first three {three:.3f}; {homes}")


def lines_with_names(reader: AliasReader) -> Counter[str]:
    """How many stored lines have each identifier."""
    found: Counter[str] = Counter()
    for start, stop in batches(reader.entry.manifest.chunks):
        for text in reader.dataset.rows(start, stop).columns["text"]:
            for line in text.splitlines():
                found.update({name for name in WORD.findall(line) if len(name) >= MIN_CHARS})
    return found


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("alias")
    parser.add_argument("--names", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--strategy", default="signals")
    return parser.parse_args()


if __name__ == "__main__":
    main()

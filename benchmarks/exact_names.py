"""Do exact names come first, and is said what stands nowhere?

    python -m benchmarks.exact_names ALIAS [--names 40] [--seed 1] [--strategy signals]

Samples names that stand on MAX_LINES lines of an alias's text at most, as many of each form, and asks for each bare, in
two sentences and with a slip of the keyboard. Then names that stand nowhere: parts of two names of the repository put
together. Prints the share of each that was answered as it should be. benchmarks/retrieval.py measures the same for all
its repositories.
"""

from __future__ import annotations

import argparse
import os
import random
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from askrepo.aliases.readers import AliasReader, open_alias
from askrepo.search.nearest_names import edit_distance
from askrepo.search.search import absent_names, search
from askrepo.settings import Settings
from askrepo.store.schema import batches
from askrepo.types import Hit
from askrepo.workspace.objects import Workspace

FORMS: Mapping[str, re.Pattern[str]] = {
    "constant": re.compile(r"(?<![\w$-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w-])"),
    "snake": re.compile(r"(?<![\w-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w-])"),
    "camel": re.compile(r"(?<![\w-])[A-Za-z][a-z0-9]*[a-z0-9][A-Z][A-Za-z0-9]*(?![\w-])"),
    "qualified": re.compile(r"(?<![\w./@:-])[A-Za-z_]\w+(?:(?:\.|::)[A-Za-z_]\w+)+(?![\w./:-])"),
    "flag": re.compile(r"(?<![\w-])--[a-z][a-z0-9]+(?:-[a-z0-9]+)*(?![\w-])"),
}
FILE = "file"
"""The form of a file's name."""

MIN_CHARS, MAX_LINES = 8, 20
SENTENCES = ("where is {} set", "what does {} do")
NAMES = 40
"""Names that a repository is asked for."""

TOP = 3
SLIPS = 2
"""Wrong letters up to which a name may be taken for another."""


@dataclass(frozen=True)
class Name:
    """A name to ask for.

    :ivar places: path, first and last line of each chunk that defines it; empty where none does.
    """

    text: str
    form: str
    places: tuple[tuple[str, int, int], ...] = ()


@dataclass
class Stored:
    """The names in a dataset.

    :ivar lines: by form and name, how many lines have it. :ivar definitions: chunks that define a name.
    :ivar text: all text and paths, in lower case.
    """

    lines: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    definitions: dict[str, list[tuple[str, int, int]]] = field(default_factory=lambda: defaultdict(list))
    text: str = ""


@dataclass(frozen=True)
class Asked:
    """A question about a name.

    :ivar kind: bare, sentence, typo, absent bare or absent sentence.
    """

    query: str
    kind: str
    name: Name

    def figures(self, hits: Sequence[Hit], absent: Collection[str]) -> dict[str, float]:
        """How it was answered.

        :param absent: the names that were said to stand nowhere.
        """
        said = float(self.name.text in absent)
        match self.kind:
            case "absent bare":
                return {"absent_bare_nothing": float(not hits), "absent_said": said}
            case "absent sentence":
                return {"absent_said": said}
            case "typo":
                return {"typo_first": float(self._is_held(hits[:1]))}
        figures = {
            f"{self.kind}_first": float(self._is_held(hits[:1])),
            f"{self.kind}_three": float(self._is_held(hits[:TOP])),
            "called_absent": said,
        }
        if self.name.places:
            figures["definition_first"] = float(any(_overlaps(hit, self.name.places) for hit in hits[:1]))
        return figures

    def _is_held(self, hits: Sequence[Hit]) -> bool:
        """Whether a hit holds the name; of a qualified one its last part: it stands alone where it is defined."""
        last = re.split(r"::|\.", self.name.text)[-1] if self.name.form == "qualified" else self.name.text
        word = re.compile(rf"(?<!\w){re.escape(last)}(?!\w)")
        return any(word.search(text) for hit in hits for text in (hit.chunk.text, f"/{hit.chunk.path}"))


def questions(reader: AliasReader, *, names: int = NAMES, seed: int = 1) -> list[Asked]:
    """Questions about names that stand in the alias's dataset, and about as many that do not."""
    stored = stored_names(reader)
    chance = random.Random(seed)
    there = sampled(stored, names, chance)
    asked = [Asked(name.text, "bare", name) for name in there]
    asked += [Asked(sentence.format(name.text), "sentence", name) for sentence in SENTENCES for name in there]
    asked += [Asked(slip, "typo", name) for name in there if (slip := slipped(name, stored, chance))]
    for name in made_up(stored, names, chance):
        asked += [Asked(name.text, "absent bare", name)]
        asked += [Asked(sentence.format(name.text), "absent sentence", name) for sentence in SENTENCES]
    return asked


def stored_names(reader: AliasReader) -> Stored:
    """The names in the stored text and paths."""
    stored = Stored()
    texts: list[str] = []
    for start, stop in batches(reader.entry.manifest.chunks):
        columns = reader.dataset.rows(start, stop).columns
        for path, text, symbols, first, last in zip(
            *(columns[column] for column in ("path", "text", "symbols", "start_line", "end_line")), strict=True
        ):
            texts += [path, text]
            stored.lines[FILE][path.rpartition("/")[2]] += 1
            for symbol in symbols.split():
                stored.definitions[symbol].append((path, int(first), int(last)))
            for line in text.splitlines():
                for form, pattern in FORMS.items():
                    stored.lines[form].update(set(pattern.findall(line)))
    stored.text = "\n".join(texts).lower()
    return stored


def sampled(stored: Stored, names: int, chance: random.Random) -> list[Name]:
    """Rare names, as many of each form as there are or as the others leave room for."""
    rare = {form: sorted(filter(_is_telling, _rare(counts))) for form, counts in sorted(stored.lines.items())}
    queues = {form: chance.sample(found, len(found)) for form, found in rare.items()}
    chosen: list[Name] = []
    while len(chosen) < names and any(queues.values()):
        for form, queue in queues.items():
            if queue and len(chosen) < names:
                text = queue.pop()
                chosen.append(Name(text, form, tuple(stored.definitions.get(text, ()))))
    return chosen


def slipped(name: Name, stored: Stored, chance: random.Random) -> str | None:
    """The name with two neighbouring letters exchanged, in a way that stands nowhere; None for names of files."""
    text = name.text
    at = [n for n in range(2, len(text) - 2) if text[n].isalpha() and text[n + 1].isalpha() and text[n] != text[n + 1]]
    made = [text[:n] + text[n + 1] + text[n] + text[n + 2 :] for n in chance.sample(at, len(at))]
    return next((slip for slip in made if slip.lower() not in stored.text), None) if name.form != FILE else None


def made_up(stored: Stored, names: int, chance: random.Random) -> list[Name]:
    """Names made of the first part of one name and the last of another, more than SLIPS letters from every name."""
    known, joined = sorted(filter(_is_telling, stored.lines["snake"])), _joined_snakes
    if len(known) < names:
        known, joined = sorted(filter(_is_telling, stored.lines["camel"])), _joined_humps
    taken = set(re.findall(r"\w+", stored.text)) | {name for counts in stored.lines.values() for name in counts}
    made: dict[str, None] = {}
    for _ in range(names * 50 if known else 0):
        name = joined(chance.choice(known), chance.choice(known))
        if _is_telling(name) and not _stands(name, stored) and not _is_slip_of_any(name, taken):
            made[name] = None
        if len(made) == names:
            break
    return [Name(name, "made up") for name in made]


def _rare(counts: Counter[str]) -> Iterator[str]:
    return (name for name, lines in counts.items() if lines <= MAX_LINES)


def _is_telling(name: str) -> bool:
    return len(name) >= MIN_CHARS and name.isascii() and not name.startswith("__")


def _joined_snakes(one: str, other: str) -> str:
    return f"{one.partition('_')[0]}_{other.rpartition('_')[2]}"


def _joined_humps(one: str, other: str) -> str:
    return _humps(one)[0] + _humps(other)[-1]


def _humps(name: str) -> list[str]:
    return re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name) or [name]


def _stands(name: str, stored: Stored) -> bool:
    """Whether it stands there in any spelling: `maxItems`, `max-items` and `MAX_ITEMS` are one name."""
    parts = name.lower().split("_") if "_" in name else [hump.lower() for hump in _humps(name)]
    return any(joint.join(parts) in stored.text for joint in ("", "_", "-", ".", " "))


def _is_slip_of_any(name: str, taken: Collection[str]) -> bool:
    near = (other for other in taken if abs(len(other) - len(name)) <= SLIPS)
    letters = Counter(name.lower())
    alike = (other for other in near if (letters - Counter(other.lower())).total() <= SLIPS)
    return any(edit_distance(name.lower(), other.lower()) <= SLIPS for other in alike)


def _overlaps(hit: Hit, places: Sequence[tuple[str, int, int]]) -> bool:
    chunk = hit.chunk
    return any(
        path == chunk.path and first <= chunk.end_line and chunk.start_line <= last for path, first, last in places
    )


def main() -> None:
    arguments = parsed()
    settings = Settings.from_env(os.environ)
    reader = open_alias(arguments.alias, workspace=Workspace.open(settings.workspace), settings=settings)
    found: dict[str, list[float]] = defaultdict(list)
    for asked in questions(reader, names=arguments.names, seed=arguments.seed):
        hits = search(asked.query, readers=[reader], strategy=arguments.strategy)
        absent = {each.name for each in absent_names(asked.query, readers=[reader])}
        for measure, value in asked.figures(hits, absent).items():
            found[measure].append(value)
    for measure, values in found.items():
        print(f"{measure:20s} {sum(values) / len(values):.3f} of {len(values)}")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("alias")
    parser.add_argument("--names", type=int, default=NAMES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--strategy", default="signals")
    return parser.parse_args()


if __name__ == "__main__":
    main()

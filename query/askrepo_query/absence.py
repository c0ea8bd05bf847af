"""What a question names that stands nowhere in the datasets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askrepo.text.display import plain_line
from askrepo_query.output import print_note

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.search.search import Absent
    from askrepo_query.options import SearchOptions


def print_absent(names: Sequence[Absent], options: SearchOptions, readers: Sequence[AliasReader]) -> None:
    """Say on stderr where each absent name was looked for, or what is spelled nearly so; as an object with `--json`."""
    for absent in names:
        line = json.dumps(_object(absent)) if options.as_json else plain_line(_sentence(absent, readers))
        print_note(line)


def absent_json(question: str, options: SearchOptions, readers: Sequence[AliasReader]) -> list[dict[str, Any]]:
    """The absent names as an answer's JSON has them."""
    return [_object(absent) for absent in absent_in(question, options, readers)]


def absent_in(question: str, options: SearchOptions, readers: Sequence[AliasReader]) -> list[Absent]:
    """The question's names that stand nowhere where it is searched."""
    from askrepo.search.search import absent_names

    return absent_names(question, readers=readers, where=options.filter())


def _object(absent: Absent) -> dict[str, Any]:
    return {"absent": absent.name, "nearest": list(absent.nearest)}


def _sentence(absent: Absent, readers: Sequence[AliasReader]) -> str:
    if absent.nearest:
        return f'no "{absent.name}"; nearest: {", ".join(absent.nearest)}'
    snapshots = [snapshot for reader in readers for snapshot in reader.entry.manifest.snapshots]
    places = dict.fromkeys(f"{snapshot.name}@{snapshot.commit[:10]}" for snapshot in snapshots)
    return f'"{absent.name}" stands nowhere in {", ".join(places)}'

"""What a tool gives: text within its bound, the outcome, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from askrepo.text.display import plain_line
from askrepo.text.tokens import count_tokens, truncate
from askrepo.types import AliasEntry
from askrepo.workspace.keys import dataset_id
from askrepo_query.output import SCHEMA, age, rests_on

Outcome = Literal[
    "found", "no match", "path not indexed", "unknown alias", "dataset unavailable", "wrong arguments", "failed"
]

STATUS_TOKENS = 4000
"""Of what is said about aliases and paths, which no argument bounds."""

MAX_SHOWN_COMMITS = 3
_CUT = "\n… cut at the bound of tokens"
_SLACK_TOKENS = 4  # two texts may take a few more tokens together than apart


@dataclass(frozen=True, slots=True)
class Result:
    """What a call came to.

    :ivar text: for the agent, the line that says what it rests on included.
    :ivar details: further facts for programs.
    """

    outcome: Outcome
    text: str
    entries: tuple[AliasEntry, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_error(self) -> bool:
        """Whether the call could not be carried out: no match, and a path that is not indexed, are answers."""
        return self.outcome not in {"found", "no match", "path not indexed"}

    @property
    def meta(self) -> dict[str, Any]:
        """The same for a program."""
        rests = [rests_on(entry) for entry in self.entries]
        return {"askrepo": {"schema": SCHEMA, "outcome": self.outcome, "rests_on": rests, **self.details}}


def footer(entries: Sequence[AliasEntry]) -> str:
    """The last line of a result: alias, dataset, commits, age; of several aliases one after the other."""
    return plain_line("; ".join(map(_footer, entries[:MAX_SHOWN_COMMITS])) + _more(len(entries), "aliases"))


def _footer(entry: AliasEntry) -> str:
    manifest = entry.manifest
    commits = [f"{read.name}@{read.commit[:10]}" for read in manifest.snapshots[:MAX_SHOWN_COMMITS]]
    places = ", ".join(commits) + _more(len(manifest.snapshots), "repositories")
    return f"{entry.alias} · {dataset_id(manifest.dataset)} · {places} · built {age(manifest.created_at)}"


def _more(count: int, what: str) -> str:
    return f" and {count - MAX_SHOWN_COMMITS} more {what}" if count > MAX_SHOWN_COMMITS else ""


def room(max_tokens: int, *around: str) -> int:
    """Tokens that are left for a text when others stand around it."""
    return max_tokens - sum(count_tokens(text) + _SLACK_TOKENS for text in around if text)


def bounded(text: str, max_tokens: int) -> str:
    """The text, its beginning where it has too many tokens, which is said."""
    if count_tokens(text) <= max_tokens:
        return text
    return truncate(text, room(max_tokens, _CUT)) + _CUT


def with_footer(body: str, entries: Sequence[AliasEntry], max_tokens: int) -> str:
    """The body, bounded, above the line that says what it rests on."""
    last = footer(entries)
    return f"{bounded(body, room(max_tokens, last))}\n\n{last}" if entries else bounded(body, max_tokens)


def fitting(blocks: Sequence[str], max_tokens: int) -> Iterator[str]:
    """The blocks, as long as the bound holds them."""
    for block in blocks:
        max_tokens -= count_tokens(block) + 1
        if max_tokens < 0:
            return
        yield block

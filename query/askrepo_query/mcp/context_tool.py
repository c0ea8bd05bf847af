"""What `context` gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askrepo.text.display import plain_line
from askrepo_query.mcp.coverage import absence
from askrepo_query.mcp.library import Library
from askrepo_query.mcp.matching import filter_of, no_match
from askrepo_query.mcp.results import Result, fitting, footer, room, with_footer

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.store.reader import Filter


def context(library: Library, question: str, max_tokens: int, alias: str | None = None) -> Result:
    """The passages that a chat model would get for a question."""

    def found(readers: Sequence[AliasReader]) -> Result:
        from askrepo.answer.context import context_for

        entries = tuple(reader.entry for reader in readers)
        where = filter_of(library, readers, None, None, None)
        left = room(max_tokens, footer(entries))
        sources = context_for(question, readers=readers, max_tokens=left, strategy=library.strategy, where=where)
        if not sources:
            facts: dict[str, Any] = {"absent": [], "attested_absent": []}
            return no_match(library, question, entries, where, _unfound(library, question, readers, where), facts,
                             max_tokens)  # fmt: skip
        several = sum(len(entry.manifest.snapshots) for entry in entries) > 1
        blocks = [f"{_cited(source.citation, several)}\n{source.text}" for source in sources]
        text = "\n\n".join(fitting(blocks, left))
        return Result("found", with_footer(text, entries, max_tokens), entries, {"results": len(sources)})

    return library.read(alias, found)


def _unfound(library: Library, question: str, readers: Sequence[AliasReader], where: Filter) -> list[str]:
    from askrepo.search.search import absent_names

    return absence(absent_names(question, readers=readers, where=where), readers, where, library)[0]


def _cited(citation: Any, several: bool) -> str:
    repository = f"{citation.repository}/" if several else ""
    return plain_line(f"{repository}{citation.path}:{citation.start_line}-{citation.end_line}")

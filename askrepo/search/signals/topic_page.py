"""Pages that by custom answer a topic: `SECURITY.md`, `CONTRIBUTING.md`, `LICENSE`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from askrepo.search.candidates import Pool

_CONTRIBUTING = (
    r"contribut|pull request|\bprs?\b|patch(?:es)?\b|maintainer|upstream|code review|coding style|commit message"
    r"|first issue|developer setup"
)
_SUPPORT = (
    r"end of life|\beol\b|long[- ]term|\blts\b|support(?:ed)? versions|how long|back-?port"
    r"|release (?:policy|cycle|schedule)|releases? are"
)
_PEOPLE = r"maintainers?\b|who (?:maintains|owns|leads|is behind|develops)|authors?\b|core team|governance"
_SECURITY = (
    r"security|vulnerab|\bcve\b|exploit|disclos|\bholes?\b|privately|\b(?:zero|0)[- ]day|\brce\b"
    r"|(?:remote|arbitrary) code execution"
)
_TERMS = r"licen[cs]|commercial|proprietary|closed[- ]source|copyright|royalt"

_TOPICS: tuple[tuple[str, str], ...] = (
    (_CONTRIBUTING, r"contribut(?:ing|e)|develop(?:ment|ing)|hacking|pull_request_template|governance|code_of_conduct"),
    (_SECURITY, r"security|threat[-_]model"),
    (_TERMS, r"licen[cs]e|copying|unlicense|notice|eula"),
    (r"code of conduct|harass", r"code[-_]of[-_]conduct"),
    (r"sponsor|fund|donat|financ", r"sponsors?|funding|backers|expense"),
    (_PEOPLE, r"maintainers|authors|owners|codeowners|governance|project_charter|team"),
    (_SUPPORT, r"lts|release|releases|releasing|support|versioning|security|supported[-_]versions"),
    (r"upgrad|migrat|breaking change", r"[^/]*(?:upgrad|migrat)"),
)
"""Words of a question, beginnings of the file names that answer them: customs of public repositories."""

TOPICS = tuple(
    (re.compile(words, re.IGNORECASE), re.compile(rf"(?:^|/)(?:{names})[^/]*$", re.IGNORECASE))
    for words, names in _TOPICS
)
_PAGES = frozenset({"doc", "config"})

USAGE_WEIGHT = 0.5
"""Of a question about use: "whom do I tell of a hole" asks for such a page, "how do I migrate a table" for another.
With 1 a question of 57 loses its page among the first three, with 0 one about the project does (measured 2026-11)."""


def topic_page(pool: Pool) -> list[float]:
    """For each page of a topic that the question touches how much it asks about the project; 0 for others."""
    about_project = pool.shares.get("overview", 0.0) + USAGE_WEIGHT * pool.shares.get("usage", 0.0)
    pages = [names for words, names in TOPICS if about_project and words.search(pool.question.text)]
    return [
        about_project if candidate.chunk.kind in _PAGES and _is_any(candidate.chunk.path, pages) else 0.0
        for candidate in pool.candidates
    ]


def _is_any(path: str, pages: Sequence[re.Pattern[str]]) -> bool:
    return any(page.search(path) for page in pages)

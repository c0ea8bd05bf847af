"""How likely a file of some kind answers a question of some kind, before its text is looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from askrepo.search.candidates import KindShares
from askrepo.search.editions import edition_factor, editions_named, is_english
from askrepo.search.question.question import NamedKind, Question, QuestionKind
from askrepo.types import Chunk

# Values set once, and flat around the optimum: powers of .5 to 1 of the code priors rank alike. What matters is that
# they exist: without them a whole repository's tests and documentation push the source out of the first ten (NDCG@10
# .861 instead of .907); with those of code alone, introductions vanish from the answers to overview questions (found in
# the first ten: .33 instead of .97, development half, measured 2026-11).
CODE_PRIOR: Mapping[str, float] = MappingProxyType(
    {
        "source": 1.0,
        "test": 0.4,
        "example": 0.5,
        "doc": 0.5,
        "config": 0.5,
        "generated": 0.5,
        "vendored": 0.5,
        "changelog": 0.3,
    }
)
CODE_PRIOR_POWER = 0.75
"""Softens the code priors: at full strength a quarter of the evidence that lies in tests and docs is lost."""

# Documentation before source: .65 and .8 for source find .02 fewer pages among the first three, .5 ranks as .55 does;
# .7 for examples finds .01 fewer among the first ten, 1 costs .01 on questions about code (128 questions, 2026-11).
USAGE_PRIOR: Mapping[str, float] = MappingProxyType(
    {
        "source": 0.55,
        "test": 0.4,
        "example": 0.85,
        "doc": 1.0,
        "config": 0.6,
        "generated": 0.4,
        "vendored": 0.4,
        "changelog": 0.5,
    }
)

OVERVIEW_PRIOR: Mapping[str, float] = MappingProxyType(
    {
        "source": 0.6,
        "test": 0.4,
        "example": 0.6,
        "doc": 1.0,
        "config": 0.5,
        "generated": 0.5,
        "vendored": 0.5,
        "changelog": 0.4,
    }
)
ROOT_README_PRIOR = 1.5
INTRODUCTION_PRIOR = 1.3

_CHANGELOG = re.compile(
    r"(?:^|/)(?:(?:change(?:s|log)?|history|news|releases?|release[-_]notes|whats[-_]?new)(?![a-z])[^/]*$"
    r"|(?:changelogs?|release[-_]notes)/)",
    re.IGNORECASE,
)
_CHANGELOG_KINDS = frozenset({"doc", "config"})
"""Kinds a changelog can be of; `history.py` is source."""

ANNOUNCEMENT_PRIOR = 0.7
"""Factor on posts: they tell of every feature once, and are not kept up to date as the documentation is. .5 ranks
alike; without it .02 fewer pages are among the first three (measured 2026-11)."""

_ANNOUNCEMENT = re.compile(r"(?:^|/)(?:_posts|posts|blogs?|news|announcements?)/", re.IGNORECASE)

LICENCE_PRIOR = 0.3
"""Factor on the text of a licence, for a question about anything else: it has many words, and tells of terms only."""

_LICENCE = re.compile(
    r"(?:^|/)(?:licen[cs]es?|copying|unlicense|notice|patents|eula)"
    r"(?:[-_.](?:apache|mit|bsd|[al]?gpl|mpl|cc|isc|third)[^/]*)?(?:\.(?:txt|md|rst|html))?$",
    re.IGNORECASE,
)
_ABOUT_TERMS = re.compile(
    r"licen[cs]|copyright|copyleft|proprietary|closed[- ]source|commercial|royalt|patent|warrant|liab|terms|legal|permi"
    r"|redistribut|attribution|\b(?:mit|bsd|apache|gpl|lgpl|mpl|notice)\b",
    re.IGNORECASE,
)

_ROOT_README = re.compile(r"(?:\.github/)?readme(?:\.\w+)?", re.IGNORECASE)
_INTRODUCTION = re.compile(
    r"(?:^|/)(?:intro(?:duction)?|overview|quick[-_]?start|getting[-_]started|get[-_]started|install(?:ation|ing)?"
    r"|about|why[^/]*|faq|features|how[-_][^/]*works?|concepts?|tutorial)(?:/index|/readme)?\.(?:md|mdx|rst|txt|adoc)$"
    r"|^docs?/(?:source/|en/|user/)?index\.(?:md|mdx|rst)$",
    re.IGNORECASE,
)


def kind_prior(chunk: Chunk, question: Question, shares: KindShares) -> float:
    """The factor on a chunk's score: the priors of the kinds of question, weighed by how much of each it is.

    A kind of file that the question names is not ranked lower than source.
    """
    kind = "changelog" if is_changelog(chunk) else chunk.kind
    prior = sum(share * _prior(of_kind, chunk, kind, question.names) for of_kind, share in shares.items() if share)
    return prior * _page_factor(chunk.path, question) if kind == "doc" else prior


def _page_factor(path: str, question: Question) -> float:
    """The factor on a page for what it is beside documentation: a post, a licence, a translation, an old version."""
    factor = ANNOUNCEMENT_PRIOR if _ANNOUNCEMENT.search(path) else 1.0
    if _LICENCE.search(path) and not _ABOUT_TERMS.search(question.text):
        factor *= LICENCE_PRIOR
    return factor * (edition_factor(path, editions_named(question.text)) if is_english(question.text) else 1.0)


def _prior(question_kind: QuestionKind, chunk: Chunk, kind: str, names: frozenset[NamedKind]) -> float:
    if question_kind == "overview":
        return _overview_prior(chunk, kind, names)
    if question_kind == "usage":
        is_named = kind in names and kind != "test"  # "how do I test my routes" wants the page, not the tests
        return 1.0 if is_named else USAGE_PRIOR.get(kind, USAGE_PRIOR["source"])
    return 1.0 if kind in names else float(CODE_PRIOR.get(kind, 1.0) ** CODE_PRIOR_POWER)


def is_root_readme(chunk: Chunk) -> bool:
    """Whether the chunk is of the page that a repository opens with."""
    return _ROOT_README.fullmatch(chunk.path) is not None


def is_changelog(chunk: Chunk) -> bool:
    """Whether the chunk is of a list of changes: words of every feature, explanation of none."""
    return chunk.kind in _CHANGELOG_KINDS and _CHANGELOG.search(chunk.path) is not None


def _overview_prior(chunk: Chunk, kind: str, names: frozenset[NamedKind]) -> float:
    if is_root_readme(chunk):
        return ROOT_README_PRIOR
    if kind == "doc" and _INTRODUCTION.search(chunk.path):
        return INTRODUCTION_PRIOR
    return 1.0 if kind in names else OVERVIEW_PRIOR.get(kind, OVERVIEW_PRIOR["source"])

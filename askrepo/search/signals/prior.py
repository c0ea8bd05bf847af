"""How likely a file of some kind answers a question of some kind, before its text is looked at."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType

from askrepo.search.candidates import KindShares
from askrepo.search.comments import explained
from askrepo.search.editions import edition_factor, editions_named, is_english
from askrepo.search.question.question import NamedKind, Question, QuestionKind
from askrepo.search.signals.customs import MISCONDUCT
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
DOC_COMMENT_PRIOR = 0.75
"""Of source whose text is all comment, for usage: many libraries explain their use there and nowhere else."""

MIN_USAGE_SHARE = 0.1
"""Share of usage in a question from which doc comments are looked for."""

EXPLAINED_FROM = 0.3
"""Share of comments and docstrings in a chunk from which it counts as one that explains use."""

ROOT_README_PRIOR = 1.5
INTRODUCTION_PRIOR = 1.3

_CHANGELOG = re.compile(
    r"(?:^|/)(?:(?:change(?:s|log)?|history|news|releases?|release[-_]notes|whats[-_]?new)(?![a-z])[^/]*$"
    r"|(?:changelogs?|release[-_]notes)/)|^[a-z]+[-_]change(?:s|log)(?![a-z])[^/]*$",
    re.IGNORECASE,
)
_CHANGELOG_KINDS = frozenset({"doc", "config"})
"""Kinds a changelog can be of; `history.py` is source."""

ANNOUNCEMENT_PRIOR = 0.7
"""Factor on posts: they tell of every feature once, and are not kept up to date as the documentation is. .5 ranks
alike; without it .02 fewer pages are among the first three (measured 2026-11)."""

_ANNOUNCEMENT = re.compile(r"(?:^|/)(?:_posts|posts|blogs?|news|announcements?)/", re.IGNORECASE)

TERMS_PRIOR = 0.3
"""Factor on the text of a licence, for a question about anything else, and on agreements and codes of conduct for one
that is not about the project: they have many words, and tell of terms only."""

BUNDLED_TERMS_PRIOR = 0.5
"""Factor on the text of a licence below the root, for a question about terms: most are those of bundled code."""

_LICENCE = re.compile(
    r"(?:^|/)(?:licen[cs]es?|copying|unlicense|notice|patents|eula)"
    r"(?:[-_.](?:apache|mit|bsd|[al]?gpl|mpl|cc|isc|third)[^/]*)?(?:\.(?:txt|md|rst|html))?$",
    re.IGNORECASE,
)
_OTHER_TERMS = re.compile(
    r"(?:^|/)(?:[^/]*[-_.]licen[cs]es?(?:\.\w+)?$|licen[cs]es/|code[-_]of[-_]conduct[^/]*$|(?:non)?cla\.\w+$)",
    re.IGNORECASE,
)
_ABOUT_TERMS = re.compile(
    r"licen[cs]|copyright|copyleft|proprietary|closed[- ]source|commercial|royalt|patent|warrant|liab|terms|legal|permi"
    rf"|redistribut|attribution|conduct|{MISCONDUCT}|agreement|\b(?:mit|bsd|apache|gpl|lgpl|mpl|notice|cla)\b",
    re.IGNORECASE,
)
_WORKING_TOGETHER = re.compile(
    r"(?:^|/)(?:(?:contribut(?:ing|e)|governance|maintainers|authors|pull_request_template)(?![a-z])[^/]*$|issue_template)"
    r"|^(?:\.github/)?security\.\w+$",
    re.IGNORECASE,
)

INTERNAL_PRIOR = 0.7
"""Factor on source and tests in folders of what users cannot reach, for questions that are not about code."""

_INTERNAL = re.compile(r"(?:^|/)(?:_?internals?|impl|private|details?)/", re.IGNORECASE)
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
    return prior * page_factor(chunk, question, shares)


def doc_comment_prior(chunk: Chunk, shares: KindShares) -> float:
    """What is added to a chunk's prior for the doc comments in it, as far as the question is about use."""
    usage = shares.get("usage", 0.0)
    return usage * (DOC_COMMENT_PRIOR - USAGE_PRIOR["source"]) * explaining(chunk) if usage >= MIN_USAGE_SHARE else 0.0


def explaining(chunk: Chunk) -> float:
    """How much a chunk of source is made of comments, from 0 at EXPLAINED_FROM to 1 for all of it; 0 for others."""
    if chunk.kind != "source":
        return 0.0
    return max(0.0, explained(chunk.text) - EXPLAINED_FROM) / (1 - EXPLAINED_FROM)


def page_factor(chunk: Chunk, question: Question, shares: KindShares) -> float:
    """The factor on a page for what it is beside documentation: a post, terms, a translation, an old version."""
    if chunk.kind != "doc" or is_changelog(chunk):
        return 1.0
    text, overview = question.text, shares.get("overview", 0.0)
    if _is_about_terms(text):
        factor = BUNDLED_TERMS_PRIOR if "/" in chunk.path and _is_licence_text(chunk.path) else 1.0
    else:
        factor = 1 - (1 - TERMS_PRIOR) * _terms_in(chunk.path, overview)
    factor *= edition_factor(chunk.path, editions_named(text)) if is_english(text) else 1.0
    return factor * (ANNOUNCEMENT_PRIOR if _is_announcement(chunk.path) else 1.0)


@functools.lru_cache(maxsize=1_000)
def _is_about_terms(question: str) -> bool:
    return _ABOUT_TERMS.search(question) is not None


def _terms_in(path: str, overview: float) -> float:
    """How much of a page is terms: none of an agreement, for a question about the project."""
    return 1.0 if _is_licence(path) else (1 - overview) * _is_other_terms(path)


@functools.lru_cache(maxsize=10_000)
def _is_licence_text(path: str) -> bool:
    return _is_licence(path) or (_is_other_terms(path) and "licen" in path.rpartition("/")[2].lower())


def is_root_licence(chunk: Chunk) -> bool:
    """Whether the chunk is of the text of the licence of the whole repository."""
    return "/" not in chunk.path and _is_licence(chunk.path)


@functools.lru_cache(maxsize=10_000)
def _is_licence(path: str) -> bool:
    return _LICENCE.search(path) is not None


@functools.lru_cache(maxsize=10_000)
def _is_other_terms(path: str) -> bool:
    return _OTHER_TERMS.search(path) is not None


@functools.lru_cache(maxsize=10_000)
def _is_announcement(path: str) -> bool:
    return _ANNOUNCEMENT.search(path) is not None


def _prior(question_kind: QuestionKind, chunk: Chunk, kind: str, names: frozenset[NamedKind]) -> float:
    if question_kind != "code":
        of_kind = _overview_prior if question_kind == "overview" else _usage_prior
        return of_kind(chunk, kind, names) * (INTERNAL_PRIOR if _is_internal(chunk) else 1.0)
    return 1.0 if kind in names else float(CODE_PRIOR.get(kind, 1.0) ** CODE_PRIOR_POWER)


def is_root_readme(chunk: Chunk) -> bool:
    """Whether the chunk is of the page that a repository opens with."""
    return _ROOT_README.fullmatch(chunk.path) is not None


def is_community_page(path: str) -> bool:
    """Whether a page is about terms, or about how people work together on the project."""
    return _is_licence(path) or _is_other_terms(path) or _WORKING_TOGETHER.search(path) is not None


def is_changelog(chunk: Chunk) -> bool:
    """Whether the chunk is of a list of changes: words of every feature, explanation of none."""
    return chunk.kind in _CHANGELOG_KINDS and _CHANGELOG.search(chunk.path) is not None


def _is_internal(chunk: Chunk) -> bool:
    return chunk.kind in ("source", "test") and _INTERNAL.search(chunk.path) is not None


def _usage_prior(_chunk: Chunk, kind: str, names: frozenset[NamedKind]) -> float:
    is_named = kind in names and kind != "test"  # "how do I test my routes" wants the page, not the tests
    return 1.0 if is_named else USAGE_PRIOR.get(kind, USAGE_PRIOR["source"])


def _overview_prior(chunk: Chunk, kind: str, names: frozenset[NamedKind]) -> float:
    if is_root_readme(chunk):
        return ROOT_README_PRIOR
    if kind == "doc" and _INTRODUCTION.search(chunk.path):
        return INTRODUCTION_PRIOR
    return 1.0 if kind in names else OVERVIEW_PRIOR.get(kind, OVERVIEW_PRIOR["source"])

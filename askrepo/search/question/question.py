"""What a question asks for, read from its words alone: no model, no dataset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Self

from askrepo.errors import UsageError
from askrepo.search.question.mentions import Mention, is_name, mentions

QuestionKind = Literal["overview", "usage", "code"]
"""overview: about the project as a whole; usage: how to do something with it; code: how it works inside."""

NamedKind = Literal["test", "example", "doc", "config", "changelog"]
"""Kinds of file that a question can name and that are otherwise ranked lower."""

MAX_TERMS = 64
"""Lexical terms kept of a question: beyond a few dozen, BM25 ranks by length, and each term costs a posting list."""

MAX_NAMED = 16
"""Identifiers and paths looked up: a pasted log names hundreds."""

HEAD_CHARS = 1000
"""Characters that tell a question's kind; what follows is usually pasted text (a log, a file)."""

_UNSEARCHABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL ends a Deep Lake query early; a lone surrogate cannot be encoded."""

_CODE_NAME = re.compile(r"\w_\w|\w\(\)|::|->|`")
"""snake_case, a call, a qualified name or a quoted name: the question is about code, whatever its form."""

_SEPARATOR = re.compile(r"::|->|[.#\\\\]")
_NAME = re.compile(r"[^\W\d]\w*(?:(?:::|->|[.#\\\\])[^\W\d]\w*)*[?!]?")
_LOOKS_LIKE_CODE = re.compile(r"[a-z][A-Z]|\w_\w|_[^\W\d]|[A-Z][A-Z][a-z]|::|->|\w[.#\\\\]\w")
_PATH = re.compile(
    r"(?<![\w./-])[\w./-]*\w\.(?:py|pyi|js|jsx|ts|tsx|mjs|cjs|go|rs|java|kt|scala|rb|ex|exs|php|cs|swift|zig|lua|hs|sh|rst|md|mdx"
    r"|adoc|toml|cfg|ini|ya?ml|json|sql|c|h|cc|cpp|hpp)\b(?!\()"
)
_UPWARDS = re.compile(r"^(?:\.{0,2}/)+")

_PROJECT = r"(?:this|the)\s+(?:project|repo|repository|library|package|tool|framework|product|codebase|software)"
_ADOPT = r"(?:use|choose|pick|adopt|prefer|consider|try|need|want|care\s+about|switch\s+to|migrate\s+to)"

_OVERVIEW = re.compile(
    "|".join(
        [
            # who it is for, who stands behind it
            r"^who\s+(?:is|are|should|would|could|can|uses?|needs?|benefits?|maintains?|owns|created|made|wrote|built)\b",
            r"\b(?:intended|target)\s+(?:audience|users?)\b",
            # why, when and whether to take it
            r"^why\s+(?:should|would)\s+(?:[\w'-]+\s+){0,5}" + _ADOPT + r"\b",
            r"^why\s+(?:not\s+)?(?:" + _ADOPT + r"\b|\S+\s*\?$)",
            r"^should\s+(?!i\b|we\b|you\b)(?:[\w'-]+\s+){1,5}" + _ADOPT + r"\b",
            r"^when\s+should(?:n't)?\s+\S+\s+(?:not\s+|ever\s+)?" + _ADOPT + r"\s+\S+\s*\??$",
            r"^why\s+(?:does|was|is)\s+(?:" + _PROJECT + r"|\S+)\s+(?:exist|(?:created|made|written|built)\s*\??$)",
            r"^(?:is|are)\s+\S+\s+(?:free|open[\s-]?source|production[\s-]?ready|suitable|good\s+for|right\s+for|worth)\b",
            r"\bbig picture\b|\bhigh[- ]level (?:overview|view|picture)\b|\bin a nutshell\b|\bat a glance\b",
            r"\b(?:pros\s+and\s+cons|use[\s-]cases?|(?:key|main|core)\s+(?:features?|benefits?|ideas?))\b",
            r"\b(?:benefits?|advantages?|disadvantages?|drawbacks|limitations)\s+of\s+(?:using\s+)?\S+\s*\??$",
            # what it is and what for
            r"^what(?:'s|\s+is|\s+are)\s+(?!the\b|an?\b)[\w.-]+(?:\s+and\s+(?:what|who|why|how)\b.*)?\s*[?.!]*$",
            r"^what(?:'s|\s+is)\s+(?!the\b|an?\b)\S+(?:\s+(?:used|useful|good|meant|intended))?\s+(?:for|about)\b",
            r"^what\s+(?:can|could)\s+\S+\s+(?:do|build|make|achieve)\s+with\b",
            r"^what\s+problems?\s+(?:does|do|is|are)\b",
            r"^(?:what|how)(?:'s|\s+is|\s+does|\s+can)\s+" + _PROJECT + r"\b",
            r"\b(?:purpose|goal|aim|overview|summary|description|idea|point)\s+(?:of|behind)\s+" + _PROJECT,
            r"^(?:give|show|write)\s+(?:me\s+)?an?\s+(?:overview|introduction|summary)\b",
            r"^(?:tell\s+me\s+about|introduce|summari[sz]e|describe)\s+" + _PROJECT,
            # against others
            r"^how\s+(?:does|do)\s+.{1,80}\bcompare\s+(?:to|with|against)\b",
            r"^how\s+(?:is|are)\s+\S+\s+(?:any\s+)?different\s+(?:from|to|than)\b",
            r"^how\s+(?:does|do)\s+\S+\s+differ\s+from\b",
            r"^compare\s|\balternatives?\s+to\b|\bcomparison\s+(?:to|with|of)\b",
            r"^(?:\S+\s+){1,4}(?:vs|versus)\b(?!\s+code\b)\.?\s+\S+(?:\s+\S+){0,3}\s*$",
            # getting it
            r"^how\s+(?:do|can|should|to)\b.{0,40}\binstall\b|^install(?:ing|ation)?\b|\bpip\s+install\b",
            r"\b(?:installation\s+(?:instructions?|guide|steps?)|(?:installation|system|hardware)\s+requirements)\b",
            r"^(?:what|which)\s+(?:[\w-]+\s+){1,3}(?:(?:is|are)\s+supported|does\s+\S+\s+support)\b",
            r"\bget(?:ting)?\s+started\b|\bquick\s?start\b",
            (
                r"\bset(?:ting)?[\s-]?up\s+(?:(?:an?|the|my|our)\s+)?(?:(?:local|dev|development|test|build)\s+)+"
                r"(?:environment|machine|container|checkout|setup)\b"
            ),
            # working on it, standing by it
            r"\b(?:found|find|report|disclose)\b.{0,30}\b(?:security|vulnerabilit\w+|exploit|hole)\b",
            r"\b(?:report|disclose|tell)\b.{0,60}\b(?:privately|maintainers?)\b|\bsecurity policy\b",
            r"\b(?:responsible|coordinated) disclosure\b",
            r"\b(?:pull requests?|prs?|patch(?:es)?)\b.{0,40}\b(?:accepted|merged|reviewed|pass|welcome)\b",
            r"\b(?:sponsor|donate|fund)\b.{0,40}\b(?:development|project|maintainers?|it|them)\b",
            # terms
            r"^(?:what|which|under|is|are|can|may|does)\b.{0,80}\blicen[cs](?:e|ed|ing)\b",
        ]
    )
)

_USAGE = re.compile(
    r"\bhow\s+(?:do|can|should|would|could|might|must)\s+(?:i|we|you|one|users?|someone)\b"
    r"|\bhow\s+to\b"
    r"|\b(?:can|could|should|may)\s+(?:i|we|you|one)\b"
)


_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please)\b[,!]?\s+)?(?:(?:can|could|would|will)\s+(?:you|someone|anyone)\s+)?(?:please\s+)?"
    r"(?:explain(?:\s+to\s+me)?|tell\s+me(?!\s+about)|show\s+me|walk\s+me\s+through|help\s+me\s+understand"
    r"|point\s+me\s+to|let\s+me\s+know)\s+(?=how|what|where|which|who|why|when|whether|if|the\b)",
    re.IGNORECASE,
)
"""What asks for an answer, not for the thing: "can you explain how ..." is no question about what one can do."""


def _word(stems: str) -> re.Pattern[str]:
    """A word of plain language: not a part of an identifier (`test_client`, `mock.patch`, `test()`)."""
    return re.compile(rf"(?<![\w.])(?:{stems})(?![\w(]|\.\w)")


_NAMED: dict[NamedKind, re.Pattern[str]] = {
    "test": _word(r"test(?:s|ed|ing)?|specs?|fixtures?|mock(?:s|ed)?"),
    "example": _word(r"examples?|samples?|demos?|benchmarks?"),
    "doc": _word(r"docs?|documentation|documented|readme|guides?|tutorials?|explain(?:ed|s)?"),
    "config": _word(
        r"config(?:s|ured?|uration)?|settings?|json|ya?ml|toml|ci|workflows?|dependenc(?:y|ies)|depends?|versions?"
    ),
    "changelog": _word(
        r"change(?:d|s|log)?|history|release(?:d|s)?|versions?|upgrad(?:e|ed|ing)|migrat(?:e|ed|ing|ion)"
    ),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A question, ready to be searched for.

    :ivar text: searchable characters only, never blank.
    :ivar terms: lexical terms, distinct, at most MAX_TERMS; empty when the text has no word.
    :ivar names: kinds of file that the question names, and therefore wants.
    :ivar identifiers: names of code in it, each whole and without what qualifies it, at most MAX_NAMED.
    :ivar paths: files it names by path or name, at most MAX_NAMED.
    :ivar mentions: what must be found verbatim, as it was typed.
    """

    text: str
    terms: tuple[str, ...]
    kind: QuestionKind
    names: frozenset[NamedKind]
    identifiers: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The question in a text of any length.

        :raises UsageError: nothing searchable is in it.
        """
        asked = searchable(text)
        from askrepo.text.terms import query_terms

        terms = tuple(query_terms(asked)[:MAX_TERMS])
        return cls(
            asked,
            terms,
            question_kind(asked),
            named_kinds(asked),
            identifiers(asked),
            paths(asked),
            mentions(asked),
        )

    @property
    def is_name(self) -> bool:
        """Whether the question is nothing but one name, or one quoted message."""
        return is_name(self.text)

    @property
    def is_one_word(self) -> bool:
        """Whether the question is a single word: usually a name to look up."""
        return len(self.text.split(maxsplit=1)) == 1


def searchable(text: str) -> str:
    """The text without what cannot be searched for: NUL, lone surrogates, white space around it.

    :raises UsageError: nothing is left.
    """
    left = _UNSEARCHABLE.sub("", text).strip()
    if not left:
        raise UsageError("the question is empty: ask something, for example `askrepo search retry policy`")
    return left


def question_kind(text: str) -> QuestionKind:
    """Which kind of question this is, by plain patterns so narrow that they are nearly always right.

    What they do not settle is "code" here; `kinds` tells it apart.
    """
    head = _POLITE.sub("", _head(text))
    if _OVERVIEW.search(head) and not _CODE_NAME.search(head):
        return "overview"
    return "usage" if _USAGE.search(head) else "code"


def to_the_point(text: str) -> str:
    """The question without the words that only ask for an answer."""
    return _POLITE.sub("", text, count=1)


def named_kinds(text: str) -> frozenset[NamedKind]:
    """The kinds of file that the question names in plain words; a word inside an identifier does not count."""
    head = _head(text)
    return frozenset(kind for kind, word in _NAMED.items() if word.search(head))


def identifiers(text: str) -> tuple[str, ...]:
    """Names of code: a single word, or words that plain language does not have (`a_b`, `aB`, `A::b`, `a.b`).

    Each whole and its last part: `Session.send`, `send`.
    """
    words = _NAME.findall(text[:HEAD_CHARS])
    named = words if len(text.split(maxsplit=1)) == 1 else [word for word in words if _LOOKS_LIKE_CODE.search(word)]
    forms = (form for word in named for form in (word, word.rstrip("?!")))  # `empty?` is a name, `HttpClient?` is not
    parts = (part for form in forms for part in (form, _SEPARATOR.split(form)[-1]))
    return tuple(dict.fromkeys(parts))[:MAX_NAMED]


def names_code(text: str) -> bool:
    """Whether names of code are in the question, in whatever form."""
    return bool(identifiers(text)) or _CODE_NAME.search(text[:HEAD_CHARS]) is not None


def paths(text: str) -> tuple[str, ...]:
    """Paths or file names in the question, without a leading `./`, `../` or `/`."""
    found = (_UPWARDS.sub("", match) for match in _PATH.findall(text[:HEAD_CHARS]))
    return tuple(dict.fromkeys(path for path in found if path))[:MAX_NAMED]


def _head(text: str) -> str:
    return text[:HEAD_CHARS].strip().lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")

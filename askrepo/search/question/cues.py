"""Signs in a question's words that tell what kind of question it is: each a plain pattern that either occurs or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from askrepo.search.question.question import HEAD_CHARS

PROJECT = "PROJECT"
"""What stands for the project's own name, so that what is learnt from questions about one project holds for all."""

_DO = (
    "access|allow|always|answer|apply|attach|bind|build|call|cancel|capture|catch|change|close|compress|configure"
    "|connect|convert|create|customi[sz]e|debug|declare|define|delete|deny|deploy|disable|download|enable|encrypt"
    "|exclude|export|expose|fetch|filter|find|force|forward|generate|get|give|handle|host|ignore|import|include"
    "|infer|inject|install|invoke|join|keep|let|limit|list|load|log|make|match|merge|migrate|mount|never|open"
    "|override|parse|pass|prevent|print|proxy|read|record|redirect|register|reload|remove|replace|require|restart"
    "|retry|return|reuse|rotate|run|save|schedule|search|send|serve|set|share|show|sign|skip|sort|specify|split"
    "|start|stop|store|switch|test|turn|upgrade|upload|use|validate|wait|watch|write|add"
)
_REPAIR = (
    "avoid|bump|clean|correct|deprecate|drop|ensure|extract|fix|guard|handle|implement|improve|introduce|move"
    "|optimi[sz]e|refactor|rename|revert|simplify|support|update"
)
_INSIDE = (
    r"abstraction|algorithm|allocat\w*|buffer|class|code ?path|computed|crash\w*|data structure|deadlock|decided"
    r"|detected|dispatch|exception|function|handler|hierarchy|implement\w*|interface|internal\w*|invalidat\w*|leak"
    r"|lifecycle|lock|logic|lookup|mechanism|method|module|mutex|null|overflow|panic|parser|pointer|propagat\w*"
    "|queue|race|resolution|resolved|segfault|struct|thread|tracked|trait|under the hood"
)
_ADOPT = (
    r"adopt\w*|advantages?|alternatives?|at a glance|audience|beginners?|benefits?|big picture|choose|companies"
    r"|compar\w+|competitors?|cons|cost|differ|different from|downsides?|drawbacks?|evaluat\w*|features|free"
    "|future|goals?|history|instead of|introduction|limitations?|mature|motivation|newcomers?|nutshell|overkill"
    r"|overview|philosophy|pick|plans|price|pricing|principles|production|pros|ready|recommend\w*|roadmap|selling"
    "|stable|status|suitable|summary|trust|use cases?|versus|vs|who uses|worth"
)
_TERMS = (
    r"backport\w*|code of conduct|commercial\w*|community|contribut\w*|copyright|discord|end of life|eol"
    r"|governance|licen[cs]\w*|lts|mailing list|maintain\w*|open[- ]source|prs?|pull requests?"
    r"|release (?:policy|cycle|schedule|cadence)|security (?:policy|issue|report)\w*|semver|slack|sponsor\w*"
    r"|support(?:ed)? (?:version|platform|browser|os)\w*|support window|vulnerab\w*"
)
_INSTALL = (
    r"arm|beginner|compatib\w*|dependenc\w+|docker|first steps|get(?:ting)? started|install\w*|learn|linux|macos"
    "|minimum|platforms?|prerequisites?|quick ?start|requirements?|tutorial|versions?|walkthrough|windows"
)
_WHERE = (
    "where|at what point|the code (?:that|which)"
    "|which (?:function|class|method|module|file|part|code|component|struct|layer)"
    "|what (?:function|class|method|module|code|decides|happens|triggers|makes|prevents|stops|keeps|guarantees)"
)
_HOW_VERB = "is|are|does|do|did|was|were|to|can|should|would|could|might|must"


def _any_case(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _words(alternatives: str) -> re.Pattern[str]:
    return _any_case(rf"\b(?:{alternatives})\b")


# No repetition holds another one: the time grows with the length, whatever the question is.
CUES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        # someone who does something with the project
        "how to": _words("how to"),
        "how do I": _any_case(
            r"\bhow\s+(?:do|can|should|would|could|might|must)\s+(?:i|we|you|one|users?|someone)\b|\bhow should\b"
        ),
        "can I": _any_case(r"\b(?:can|could|may|should|must|do)\s+(?:i|we|you|one|it|PROJECT)\b"),
        "first person": _words("i|i'm|i'd|i've|my|we|we're|we've|our|us|me|mine"),
        "you": _words("you|your"),
        "possible": _words("possible|any way|a way to|supports?|supported|able to|best way|recommended|right way"),
        "need": _words("need|want|trying|would like|looking for|have to"),
        "without": _words("without|instead of|rather than|only when|per|every time|at once|from a|into a|to a"),
        "example": _words("example|sample|snippet|template|syntax|minimal"),
        "option": _words(
            r"options?|settings?|flags?|env(?:ironment)? var\w*|default|config(?:uration)?(?: file)?"
            "|parameter|command|cli"
        ),
        "imperative": _any_case(rf"^(?:please\s+)?(?:{_DO})\b"),
        # someone who works on its code
        "fix verb": _any_case(rf"^(?:\w+(?:\([\w-]+\))?:\s*)?(?:{_REPAIR})\w*\b"),
        "gerund": _any_case(r"^\w+ing\b"),
        "how is": _any_case(r"\bhow\s+(?:is|are|does|do|did|was|were)\b(?!\s+(?:i|we|you)\b)"),
        "how noun": _any_case(rf"^how\s+(?!(?:{_HOW_VERB}|much|many|long|often|fast|big|mature|stable)\b)"),
        "where": _words(_WHERE),
        "internals": _words(_INSIDE),
        # form
        "why": _any_case(r"^why\b"),
        "who": _any_case(r"^who\b|\bwho(?:'s| is| are)\b"),
        "what is": _any_case(r"^what(?:'s| is| are)\b"),
        "when": _words("when"),
        "is": _any_case(r"^(?:is|are|does|do|did|has|have|was|will)\b"),
        "which": _any_case(r"^(?:which|what)\b"),
        # the project as a whole
        "adopt": _words(_ADOPT),
        "terms": _words(_TERMS),
        "install": _words(_INSTALL),
        "project": _words("PROJECT|(?:this|the) (?:project|library|tool|framework|package|repo(?:sitory)?)"),
        # writing
        "identifier": re.compile(r"[a-z][A-Z]|\w_\w|\w\(\)|::|->|`|\w\.\w"),
        "error name": re.compile(r"\b\w+(?:Error|Exception)\b"),
        "commit prefix": re.compile(r"^\w+(?:\([\w-]+\))?!?:\s"),
        "question mark": re.compile(r"\?\s*$"),
        "capital": re.compile(r"^[A-Z]"),
    }
)

_SENTENCE_CUES = (
    *("how to", "how do I", "can I", "first person", "you", "need", "imperative", "question mark"),
    *("which", "is", "why", "who", "what is", "how is", "how noun", "where"),
)

LENGTH_CUES: Mapping[str, Callable[[int], bool]] = MappingProxyType(
    {
        "one word": lambda words: words == 1,
        "2-3 words": lambda words: 2 <= words <= 3,
        "4-6 words": lambda words: 4 <= words <= 6,
        ">12 words": lambda words: words > 12,
    }
)

CUE_NAMES: tuple[str, ...] = (*CUES, *LENGTH_CUES, "fragment")
"""In the order of `cues_of`; a fragment has none of the cues of a sentence."""


def cues_of(text: str, *, projects: Collection[str]) -> list[float]:
    """1 for each of CUE_NAMES that the question has, else 0.

    :param projects: the project's own names, as in `mask_projects`.
    """
    head = mask_projects(text, projects).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").strip()
    words = len(head.split())
    found = {name: pattern.search(head) is not None for name, pattern in CUES.items()}
    lengths = [applies(words) for applies in LENGTH_CUES.values()]
    is_fragment = not any(found[name] for name in _SENTENCE_CUES)
    return [float(cue) for cue in (*found.values(), *lengths, is_fragment)]


def mask_projects(text: str, projects: Collection[str]) -> str:
    """The question's first HEAD_CHARS characters, with each of the names replaced: as whole words, in any case."""
    head = text[:HEAD_CHARS]
    names = sorted(filter(None, projects), key=lambda name: (-len(name), name))
    if not names:
        return head
    return _any_case(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)").sub(PROJECT, head)

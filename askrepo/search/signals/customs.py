"""Customs of public repositories: which topics of a question are answered by files that are called so everywhere."""

from __future__ import annotations

import re
from typing import NamedTuple

_CONTRIBUTING = (
    r"contribut|pull request|\bprs?\b|patch(?:es)?\b|maintainer|upstream|code review|coding style|commit message"
    r"|first issue|developer setup|\bcla\b|\bdco\b|sign (?:something|anything|an? agreement|off)|from source"
)
_CHECKS = (
    r"(?<!my )(?<!our )test[- ]suite\b|\b(?:its|their|project's|own) (?:unit )?tests\b|\bstatic checks|\bhack on"
    r"|\blocal (?:checkout|clone|setup|development)\b|\bdev(?:elopment)? (?:environment|setup|dependencies)"
    r"|\b(?:tests?|linters?) (?:and|or|\+) (?:the )?(?:tests?|linters?)\b"
)
_BUILDING = r"\b(?:compil|build)(?:e|ing)? (?:it|this|from|myself|ourselves|the (?:project|library))\b|from source"
MISCONDUCT = r"code of conduct|harass|\babus(?:e[ds]?|ive|ing)\b|\brude|insult|offensive|\bbull(?:y|ied)|toxic|mistreat"
_SUPPORT = (
    r"end of life|\beol\b|long[- ]term|\blts\b|support(?:ed)? versions|how long|back-?port"
    r"|release (?:policy|cycle|schedule|cadence)|releases? are|\bnext (?:major |minor )?(?:release|version)"
    r"|how (?:often|frequently).{0,40}(?:release|version)"
)
_PEOPLE = (
    r"maintainers?\b|who (?:maintains|looks after|owns|leads|is behind|develops|wrote|made|created)|authors?\b"
    r"|governance"
    r"|core (?:team|people|developers)|(?:people|person|team|company) behind"
)
_SECURITY = (
    r"security|vulnerab|\bcve\b|exploit|disclos|\bholes?\b|privately|\b(?:zero|0)[- ]day|\brce\b"
    r"|(?:remote|arbitrary) code execution|whom? (?:do|should|can|to) (?:(?:i|we) )?(?:tell|report)"
)
_TERMS = (
    r"licen[cs]|commercial|proprietary|closed[- ]source|copyright|copyleft|royalt|redistribut|(?<!in )\bterms\b"
    r"|\b[al]?gpl"
)
_UPGRADE = (
    r"upgrad|migrat|breaking change|\bbreaks?\b|\bchange[ds]?\b.{0,80}\b(?:versions?|v?\d)"
    r"|(?:from|between) (?:[\w.-]+ )?v?\d[\w.]* (?:to|and)\b|(?:com|mov|switch)ing from (?:[\w.-]+ )?v?\d"
)
_LICENCE = r"licen[cs]e|copying|unlicense|notice|eula"
_HELP = (
    r"\b(?:get|getting|find|ask for|looking for) (?:some )?help\b|\bask (?:\w+ )?questions?|discord|slack|gitter"
    r"|\birc\b|mailing list|forums?\b|stack ?overflow|chat room|community"
)
_ARCHITECTURE = (
    r"architecture|big picture|code ?base"
    r"|how (?:is|are) (?:it|the (?:code|project|repo(?:sitory)?)) (?:organi[sz]ed|structured|laid out)"
)
_ADOPTERS = (
    r"compan(?:y|ies)\b|who (?:else )?(?:uses|is using)|used (?:by|in production)|adopters?\b|in production"
    r"|which (?:projects|products|organi[sz]ations)"
)
_COMPARISON = (
    r"\bvs\b|versus|compar|\bdiffer(?:s|ent|ences?)?\b|alternatives?|instead of|rather than"
    r"|why (?:not|use|would|should)"
)
_LIBRARIES = r"(?:librar(?:y|ies)|packages?|modules|crates?|gems?|dependenc(?:y|ies))\b"
_RUNTIME = (
    r"(?:python|ruby|node(?:\.?js)?|php|java|jdk|jvm|kotlin|scala|go(?:lang)?|rustc?|elixir|erlang|otp|\.net(?: \w+)?"
    r"|c\+\+|gcc|clang|ghc|swift|typescript|interpreter|runtime|compiler)"
)
_REQUIREMENTS = (
    rf"(?:oldest|minimum|minimal|lowest|earliest) {_RUNTIME}(?!\w)"
    rf"|(?:which|what) {_RUNTIME} (?:versions?|do|does|is|are|should)\b"
    rf"|(?:which|what|minimum) versions? of {_RUNTIME}(?!\w)|\bmsrv\b|system requirements"
    r"|(?:its|many|any|no|zero|third[- ]party|external|runtime|transitive) dependencies\b"
    rf"|{_LIBRARIES}[^.?]{{0,40}} (?:depends? on|(?:pull|drag|bring)s? in)\b"
    rf"|(?:pull|drag|bring)s? in [^.?]{{0,30}}{_LIBRARIES}"
    r"|installed (?:with|along)"
)
_MANIFEST = (
    r"pyproject\.toml|setup\.(?:cfg|py)|package\.json|composer\.json|cargo\.toml|go\.mod|pom\.xml|mix\.exs"
    r"|[\w.-]+\.(?:gemspec|nuspec|csproj|cabal)|build\.gradle(?:\.kts)?|package\.swift|build\.sbt|pubspec\.ya?ml|deno\.json"
)
_ROOT_MANIFEST = rf"^(?:{_MANIFEST})"
_DEVELOPING = r"contribut(?:ing|e)|develop(?:ment|ing)|hacking"
_TEAM = r"maintainers|authors|owners|codeowners|governance|project_charter|team"

_TOPICS: tuple[tuple[str, ...], ...] = (
    (_CONTRIBUTING, rf"{_DEVELOPING}|pull_request_template|governance"),
    (_CHECKS, _DEVELOPING, r"^(?:makefile|justfile|rakefile|tox\.ini|noxfile)"),
    (_BUILDING, r"(?:build|compil|install)(?:e|ing|ation)?\.(?:md|rst|txt|adoc)", _DEVELOPING),
    (_SECURITY, r"security|threat[-_]model|bug[-_]bounty|vulnerab"),
    (_TERMS, rf"^(?:{_LICENCE})", _LICENCE, _ROOT_MANIFEST),
    (MISCONDUCT, r"code[-_]of[-_]conduct"),
    (r"sponsor|fund|donat|financ", r"sponsors?|funding|backers|expense|donat"),
    (_PEOPLE, _TEAM, _ROOT_MANIFEST),
    (r"\bcit(?:e[ds]?|ing|ations?)\b|bibtex", r"citation|citing"),
    (_SUPPORT, r"lts|release|releases|releasing|support|versioning|security|supported[-_]versions"),
    (_UPGRADE, r"[^/]*(?:upgrad|migrat|breaking[-_]change)"),
    (_ADOPTERS, r"adopters|(?:[a-z]+[-_])?users|who[-_]uses|showcase|testimonials|powered[-_]by|companies|customers"),
    (
        r"philosoph|principles?\b|design (?:goals?|decisions?)",
        r"(?:design[-_])?(?:philosophy|principles|goals|rationale)",
    ),
    (r"limitation|known (?:issue|problem)|caveat|drawback|downside|pitfall", r"limitations|known[-_]|caveats|pitfalls"),
    (r"deprecat|obsolete|backwards?[- ]compat", r"deprecat|backwards?[-_]compat"),
    (
        r"inspir|influenc|borrow|\borigins?\b|c[ao]me (?:about|into being)",
        r"influences|inspirations?|origins?(?![a-z])",
    ),
    (_REQUIREMENTS, _ROOT_MANIFEST),
    (r"third[- ]party|ecosystem|integrations?\b", r"ecosystem|third[-_]party|integrations|awesome"),
    (r"roadmap|planned|future (?:plans|versions?|releases?)|\bplans (?:for|to)\b", r"roadmap"),
    (_HELP, r"support|help|community|getting[-_]help", r"issue_template|contribut(?:ing|e)"),
    (_ARCHITECTURE, r"architecture|internals", r"design|overview|structure"),
    (r"benchmark|how (?:fast|slow)|(?:faster|slower|quicker) than|overhead", r"benchmarks?|performance"),
    (_COMPARISON, r"(?:[a-z]+[-_])?(?:comparisons?|alternatives|vs)(?![a-z])|why|differences"),
    (
        r"started|first steps?\b|my first|quick ?start|beginner",
        r"(?:\d+[-_.])?(?:getting[-_]?started|get[-_]started|quick[-_]?start|tutorial|first[-_]steps)",
    ),
)
"""Words of a question, and beginnings of the file names that answer them, the surest first: where there are such pages,
others of the topic are none. With "^" only at the root. Customs of public repositories."""


class Names(NamedTuple):
    """How files are called.

    :ivar begins: the beginning of a name without its folder.
    """

    at_root: bool
    begins: re.Pattern[str]


TOPICS = tuple(
    (
        re.compile(words, re.IGNORECASE),
        tuple(
            Names(names.startswith("^"), re.compile(rf"^(?:{names.removeprefix('^')})", re.IGNORECASE))
            for names in choices
        ),
    )
    for words, *choices in _TOPICS
)
"""Words of a question, and the names of the files that answer it, the surest first."""

ANY_KIND_OF_FILE = re.compile(rf"{_MANIFEST}|citation\.cff", re.IGNORECASE)
"""Names of such files that are no documentation."""

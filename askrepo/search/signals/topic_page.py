"""Pages that by custom answer a topic: `SECURITY.md`, `CONTRIBUTING.md`, `LICENSE`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from askrepo.search.candidates import KindShares, Pool
from askrepo.search.editions import edition_factor
from askrepo.types import Chunk

_CONTRIBUTING = (
    r"contribut|pull request|\bprs?\b|patch(?:es)?\b|maintainer|upstream|code review|coding style|commit message"
    r"|first issue|developer setup|\bcla\b|\bdco\b|sign (?:something|anything|an? agreement|off)|from source"
)
_SUPPORT = (
    r"end of life|\beol\b|long[- ]term|\blts\b|support(?:ed)? versions|how long|back-?port"
    r"|release (?:policy|cycle|schedule)|releases? are"
)
_PEOPLE = r"maintainers?\b|who (?:maintains|owns|leads|is behind|develops)|authors?\b|core team|governance"
_SECURITY = (
    r"security|vulnerab|\bcve\b|exploit|disclos|\bholes?\b|privately|\b(?:zero|0)[- ]day|\brce\b"
    r"|(?:remote|arbitrary) code execution|whom? (?:do|should|can|to) (?:(?:i|we) )?(?:tell|report)"
)
_TERMS = r"licen[cs]|commercial|proprietary|closed[- ]source|copyright|royalt"
_UPGRADE = (
    r"upgrad|migrat|breaking change|\bbreaks?\b|\bchange[ds]?\b.{0,80}\b(?:versions?|v?\d)"
    r"|(?:from|between) (?:[\w.-]+ )?v?\d[\w.]* (?:to|and)\b|(?:com|mov|switch)ing from (?:[\w.-]+ )?v?\d"
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
    r"(?:python|ruby|node(?:\.?js)?|php|java|jdk|jvm|kotlin|scala|go(?:lang)?|rust|elixir|erlang|otp|\.net(?: \w+)?"
    r"|c\+\+|swift|typescript|interpreter|runtime|compiler)"
)
_REQUIREMENTS = (
    rf"(?:oldest|minimum|minimal|lowest|earliest) {_RUNTIME}(?!\w)|(?:which|what) {_RUNTIME} versions?\b"
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

_TOPICS: tuple[tuple[str, str], ...] = (
    (_CONTRIBUTING, r"contribut(?:ing|e)|develop(?:ment|ing)|hacking|pull_request_template|governance|code_of_conduct"),
    (_SECURITY, r"security|threat[-_]model|bug[-_]bounty|vulnerab"),
    (_TERMS, r"licen[cs]e|copying|unlicense|notice|eula"),
    (r"code of conduct|harass", r"code[-_]of[-_]conduct"),
    (r"sponsor|fund|donat|financ", r"sponsors?|funding|backers|expense|donat"),
    (_PEOPLE, r"maintainers|authors|owners|codeowners|governance|project_charter|team"),
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
    (_REQUIREMENTS, rf"(?<!/)(?:{_MANIFEST})"),
    (r"third[- ]party|ecosystem|integrations?\b", r"ecosystem|third[-_]party|integrations|awesome"),
    (r"roadmap|planned", r"roadmap"),
    (_COMPARISON, r"(?:[a-z]+[-_])?(?:comparisons?|alternatives|vs)(?![a-z])|why|differences"),
    (
        r"started|first steps?\b|my first|quick ?start|beginner",
        r"(?:\d+[-_.])?(?:getting[-_]?started|get[-_]started|quick[-_]?start|tutorial|first[-_]steps)",
    ),
)
"""Words of a question, beginnings of the file names that answer them: customs of public repositories."""

TOPICS = tuple(
    (re.compile(words, re.IGNORECASE), re.compile(rf"(?:^|/)(?:{names})[^/]*$", re.IGNORECASE))
    for words, names in _TOPICS
)
_PAGES = frozenset({"doc", "config"})
_ROOT_MANIFEST = re.compile(_MANIFEST, re.IGNORECASE)
_NO_HOME = re.compile(r"(?:^|/)(?:issue_template|examples?|samples?|tests?|specs?)/", re.IGNORECASE)

USAGE_WEIGHT = 0.5
"""Of a question about use: "whom do I tell of a hole" asks for such a page, "how do I migrate a table" for another.
With 1 a question of 57 loses its page among the first three, with 0 one about the project does (measured 2026-11)."""

MIN_ABOUT_PROJECT = 0.5
"""How much a question must be about the project to have a place for the page of its topic."""


def topic_page(pool: Pool) -> list[float]:
    """For each page of a topic that the question touches how much it asks about the project; 0 for others."""
    about = about_project(pool.shares)
    pages = [names for words, names in TOPICS if about and words.search(pool.question.text)]
    return [
        about if _may_be_page(candidate.chunk) and _is_any(candidate.chunk.path, pages) else 0.0
        for candidate in pool.candidates
    ]


def about_project(shares: KindShares) -> float:
    """How much a question may be after such a page, in [0, 1]."""
    return shares.get("overview", 0.0) + USAGE_WEIGHT * shares.get("usage", 0.0)


class TopicPages:
    """The pages that by custom answer a question: none for most questions."""

    def __init__(self, question: str, shares: KindShares) -> None:
        wanted = about_project(shares) >= MIN_ABOUT_PROJECT
        self._names = [names for words, names in TOPICS if wanted and words.search(question)]

    def __bool__(self) -> bool:
        return bool(self._names)

    def has(self, chunk: Chunk) -> bool:
        """Whether a chunk is of such a page."""
        return _may_be_page(chunk) and self.has_path(chunk.path)

    def has_path(self, path: str) -> bool:
        """Whether a path is of such a page, as far as it tells: examples, translations and old versions are not."""
        return _is_any(path, self._names) and not _NO_HOME.search(path) and edition_factor(path) == 1

    def nearest_to_root(self, paths: Iterable[str], *, limit: int) -> list[str]:
        """Those of the paths that are of such pages, the outermost first."""
        return sorted(filter(self.has_path, paths), key=lambda path: (path.count("/"), path))[:limit]


def _may_be_page(chunk: Chunk) -> bool:
    """Whether the chunk is of a page, or of a manifest at the root, whatever it is written in."""
    return chunk.kind in _PAGES or _ROOT_MANIFEST.fullmatch(chunk.path) is not None


def _is_any(path: str, pages: Sequence[re.Pattern[str]]) -> bool:
    return any(page.search(path) for page in pages)

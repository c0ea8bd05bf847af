"""How citations, links and code are spelled in an answer: patterns over a normal view of the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# Written with other characters that look alike: all brackets, dashes, colons and slashes become the ASCII one.
_ALIKE = {
    **dict.fromkeys("【［〔⟦〖〚⁅❲⦋⟬〘﹝", "["),
    **dict.fromkeys("】］〕⟧〗〛⁆❳⦌⟭〙﹞", "]"),
    **dict.fromkeys("〈⟨‹«《❮＜", "<"),
    **dict.fromkeys("〉⟩›»》❯＞", ">"),
    **dict.fromkeys("‐‑‒–—―−⁃﹣－─", "-"),
    **dict.fromkeys("：∶꞉ː﹕", ":"),
    **dict.fromkeys("∕⁄／⧸", "/"),
    **dict.fromkeys("’‘＇", "'"),
    **dict.fromkeys("“”„＂", '"'),
    **dict.fromkeys("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", "\n"),
    **dict.fromkeys("\u2800\u3164\uffa0\u115f\u1160", " "),
}
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳㉑㉒㉓㉔㉕㉖㉗㉘㉙㉚㉛㉜㉝㉞㉟㊱㊲㊳㊴㊵㊶㊷㊸㊹㊺㊻㊼㊽㊾㊿❶❷❸❹❺❻❼❽❾❿"
"""Raised and circled digits: as many a power or a list item as a citation, so the view keeps them apart."""

# Letters of other alphabets that make a heading look like ours.
_CONFUSABLE = str.maketrans("ѕοоυսгсϲеετіɑаһյ", "soouurcceetiaahj")


def normal(text: str) -> tuple[str, Sequence[int]]:
    """The text as a reader sees it, in plain characters, and for each of them its position in the text.

    Full-width, mathematical and other digits and letters become ASCII; what cannot be seen or combines is left out.
    A word in ASCII letters ends where a script without spaces begins, and the other way round.
    """
    if text.isascii():
        return text.translate(_LINE_BREAKS), range(len(text) + 1)
    view: list[str] = []
    positions: list[int] = []
    is_unspaced = False
    for at, (shown, has_no_spaces, begins_word) in enumerate(map(_SEEN.__getitem__, text)):
        if shown:
            if is_unspaced and begins_word:
                view.append(" ")
                positions.append(at)
            view.append(shown)
            positions.append(at)
            is_unspaced = has_no_spaces
    return "".join(view), [*positions, len(text)]


class _Seen(dict[str, tuple[str, bool, bool]]):
    """Character → the plain one, empty when nothing is seen; whether its script has no spaces, or begins words."""

    def __missing__(self, character: str) -> tuple[str, bool, bool]:
        shown = _ALIKE.get(character) or _seen(character)
        kind = (shown, bool(_WITHOUT_SPACES.match(shown)), bool(_BEGINS_WORD.match(shown)))
        self[character] = kind
        return kind


def _seen(character: str) -> str:
    if character in RAISED or character in "\t\n⁽⁾⁻":
        return character
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf"}:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    plain = unicodedata.normalize("NFKC", character)
    return " " if category == "Zs" else plain if len(plain) == 1 else character


# Kana, Han and Hangul.
_WITHOUT_SPACES = re.compile("[\u3040-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")
_BEGINS_WORD = re.compile(r"[^\W\u3040-\u9fff\uac00-\ud7af]|<")
_LINE_BREAKS = dict.fromkeys(map(ord, "\r\v\f\x1c\x1d\x1e"), "\n")
_SEEN = _Seen()

# --- numbers ---

_NUMBER = r"\d{1,40}"
_AND = r"and|or|as\swell\sas|und|oder|et|ou|y|o|e|en|и|和|及|と"
_TO = r"-{1,6}+|→|\.{2,6}+|…|~|to|through|thru|until|bis"
_BETWEEN = rf"(?:\s*+(?:[,;/&+|·、،]|{_TO}|{_AND})\s*+){{1,2}}|\s++"
_RAISED_NUMBER = rf"[{RAISED}]{{1,4}}"
_LABEL = (
    r"sources?(?:\(s\))?|src|n[°º]\.?|nos?\.?|n[r.]\.?|refs?\.?|references?|docs?|documents?|cit(?:e|ation|\.)s?|footnotes?|fn\.?|notes?|passages?|chunks?|excerpts?"
    r"|snippets?|evidence|contexts?|results?|oaicite|quellen?|fuentes?|fontes?|fonti|bron(?:nen)?|kaynak(?:lar)?|źródł[oa]"
    r"|источник\w{0,3}|ссылк\w{0,2}|来源|來源|出典|资料|資料|文献|参考|출처|참고"
)
_SEE = r"(?:(?:see(?:\salso)?|cf\.?|vgl\.?|siehe|voir|ver|e\.g\.,?|from|per|in|by|via)\s+)?"
_MARKS = r"[\s*_~`\"(){}<>|^#@№!?,;=†‡§¶]{0,8}"
_LABELLED = rf"{_SEE}(?:(?:{_LABEL})(?:\s?(?:no|nr|number)\.?)?[\s.:#№=_-]{{0,4}}|[srdn](?=\d{{1,2}}(?!\d)))"
# Atomic: a label can be read in several ways, and a list of n of them in as many to the power of n.
_ITEM = rf"(?>(?:{_LABELLED}|(?:see(?:\salso)?|cf\.?|vgl\.?|siehe|voir)\s+|[#^@*№]\s?)?(?:{_NUMBER}|{_RAISED_NUMBER}))"
LIST = re.compile(rf"{_MARKS}(?P<list>{_ITEM}(?:(?:{_BETWEEN}){_ITEM})*)[abc]?\.?{_MARKS}", re.IGNORECASE)
"""All that stands in a bracket: `1`, `1, 2`, `1-3`, `source 3`, `^3`, `1 and 9`."""

_LINE_WORD = (
    r"(?:lines?|lns?|ll?\.|zeilen?|lignes?|l[ií]neas?|linhas?|righ?[ae]|regels?|строк[аиу]?|satır|行|줄|라인)"
    r"(?![^\W\d_])"
)
LIST_AND_MORE = re.compile(
    rf"{_MARKS}(?P<list>{_ITEM})\s*+(?:(?::\d+)?†.*"
    r"|\([^()]*\)|,?\s*+(?:above|below|ibid|supra|there|et\sal).*"
    rf"|:\s++\S.*|:[^\W\d][^:]*"
    rf"|[,;:|-]?\s*+(?:pp?\.\s?\d|§|{_LINE_WORD}|L\d).*|:\d+-\d+|[,;|-]?\s*+[^\s\]]*(?:/|\.[a-z])\S*.*)",
    re.IGNORECASE | re.DOTALL,
)
"""A number with what it is of: `3†source`, `3: README.md`, `3, p. 4`, `3, lines 1-2`."""

NAMED_IN_TEXT = re.compile(
    rf"(?<![\w-])(?:{_LABELLED})\s*(?:{_NUMBER})(?![\w%])|(?<!\w)(?:{_LINE_WORD}\s?|L)\d+|@[\w:./#+-]*\d"
    r"|turn\d+\w{2,12}\d|\bet al\b.*\d{4}",
    re.IGNORECASE,
)
"""Somewhere in a bracket: `see source 9 above`, `lines 3-4`, `@smith2020`, `Smith et al., 2020`."""

ONLY_NUMBER = re.compile(rf"\s*#?{_NUMBER}\s*")
_DATE = re.compile(r"\d{4}-\d{1,2}(?:-\d{1,2})?|\d{1,2}/\d{1,2}/\d{2,4}")


def numbers_of(listed: str) -> list[int] | None:
    """The numbers that a list names, ranges written out; None when a range or a number is no list of sources."""
    numbers: list[int] = []
    for part in re.split(rf"[,;/&+|·、،]|\b(?:{_AND})\b|(?<=\d)\s+(?=[^-.~…\s]*\d)(?!(?:{_TO})\b)", listed):
        ends = [_value(number) for number in re.findall(rf"\d+|{_RAISED_NUMBER}", part)]
        if not ends:
            continue
        first, last = ends[0], ends[-1]
        if len(ends) > 2 or not 0 <= last - first <= MAX_RANGE:
            return None
        numbers.extend(range(first, last + 1))
    return numbers or None


def is_date(listed: str) -> bool:
    """Whether the numbers are a date."""
    return _DATE.fullmatch(listed.strip()) is not None


def _value(number: str) -> int:
    digits = "".join(str(int(unicodedata.numeric(digit))) for digit in number)
    return int(digits) if len(digits) <= MAX_DIGITS else NO_NUMBER


# `[1-3]` names three sources; `[1900-2026]` is something else.
MAX_RANGE = 20
MAX_DIGITS = 9
NO_NUMBER = 10**MAX_DIGITS
"""Stands for numbers that no source and no line has."""

# --- paths and lines ---

_PATH = r"(?:[\w@+~%$/\\-]|\.(?=[\w@+~%$/\\.-])){1,4000}+"
_BEFORE_PATH = r"(?<![\w.@+~%$/\\-])"
_SPOT = r"L?\d++(?:C\d++|:\d++)?"
_SPAN_OF_LINES = rf"{_SPOT}(?:\s?(?:-|\.\.++|…)\s?{_SPOT})?"
MAX_SPANS = 20
"""Longer lists of lines name none: each word of a text could begin one."""
_LINES = rf"{_SPAN_OF_LINES}(?:,\s?{_SPOT}(?:\s?-\s?{_SPOT})?(?!\w|\.\d)){{0,{MAX_SPANS}}}"
_LISTED_LINES = rf"{_SPAN_OF_LINES}(?:\s?(?:,|and|&|to|und|et|y)\s?{_SPAN_OF_LINES}){{0,{MAX_SPANS}}}"
_END = r"(?:ff?|\+)?(?![^\W_])(?!\.\d)"
_STRICT = rf":{{1,2}}[~(\[]?(?:L|#L?)?{_LINES}{_END}"
_HASH = rf"(?:(?:\?plain=1)?#(?:L|lines?[-=_]?)?|\?(?:L|lines?=)){_LINES}{_END}(?!-)"
_NO = r"(?:\s(?:no|nos|nr|num|number|numbers)\b\.?)?"
_WORDY = (
    rf"(?:'s\s)?[\s,;:(\[@|~>/→-]{{0,4}}(?:(?:at|on|in|around|near|from|see|starting|beginning|between|specifically|namely|especially|particularly|auf|à|en|na|op)\s(?:the\s)?){{0,2}}"
    rf"(?:{_LINE_WORD}{_NO}[\s.:#]{{0,3}}|L(?=\d)){_LISTED_LINES}{_END}"
)
# As many as fit into what is read behind a word; a name that begins with digits is none of them.
_MORE_SPANS = rf"(?:\s?(?:,|and|&|to)\s?{_SPAN_OF_LINES}(?![\w/\\@+~%$-]|\.\w)){{0,50}}+"
_CJK_LINES = rf"[\s,:(的の]{{0,3}}第?\s?{_LINES}(?:\s?[~〜至到]\s?\d{{1,9}})?\s?(?:行|줄|번째)"
_RANGE = (
    r"(?:\s?\|\s?L?\d+\s?-\s?L?\d+(?=\s?\|)|(?::\s|\s?\(|,?\s)\s?\d+\s?-\s?\d+(?!\w|\.\d| ?-)\)?|\s:\s?\d+(?!\w|[.:]\d)"
    r"|,\s\d+(?=[)\]])|\s?:\s\d+(?=[.,;)]?\s*(?:\n|$)|[,;)]))"
)
_CALL = r"\(\d++(?:[,:-]\s?\d++)*+\)"
_WRAP = r"[`*_\"'()\[\]>]{0,3}"
_AFTER = rf"(?P<lines>{_STRICT}|{_HASH}|{_WORDY}|{_CJK_LINES}|{_RANGE}|(?P<call>{_CALL}))"
LOOSE_LINES = re.compile(r"(?:[\s,(]|:\s)[^A-Za-z第行]*", re.IGNORECASE)
"""Numbers that only stand behind a path: lines when it is one of a source file, else a count."""

LINE_NUMBERS = re.compile(r"(?<!\d)L?(\d+)(?:C\d+|:\d+)?(?:\s?(?:-|\.\.+|…|[~〜至到])\s?L?(\d+))?", re.IGNORECASE)

_SOURCE_ENDING = (
    r"\.(?:py|pyi|pyx|ipynb|js|jsx|mjs|cjs|ts|tsx|vue|svelte|java|kt|kts|scala|groovy|go|rs|c|h|cc|cpp|cxx|hh|hpp|m|mm|cs|fs|vb"
    r"|rb|php|pl|pm|lua|r|jl|ex|exs|erl|hs|ml|mli|clj|swift|dart|zig|nim|sh|bash|zsh|fish|ps1|bat|sql|md|mdx|rst|txt|adoc|html"
    r"|css|scss|json|jsonc|toml|yaml|yml|xml|ini|cfg|conf|proto|graphql|tf|lock|gradle|cmake|mk|in|csv|log)"
)

MENTION = re.compile(
    rf"(?P<tick>`{{1,2}})(?P<quoted>{_PATH})(?P=tick){_WRAP}(?P<behind>{_HASH}|{_WORDY}|{_CJK_LINES}|{_STRICT}|{_RANGE})"
    rf"|{_BEFORE_PATH}(?P<path>{_PATH}){_WRAP}{_AFTER}",
    re.IGNORECASE,
)
"""`path.py:12-30`, `path.py#L12`, `path.py, lines 12-30`, `Makefile (L3)`."""

ATTACHED = re.compile(
    rf"{_BEFORE_PATH}(?P<path>[\w./\\-]{{1,1000}}{_SOURCE_ENDING})(?<!\.js)`?(?P<lines>(?:\s?[@+]\s?|[@+!~/|>]L)\d{{1,9}}(?:-L?\d+)?)(?![\w.])",
    re.IGNORECASE,
)
"""`path.py@12`."""

REVERSED = re.compile(
    rf"(?<!\w)(?P<lines>\d{{1,9}}(?:st|nd|rd|th)\slines?|(?:{_LINE_WORD}{_NO}[\s.:#]{{0,3}}|L(?=\d)){_SPAN_OF_LINES}{_MORE_SPANS})"
    rf"(?:\s?[,(:]\s?|\s(?:of|in|from|at|von|de|du|des|der|dans|en|di|в|из|in)\s)(?:the\s)?(?:file\s)?{_WRAP}(?P<path>{_PATH})",
    re.IGNORECASE,
)
"""`lines 3-4 of path.py`."""

IN_CODE = re.compile(rf"{_BEFORE_PATH}(?P<path>{_PATH})(?P<lines>{_STRICT}|{_HASH})", re.IGNORECASE)
AT_COMMIT = re.compile(
    r"(?<![\w./@+-])(?:(?P<repository>[\w.-]{1,100}(?:/[\w.-]{1,100}){0,5})@"
    r"|(?P<apart>[\w.-]{1,100}(?:/[\w.-]{1,100}){1,5})(?:\s@\s?|\s?\((?:at\s|commit\s)*))"
    r"(?P<commit>[0-9a-f]{7,64})(?![^\W_])(?!\.\w)",
    re.IGNORECASE,
)
REPOSITORY_BEFORE = re.compile(
    r"(?<![\w./@+-])(?P<repository>[\w.-]{1,100}(?:/[\w.-]{1,100}){0,5})\s?@\s?(?P<commit>[\w.-]{1,100}?)"
    r"[\s:,;`*_(\[\])|>→-]{1,6}$"
)
NAME_BEFORE = re.compile(r"(?<![\w./@+:-])(?P<repository>[\w.-]{1,100}/[\w.-]{1,100})(?:\s|\s?[:`*>\]|]{1,3}\s?)$")
COMMIT_BEHIND = re.compile(
    r"[\s`*)]{0,3}(?:@\s?|[(,]\s?(?:at\s)?|(?:as\s)?(?:at|in|of|from)\s)(?:the\s)?(?:(?:commit|revision|rev|sha)[\s:]\s?)?`?"
    r"(?P<commit>(?=[0-9a-f]*\d)[0-9a-f]{7,64})(?![\w/.-]\w)",
    re.IGNORECASE,
)

NAME_BEHIND = re.compile(
    r"[`*]{0,2}(?:\s\(|\s(?:in|of|from)\s(?:the\s)?(?:repo(?:sitory)?\s)?)[`*]{0,2}"
    r"(?P<repository>[\w.-]{1,100}/[\w.-]{0,99}\w)(?![\w/@:#-])"
)

_FILES = (
    r"(?:[a-z]*makefile|dockerfile|containerfile|jenkinsfile|gemfile|rakefile|vagrantfile|procfile|justfile|pipfile|brewfile"
    r"|caddyfile|tiltfile|earthfile|snakefile|podfile|fastfile|appfile|dangerfile|berksfile|capfile|guardfile|steepfile"
    r"|(?:license|licence|readme|changelog|copying)(?:-[a-z0-9.]{1,20})?|notice|changes|authors|contributors|maintainers|contributing|install|news"
    r"|codeowners|owners|kconfig|kbuild|sconstruct|sconscript|workspace|build|configure|gradlew|mvnw|version|manifest"
    r"|hacking|security|todo)"
)
KNOWN_FILE = re.compile(_FILES, re.IGNORECASE)
SOURCE_FILE = re.compile(rf".*{_SOURCE_ENDING}", re.IGNORECASE | re.DOTALL)
WITH_ENDING = re.compile(r".*[^./\\]?\.[a-z_][\w+-]{0,15}", re.IGNORECASE | re.DOTALL)
_TLD = (
    "com|org|net|io|dev|local|internal|intranet|example|test|invalid|lan|corp|home|co|ai|cloud|svc|edu|gov|mil|int|eu|de|fr|uk|nl"
    "|jp|cn|ru|br|it|es|us|ca|ch|se|no|fi|dk|at|be|cz|kr|au|nz|info|biz|localdomain|localhost|consul|cluster|arpa"
)
HOST = re.compile(rf"(?:[\w.+-]+@)?(?:[\w-]+\.)+(?:{_TLD})\.?", re.IGNORECASE)

# --- links, tags, code ---

SCHEME = r"(?:[a-z][a-z0-9+.-]{0,30}:(?!\d)|//|\\\\|www\.|&#|&[a-z]+;)"
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[^/?#]*", re.IGNORECASE)
CITING_ORIGIN = re.compile(
    r"(?:file|vscode|vscode-insiders|idea|jetbrains|cursor|txmt|subl|editor):|https?://(?:raw|gist)\.", re.IGNORECASE
)
URL = re.compile(r"(?<![\w])[a-z][a-z0-9+.-]{0,30}://[^\s<>\"`|。、\[\]]{1,4000}", re.IGNORECASE)
CITING_URL = re.compile(
    r"#(?:l|lines?[-=:]?)\d|\A(?>\S*?\.[a-z]\w{0,9}\?)\S*?\bline=?\d|#[^#]*:~:|/-?/?blob/|/-/|/raw/|/tree/|/src/(?:commit/)?[0-9a-f]{7}"
    r"|\.[a-z]\w{0,9}:\d+(?!\w)|@[0-9a-f]{7,}",
    re.IGNORECASE,
)
LINK = re.compile(rf"\](?P<kind>\(|:)(?=\s{{0,40}}<?\s{{0,40}}{SCHEME})", re.IGNORECASE)
TARGET = re.compile(
    r"\s{0,40}<?\s{0,40}(?P<target>[^\s<>()]{0,4000}(?:\([^\s()]{0,200}\)[^\s<>()]{0,2000})?)>?(?P<end>\s{0,40}\)|\s+[\"'(]|)"
)
TAG = re.compile(
    rf"<(?=\s?{SCHEME})|<(?=/?(?:a|img|image|iframe|script|object|embed|link|form|video|audio|svg|base|meta|area|use|input|button"
    r"|body|style|frame|picture|portal|track|applet)(?:[\s/]|$))"
    r"|<(?=(?:script|style|iframe|object)>)"
    r"|<(?=[a-z][^<>]{0,200}\b(?:href|src|srcset|action|formaction|data|poster|style|background|on[a-z]{3,20})\s{0,9}=)",
    re.IGNORECASE,
)
SPAN = re.compile(r"(?<!`)(?P<ticks>`{1,20})(?!`)(?P<code>[^`\n](?:[^\n]*?[^`\n])??)(?P=ticks)(?!`)")
TICKS = re.compile(r"`+")
FENCE = re.compile(r"(?P<fence>`{3,}+|~{3,}+)[ \t]*+[\w+#./{}=\"': -]{0,60}(?=\n|$)")
BEFORE_FENCE = re.compile(r"[\s>]*+(?:(?:[-*+]|\d++[.)])\s++)?+[\s>]*+")

# --- brackets and other marks ---

_MAX_IN_BRACKET = 240
BRACKET = re.compile(
    rf"(?P<open>(?:\\?\[){{1,3}}|&(?:\#91|\#x5b|lsqb|lbrack);)(?P<inner>[^\[\]]{{1,{_MAX_IN_BRACKET}}}?)"
    r"(?P<close>(?:\\?\]){1,3}|&(?:\#93|\#x5d|rsqb|rbrack);)",
    re.IGNORECASE,
)
ENDLESS = re.compile(rf"\[[\s\d,;/&+|^#-]{{{_MAX_IN_BRACKET},}}")
ANGLE = re.compile(
    rf"(?<![\w<>])<\|?(?P<inner>(?:{_LABELLED})?{_NUMBER}(?:(?:{_BETWEEN}){_NUMBER})*)\|?/?>"
    rf"|<(?P<tag>sup|ref|cite|source|src|citation|footnote|doc|document|span|small)\b[^<>]{{0,80}}>\s{{0,9}}\[?(?P<raised>{_NUMBER}(?:[\s,;-]{{1,3}}{_NUMBER}){{0,20}})\]?"
    r"\s{0,9}</(?P=tag)\s?>"
    rf"|<(?:ref|cite|source|citation|doc|document|footnote)s?[\s:#=/][^<>\d]{{0,40}}(?P<named>{_NUMBER})[^<>]{{0,40}}>",
    re.IGNORECASE,
)
NAMED = re.compile(
    rf"(?<![^\W\u3040-\u9fff\uac00-\ud7af])(?<![/.@-])(?:(?:sources?|refs?\.?|references?|footnotes?|cite|citations?|passages?|excerpts?|snippets?|docs?|documents?|quellen?"
    r"|fuentes?|fontes?|fonti|источник\w{0,3}|来源|來源|出典|资料|資料|文献|参考|출처)(?:[ \t](?:no|nr|number)\.?)?"
    rf"[ \t]{{0,3}}(?P<colon>[:=_-])?[ \t]{{0,3}}[#№(]?[ \t]?|(?<=\()[ \t]?(?:S(?!3\b)|R)(?=\d{{1,2}}[ \t]?[),;]))"
    rf"(?P<list>\d{{1,40}}(?:(?:{_BETWEEN})(?:{_LABEL})?\s?\#?\d{{1,40}})*+)(?![\w%])(?![.:]\d)(?(colon)(?=\s*(?:[)}}\].,;>]|$)))",
    re.IGNORECASE,
)
_WORD_END = r"(?:(?<=[^\W\d_]{4})|(?<=[.,;:!?\"'`\]])|(?<=[\u3040-\u9fff\uac00-\ud7af]))"
RAISED_NUMBERS = re.compile(
    rf"(?:{_WORD_END}|(?<!\S)(?=[⁽⁰¹²³⁴-⁹]))(?P<list>⁽?{_RAISED_NUMBER}(?:[⁻˒,·-]{_RAISED_NUMBER})*⁾?)"
)
CARET = re.compile(
    rf"(?:{_WORD_END}\$?|(?<!\S)\$)\^[{{(]{{0,2}}(?P<list>\d{{1,40}}(?:,\s?\d{{1,40}})*)[)}}]{{0,2}}[\^$]{{0,2}}(?!\w)"
)
COMMAND = re.compile(
    r"\\(?:no)?(?:cite\w{0,8}|footnote\w{0,8}|footcite\w{0,8})\s?(?:\[[^\]\n]{0,80}\]){0,2}\{[^{}\n]{0,120}\}"
    r"|:?\w{0,20}oaicite\W{0,4}\d+|(?:file)?cite\W{0,4}turn\d+\w{2,12}\d+(?:\W?turn\d+\w{2,12}\d+)*"
    r"|(?<!\w)\(?[A-Z][\w'-]{1,40}\set\sal\.?,?\s\(?\d{4}[a-z]?\)?",
    re.IGNORECASE,
)

# --- where numbers in brackets are no citations ---

_CODE_NAMES = (
    r"argv|args|argc|arr|array|buf|vec|tuple|dict|params|nums|xs|ys|zs|tmp|ptr|str|int|char|byte|bytes|uint|float|double|long"
    r"|bool|void|std|len|idx|env|sys|ctx|req|res|obj|cls|self|this|val|vals|cols|dp|tbl|cfg|list|map|kwargs|tokens|stdin|regs?"
    r"|rows?|items?|heap|stack|grid|matrix|cells?|elems?|nodes|bits|chars|weights|pixels|lst|data|values|keys|inputs|outputs"
)
INDEXED = re.compile(
    rf"(?:(?<![^\W_])(?:[^\W\d_]|{_CODE_NAMES})"
    r"|[a-z]\w*_\w+|(?<!\w)_\w+[^\W_]|[a-z]+\d+\w*|[\w$]+(?:\.|->|::)[^\W\d_]\w*|\w[\w.:]*[!]?\([^()\n]*\)"
    r"|[\w)\]]\[(?:'[^'\[\]]{0,40}'|\"[^\"\[\]]{0,40}\"|[a-z_][a-z0-9_]{0,30})\]|\$|\\[a-z]|\}|\?\.?)$",
    re.IGNORECASE,
)
CAMEL_CASE = re.compile(r"(?<![^\W_])[A-Za-z]\w*[a-z0-9][A-Z]\w*$")
LITERAL_BEFORE = re.compile(
    r"(?:[=]\s?|[\"']\s?:\s?|[A-Za-z0-9_]\((?:[^()\n]*,\s?)?|->\s?|=>\s?|\b(?:return|yield|in|await)\s\(?)$"
)
LITERAL_LIST_BEFORE = re.compile(
    r"(?:\b(?:shapes?|sizes?|dims?|dimensions?|ranges?|intervals?|arrays?|lists?|tuples?|vectors?|matrix|tensors?|bounds|ports?"
    r"|domain|returns?|prints?|yields?|outputs?|between|within|like)(?:\sis|\sof)?:?\s|∈\s?|→\s?|[a-z]!|&|\b\w+:\s)$",
    re.IGNORECASE,
)
CLASS_BEFORE = re.compile(r"(?:[\^\\$|]|\][*+?]?|\}|\(\?:|\\\.)$")
CLASS_BEHIND = re.compile(r"[*+?]|\{\d|\[\d-\d|\[\^|\\[dws.]|\$")
NEGATIVE = re.compile(r"[,;]\s*-\s?\d")
QUANTIFIER = re.compile(r"[+?]|\{\d")
TYPE_BEHIND = re.compile(r"[A-Za-z*]\w|\[0\]")

# --- words ---

BEGIN = re.compile(
    rf"(?P<raised>[⁽{RAISED}])"
    r"|(?P<word>(?<!\w)\w|(?<![\w.@+~%$/\\-])[.@+~%/-])|(?P<sign>[$\\&])|(?P<bracket>\[)|(?P<close>\])|(?P<angle><)"
    r"|(?P<tick>`)|(?P<caret>\^)|(?P<unspaced>[\u3040-\u9fff\uac00-\ud7af])|(?P<other>[:(])"
)
"""Where a token may begin, by the kind of character."""

_SPECIAL = re.compile(
    rf"(?:{_LABEL}|{_LINE_WORD}|{_FILES}|l|ll|file|www|cite\w*|bibliograph\w*|works|et|al|h[1-6])", re.IGNORECASE
)
_LABEL_AT_END = re.compile(rf"(?:{_LABEL}|行|第)$", re.IGNORECASE)
_DULL = re.compile(
    r"[\"'(*_]*+(?P<word>(?:[^\W\d_]++(?:['-][^\W\d_]++)*+)?+)[.,;:!?)\"'*_、。，；：！？-]*|\d{1,9}[.,;:)]?"
)
WORD = re.compile(r"[^\s、。，；：！？]*[、。，；：！？]*")
SIMPLE = re.compile(r"\[\d{1,4}\][.,;]?(?=\s)")


def is_dull(word: str) -> bool:
    """Whether no citation, link or code can begin in this word of the normal view."""
    match = _DULL.fullmatch(word)
    if match is None or any(character in RAISED for character in word):
        return False
    if not word.isascii() and _LABEL_AT_END.search(word):
        return False
    return not match["word"] or (_SPECIAL.fullmatch(match["word"]) is None and not KNOWN_FILE.fullmatch(match["word"]))


_HEADS = frozenset(
    [
        "source",
        "sources",
        "reference",
        "references",
        "citation",
        "citations",
        "bibliography",
        "footnote",
        "footnotes",
        "quellen",
        "quelle",
        "quellenangaben",
        "referenzen",
        "références",
        "fuentes",
        "fuente",
        "referencias",
        "fontes",
        "fonte",
        "fonti",
        "bronnen",
        "verwijzingen",
        "источники",
        "ссылки",
        "kaynaklar",
        "źródła",
        "来源",
        "來源",
        "出典",
        "参考",
        "参考文献",
        "参考资料",
        "資料",
        "文献",
        "출처",
        "참고",
    ]
)
_SINGULAR = frozenset(["source", "reference", "citation", "footnote", "quelle", "fuente", "fonte"])
_BESIDE_HEADS = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "and",
        "or",
        "all",
        "by",
        "from",
        "for",
        "in",
        "used",
        "cited",
        "checked",
        "verified",
        "unverified",
        "resolved",
        "confirmed",
        "real",
        "true",
        "official",
        "stored",
        "askrepo",
        "list",
        "works",
        "read",
        "none",
        "them",
        "consulted",
        "further",
        "these",
        "my",
        "our",
        "here",
        "are",
        "actual",
        "relevant",
        "following",
        "h",
        "b",
        "strong",
        "em",
        "u",
        "summary",
        "details",
        "span",
        "div",
        "p",
        "font",
        "center",
        "br",
        "hr",
        "n",
    ]
)


def may_head(words: str) -> bool:
    """Whether a line that begins with these whole words may still become such a heading."""
    letters = re.findall(r"[^\W\d_]+", words.casefold().translate(_CONFUSABLE))
    return all(len(word) == 1 or word in _HEADS | _BESIDE_HEADS for word in letters)


def is_heading(line: str) -> bool:
    """Whether a line of the normal view looks like the heading of a block of sources."""
    line = re.sub(r"</?\w[^<>]*>", " ", line)
    if re.search(r"\d", line):
        return False
    words = re.findall(r"[^\W\d_]+", line.casefold().translate(_CONFUSABLE))
    if len(words) == 1 and line.strip().isalpha():
        return words[0] in _HEADS - _SINGULAR
    if "".join(words) in _HEADS:
        return True
    return any(word in _HEADS for word in words) and all(word in _HEADS | _BESIDE_HEADS for word in words)

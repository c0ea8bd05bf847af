"""What meets text from outside takes time in proportion to its length: every regular expression, and our own loops."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import askrepo
from askrepo.answer.citations import CitationResolver
from askrepo.answer.thoughts import without_thoughts
from askrepo.chunking.headings import headings
from askrepo.chunking.spans import split_text
from askrepo.embedders.remote_errors import Endpoint, Refusal
from askrepo.files.comments import is_documentation
from askrepo.files.decode import decode, notebook_text
from askrepo.files.globs import matches
from askrepo.files.kinds import has_generated_header
from askrepo.files.languages import language_of
from askrepo.git.url_credentials import carries_credentials
from askrepo.search.question.question import Question
from askrepo.text.terms import index_terms
from tests.growth import is_linear

pytestmark = pytest.mark.slow

PACKAGE = Path(askrepo.__file__).parent
SIZE = 4_000
"""Characters: for so many a linear pattern takes a millisecond or less, a quadratic one tens of them."""
METHODS = ("search", "match", "fullmatch", "findall", "finditer", "sub", "split")
# Patterns whose text is cut before they see it, and where.
CUT = {
    "askrepo.chunking.symbols.patterns.": 400,  # _MAX_LINE
    "askrepo.chunking.symbols.rules.": 200,  # a name, and twice MAX_NAME_CHARS at most
    "askrepo.search.question.question._PATH": 1_000,  # HEAD_CHARS
    "askrepo.search.question.question._NAME": 1_000,
    "askrepo.search.question.question._OVERVIEW": 1_000,
    "askrepo.search.question.question._USAGE": 1_000,
    "askrepo.search.question.cues.CUES": 1_000,
    "askrepo.files.encodings._DECLARED": 1_024,  # HEAD_BYTES
    "askrepo.files.encodings._VIM": 1_024,
    "askrepo.files.single_bytes.": 2_048,  # SAMPLE_BYTES
    "askrepo.answer.citation_spellings.LIST": 240,  # _MAX_IN_BRACKET
    "askrepo.answer.citation_spellings.NAMED_IN_TEXT": 240,
    "askrepo.answer.citation_spellings.ONLY_NUMBER": 240,
    "askrepo.answer.citation_spellings.INDEXED": 80,  # what is read before a bracket
    "askrepo.answer.citation_spellings.CAMEL_CASE": 80,
    "askrepo.answer.citation_spellings.LITERAL_": 80,
    "askrepo.store.tql._WIDENED": 500,  # _MAX_GLOB_CHARS
}
UNITS = (
    *" \t\n\r\u00a0a_0.,:;!?'\"`#/\\()[]{}<>*+-=|~^$@%&é漢",
    "a ", "a.", "a/", "a-", "a_", "a::", "a->", "aA", "A", "1.", "1,", "1 ,", "( ", "[a](", "<a ", "' ", "\\\n", "[1",
    "../",
    "://", "a@", "a:", "sk-", " a=", "a\t", "a\n", "the ", "how to ", "why should ",
)  # fmt: skip


def modules() -> Iterator[str]:
    for found in pkgutil.walk_packages([str(PACKAGE)], "askrepo."):
        yield found.name


def patterns_in(value: Any, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, Mapping):
        for item in value.values():
            yield from patterns_in(item, depth + 1)
    elif depth < 4 and isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from patterns_in(item, depth + 1)


@cache
def tree_of(name: str) -> ast.Module:
    module = importlib.import_module(name)
    return ast.parse(Path(str(module.__file__)).read_text("utf-8"))


@cache
def calls() -> dict[str, set[str]]:
    """Variable → the methods that any module calls on it, as `NAME.match` or `module.NAME.match`."""
    called: dict[str, set[str]] = {}
    for module in modules():
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                called.setdefault(ast.unparse(node.value).rpartition(".")[2], set()).add(node.attr)
    return called


def methods_of(variable: str) -> set[str]:
    """The methods that are called on a variable; all that search when it is kept in a table."""
    return calls().get(variable) or {"search"}


def anonymous(module: str) -> Iterator[tuple[str, re.Pattern[Any], str]]:
    """Patterns that are given to functions of `re` as they are."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"re.{name}" for name in METHODS}:
            try:
                pattern = ast.literal_eval(node.args[0])
            except ValueError:
                continue
            yield f"{module}:{node.lineno}", re.compile(pattern), ast.unparse(node.func)[3:]


def named_patterns() -> Iterator[tuple[str, re.Pattern[Any], str]]:
    for module in modules():
        for name, value in vars(importlib.import_module(module)).items():
            for number, pattern in enumerate(patterns_in(value)):
                for method in sorted(methods_of(name)):
                    yield f"{module}.{name}[{number}].{method}", pattern, method
        yield from anonymous(module)


def all_patterns() -> dict[str, tuple[re.Pattern[Any], str]]:
    """Each use of a pattern under the first of its names."""
    names: dict[tuple[re.Pattern[Any], str], str] = {}
    for name, pattern, method in named_patterns():
        names.setdefault((pattern, method), name)
    return {name: used for used, name in names.items()}


PATTERNS = all_patterns()


def sample(tree: Any) -> str:
    """The shortest text that this part of a pattern matches, more or less."""
    return "".join(map(sample_of, tree))


def sample_of(item: tuple[Any, Any]) -> str:
    code, value = item
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.IN:
        return next(filter(None, map(sample_in, value)), "a")
    if code is codes.BRANCH:
        return sample(value[1][0])
    if code is codes.SUBPATTERN:
        return sample(value[3])
    if code in {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}:
        return sample(value[2]) * max(value[0], 1)
    if code is codes.ATOMIC_GROUP:
        return sample(value)
    return "a" if code in {codes.ANY, codes.NOT_LITERAL} else ""


def sample_in(item: tuple[Any, Any]) -> str:
    code, value = item
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.RANGE:
        return chr(value[0])
    classes = {codes.CATEGORY_DIGIT: "0", codes.CATEGORY_SPACE: " ", codes.CATEGORY_WORD: "a"}
    return classes.get(value, "a") if code is codes.CATEGORY else ""


def repeats(tree: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Each part that may be repeated without limit, behind what has to stand before it."""
    for code, value in tree:
        inner: list[Any] = []
        if code in {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}:
            if value[1] > 40:
                yield before, sample(value[2])
            inner = [value[2]]
        elif code is codes.SUBPATTERN:
            inner = [value[3]]
        elif code is codes.ATOMIC_GROUP:
            inner = [value]
        elif code is codes.BRANCH:
            inner = value[1]
        elif code in {codes.ASSERT, codes.ASSERT_NOT}:
            inner = [value[1]]
        for part in inner:
            yield from repeats(part, before)
        before += sample_of((code, value))


def near_misses(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """What comes first, what is repeated, and what spoils the match."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = parser.parse(source, pattern.flags & ~re.UNICODE & ~re.DEBUG)
    whole = sample(tree)
    found = {("", unit) for unit in (*UNITS, whole, whole[:-1], whole[1:])} | set(repeats(tree))
    found |= {(before, unit + space) for before, unit in repeats(tree) for space in " \n"}
    found |= {("", before + unit) for before, unit in repeats(tree)}
    found |= {(before, unit) for before, _ in repeats(tree) for unit in " \ta0-='"}
    for before, unit in sorted(found):
        if unit:
            yield before, unit, "\x00"
            if before:
                yield before, unit, "\n!"


def searches(pattern: re.Pattern[Any], method: str, near_miss: tuple[str, str, str]) -> Callable[[int], object]:
    """A call of the pattern with a text of so many characters."""
    before, unit, after = near_miss
    empty: Any = "" if isinstance(pattern.pattern, str) else b""
    consumers: dict[str, Callable[[Any], Any]] = {
        "finditer": lambda subject: sum(1 for _ in pattern.finditer(subject)),
        "sub": lambda subject: pattern.sub(empty, subject),
    }
    call = consumers.get(method, getattr(pattern, method))

    def search(size: int) -> object:
        text = (before + unit * (size // len(unit)))[:size] + after
        return call(text if empty == "" else text.encode())

    return search


@pytest.mark.parametrize(("pattern", "method"), PATTERNS.values(), ids=PATTERNS)
def test_patterns_are_linear(pattern: re.Pattern[Any], method: str, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    size = next((chars for key, chars in CUT.items() if name.startswith(key)), SIZE)
    for near_miss in near_misses(pattern):
        assert is_linear(searches(pattern, method, near_miss), size), (*near_miss, size)


def test_patterns_in_constants_tables_and_calls_are_found() -> None:
    wanted = (
        "askrepo.chunking.headings._ATX[0].match",
        "askrepo.chunking.symbols.patterns._PATTERNS[5]",
        "askrepo.search.question.cues.",
        "askrepo.search.signals.customs.TOPICS[9]",
        "askrepo.git.repository_urls:",
    )
    assert [start for start in wanted if not any(name.startswith(start) for name in PATTERNS)] == []


def test_a_quadratic_pattern_is_noticed() -> None:
    slow = re.compile(r"=[ \t]+(\S.*?)(?:[ \t]+=)?[ \t]*$")
    spaces = [near_miss for near_miss in near_misses(slow) if near_miss[1] == " "]
    assert not all(is_linear(searches(slow, "match", near_miss), SIZE) for near_miss in spaces)


LOOPS: dict[str, Callable[[int], object]] = {
    "asciidoc heading": lambda n: headings(["= a" + " " * (n // 2) + "b"] * 3, "asciidoc"),
    "markdown heading": lambda n: headings(["# a" + " #" * (n // 4) + "b"] * 3, "markdown"),
    "rst adornments": lambda n: headings(["=" * (n // 2), "-" * (n // 2), "=" * (n // 2) + "x"] * 3, "rst"),
    "one line": lambda n: split_text("x" * 3 * n, path="a.txt", language="text"),
    "one line of three-byte letters": lambda n: split_text("漢" * n, path="a.txt", language="text"),
    "line breaks": lambda n: split_text("\n" * n, path="a.txt", language="text"),
    "headings": lambda n: split_text("# a\n" * (n // 5), path="a.md", language="markdown"),
    "nested keys": lambda n: split_text(nested_keys(n), path="a.yaml", language="yaml"),
    "tags that nothing closes": lambda n: split_text("<a>\n" * n, path="a.xml", language="xml"),
    "tags closed by other names": lambda n: split_text("<a></b>\n" * n, path="a.html", language="html"),
    "tags cut off": lambda n: split_text("<<EOF\n" * n, path="a.xml", language="xml"),
    "tags with quotes": lambda n: split_text('<a b="/>">\n' * n, path="a.vue", language="vue"),
    "nested code": lambda n: split_text("class A {\n" * (n // 10), path="a.java", language="java"),
    "nested brackets": lambda n: split_text("[\n" * (n // 2), path="a.py", language="python"),
    "glob of many stars": lambda n: matches("a" * (n // 30), "**/" + "*a" * 40 + "*b"),
    "glob of adjacent stars": lambda n: matches("a" * (n // 30), "*" * (n // 500) + "b"),
    "notebook that nests": lambda n: notebook_text('{"cells": ' + "[" * 2 * n),
    "shebang": lambda n: language_of("a", first_line="#!" + " -" * n),
    "terms": lambda n: index_terms("aA" * n, path="a/" * (n // 20) + "b", scope=()),
    "comments": lambda n: is_documentation("// " + "=" * 2 * n + "\n//" * (n // 2), language="c"),
    "generated header": lambda n: has_generated_header("code generated " * (n // 5), language="c"),
    "encoding": lambda n: decode(b"\xe9\x80" * n + b"\xff", path="a.c", language="c"),
    "encoding of one byte a letter": lambda n: decode(b"\xe1" * n + b"\xff", path="a.c", language="c"),
    "carriage returns": lambda n: decode(b"\r" * 3 * n + b"x", path="a.c", language="c"),
    "declaration": lambda n: decode(b"<meta " * (n // 2) + b"\xff", path="a.html", language="html"),
    "question": lambda n: Question.parse("a." * (n // 2) + " how" * (n // 10)),
}


def nested_keys(chars: int) -> str:
    """Keys each of which is inside the one before, which takes about so many characters."""
    return "".join(" " * depth + "a:\n" for depth in range(int((2 * chars) ** 0.5)))


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_loops_are_linear(loop: Callable[[int], object]) -> None:
    assert is_linear(loop, 100_000)


@pytest.mark.parametrize("listed", ["1--", "no. 1, ", "n.. 1,", "source no. 1, ", "1,no.", "1 - ", "1...", "see 1, "])
def test_a_list_that_can_be_read_in_many_ways_is_read_in_one(listed: str) -> None:
    # two ways for each of 19 take a second, for each of 2 no time
    assert is_linear(lambda times: resolved(f"[{(listed * times)[:230]}x!]", 1_000), 19)


def resolved(text: str, piece_chars: int) -> str:
    resolver = CitationResolver((), lambda path, start, end: None)
    return "".join(resolver.resolve(text[at : at + piece_chars] for at in range(0, len(text), piece_chars)))


@pytest.mark.parametrize("piece_chars", [40, 24_000])
@pytest.mark.parametrize(
    "unit", [*UNITS, "1:1,", "1-1,", "f.py:1,", "source 1,", "source1,", "a line 1 and ", "[1--", "L1,", "\\\n", "漢"]
)
def test_answers_are_resolved_in_linear_time(unit: str, piece_chars: int) -> None:
    assert is_linear(lambda chars: resolved(repeated(unit, chars), piece_chars), 24_000)


def repeated(unit: str, chars: int) -> str:
    return (unit * (chars // len(unit) + 1))[:chars]


@pytest.mark.parametrize("is_plain", [True, False])
@pytest.mark.parametrize("piece_chars", [20, 50_000])
@pytest.mark.parametrize(
    "unit",
    ["<", "<think>", "</think>", "\n```\n", "`</think>", "`</think>`", "<|channel|>", "a\n", "[", "< ", "analysis"],
)
def test_thoughts_are_taken_out_in_linear_time(unit: str, piece_chars: int, is_plain: bool) -> None:
    def take_out(chars: int) -> list[str]:
        text = repeated(unit, chars)
        pieces = (text[at : at + piece_chars] for at in range(0, len(text), piece_chars))
        return list(without_thoughts(pieces, is_plain=lambda: is_plain))

    assert is_linear(take_out, 50_000)


@pytest.mark.parametrize("unit", ["!", "*", "x", "sk-", "eyJa.", "://a", "@", '{"error":', "[", "<p>", "&", "bearer "])
def test_what_an_endpoint_says_is_scrubbed_in_linear_time(unit: str) -> None:
    endpoint = Endpoint("chat endpoint", "https://example.org", "m", "sk-" + "k" * 40)

    def scrub(chars: int) -> None:
        body = repeated(unit, chars)
        endpoint.malformed(body, wanted="text")
        endpoint.error(Refusal.of_payload(body))

    assert is_linear(scrub, 1_000_000)


@pytest.mark.parametrize(
    "unit", ["a-", ":", "a:/", "a:/b:", "a:b@", "%", "%25", "?", "\ufdfa", "@", "token", "1", "//"]
)
def test_credentials_are_looked_for_in_linear_time(unit: str) -> None:
    assert is_linear(lambda chars: carries_credentials("https://" + repeated(unit, chars)), 100_000)

"""Chunks are whole lines, lose nothing, stay small and know what they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from askrepo.chunking import parser_process, syntax
from askrepo.chunking.rows import MAX_BYTES, TARGET_BYTES
from askrepo.chunking.spans import PARSER_CODE, Span, split_apart, split_by_lines, split_text
from askrepo.errors import StorageError
from tests.core.snippets import SNIPPETS
from tests.growth import is_linear

LANGUAGES = ("python", "typescript", "cpp", "markdown", "rst", "asciidoc", "yaml", "", "no such language")
ODD = st.text(alphabet="ab \t\n\r\x0b\x0c\u2028\u0085é漢😀#=-`(){}:'\"\\;", max_size=4000)
ROOT = Path(__file__).parents[3]


def check(text: str, spans: list[Span]) -> None:
    """Every promise of `split_text` that holds for any text."""
    assert "".join(span.text for span in spans) == text
    line = 1
    for span in spans:
        assert span.text
        assert len(span.text.encode("utf-8", "surrogatepass")) <= MAX_BYTES
        assert span.start_line == line
        assert span.end_line == line + span.text.count("\n") - span.text.endswith("\n")
        line = span.end_line + span.text.endswith("\n")
    sizes = [len(span.text.encode("utf-8", "surrogatepass")) for span in spans]
    for index, span in enumerate(spans):
        neighbours = sizes[max(index - 1, 0) : index] + sizes[index + 1 : index + 2]
        assert not span.text.isspace() or all(sizes[index] + size > MAX_BYTES for size in neighbours)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60, deadline=None)
@given(text=st.one_of(st.text(max_size=300), ODD))
def test_any_text_is_cut_without_loss(language: str, text: str) -> None:
    check(text, split_text(text, path="file", language=language))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_source_is_cut_without_loss(data: st.DataObject) -> None:
    snippet = data.draw(st.sampled_from(SNIPPETS))
    source = snippet.source * data.draw(st.integers(1, 6))
    at = data.draw(st.integers(0, len(source)))
    text = source[:at] + data.draw(st.text(max_size=20)) + source[data.draw(st.integers(at, len(source))) :]
    check(text, split_text(text, path="file", language=snippet.language))


@pytest.mark.parametrize("name", ["types.py", "chunking/spans.py", "workspace/objects.py"])
def test_real_modules_are_cut_at_statements(name: str) -> None:
    text = (ROOT / "askrepo" / name).read_text(encoding="utf-8")
    spans = split_text(text, path=name, language="python")
    check(text, spans)
    assert all(span.text.endswith("\n") for span in spans)
    assert sum(len(span.text) for span in spans) / len(spans) > TARGET_BYTES / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "language", ["python", "javascript", "c", "java", "rust", "haskell", "cmake", "yaml", "json", ""]
)
@pytest.mark.parametrize(
    "text",
    [
        lambda chars: "(" * (chars // 2) + ")" * (chars // 2),
        lambda chars: "[\n" * (chars // 4) + "]\n" * (chars // 4),
        lambda chars: "x" * chars,
        lambda chars: "漢" * (chars // 2),
        lambda chars: " " * chars,
        lambda chars: "\n" * chars,
        lambda chars: "".join(" " * depth + "if x:\n" for depth in range(int((2 * chars) ** 0.5))),
        lambda chars: "[" * (chars // 1_000) + "\n",
        lambda chars: "<a \n" * (chars // 5),
    ],
    ids=["parentheses", "nesting", "one line", "wide", "spaces", "line breaks", "indentation", "open", "angles"],
)
def test_hostile_text_neither_crashes_nor_takes_long(language: str, text: Callable[[int], str]) -> None:
    def cut(chars: int) -> None:
        check(text(chars), split_text(text(chars), path="file", language=language))

    assert is_linear(cut, 60_000)


def test_lone_surrogates_survive() -> None:
    text = "a = '\udc80'\n" * 200
    check(text, split_text(text, path="a.py", language="python"))


def test_nothing_gives_nothing() -> None:
    assert split_text("", path="a.py", language="python") == []


def test_white_space_alone_is_one_span() -> None:
    assert [span.text for span in split_text("\n \n", path="a", language="")] == ["\n \n"]


def test_long_line_is_cut_inside_and_both_pieces_carry_its_number() -> None:
    text = "first\n" + "word " * 400 + "\nlast\n"
    spans = split_text(text, path="a.txt", language="text")
    check(text, spans)
    assert len(spans) > 2
    assert {span.end_line for span in spans[:-1]} == {2}
    assert all(span.text.endswith(" ") for span in spans[:-1])


def test_functions_stay_whole_with_what_stands_directly_above() -> None:
    functions = [
        f"# about {name}\n@decorated\ndef {name}(value):\n"
        + f"    value = work(value, '{name}')\n" * 11
        + "    return 1\n"
        for name in ("alpha", "beta", "gamma", "delta")
    ]
    spans = split_text("\n\n".join(functions), path="a.py", language="python")
    assert [span.text.strip() for span in spans] == [function.strip() for function in functions]
    assert [span.symbols for span in spans] == [("alpha",), ("beta",), ("gamma",), ("delta",)]


@pytest.mark.parametrize(
    ("language", "above", "head", "line", "end"),
    [
        ("rust", "/// Docs.\n#[inline]\n", "pub fn {}(x: u8) {{\n", "    work(x);\n", "}\n"),
        ("java", "  /** Docs. */\n  @Override\n", "  public void {}() {{\n", "    work(1, 2);\n", "  }\n"),
        ("typescript", "/**\n * Docs.\n */\n", "export function {}(x: number) {{\n", "  work(x);\n", "}\n"),
        ("csharp", "  /// <summary>\n  [Fact]\n", "  public void {}()\n  {{\n", "    Work(1, 2);\n", "  }\n"),
        ("go", "// Docs.\n", "func {}(x int) {{\n", "\twork(x)\n", "}\n"),
    ],
)
def test_comments_and_attributes_stay_with_their_function(
    language: str, above: str, head: str, line: str, end: str
) -> None:
    functions = [above + head.format(name) + line * (480 // len(line)) + end for name in ("alpha", "beta", "gamma")]
    text = "\n".join(functions)
    if language in {"java", "csharp"}:
        text = f"class Outer {{\n{text}}}\n"
    spans = split_text(text, path="a", language=language)
    check(text, spans)
    assert len(spans) == 3
    assert all(above in span.text for span in spans)
    assert [span.symbols[-1] for span in spans] == ["alpha", "beta", "gamma"]


def test_large_function_is_cut_between_its_statements() -> None:
    blocks = "".join(f"    if flag_{n}:\n        work({n})\n        more({n})\n" for n in range(60))
    spans = split_text(f"def big():\n{blocks}", path="a.py", language="python")
    assert len(spans) > 2
    assert all(span.text.startswith("    if ") for span in spans[1:])
    assert all(span.scope == ("big",) for span in spans[1:])


def test_unknown_language_is_cut_at_blank_lines() -> None:
    paragraph = "some words in a line\n" * 20
    spans = split_text("\n".join([paragraph] * 5), path="a.txt", language="text")
    assert [span.text.strip() for span in spans] == [paragraph.strip()] * 5


@pytest.mark.parametrize(
    ("path", "language", "text"),
    [
        ("a.md", "markdown", "# Guide\n\n{p}\n## Install\n\n{p}\n```sh\n# no heading\n```\n\nUse\n---\n\n{p}"),
        ("a.mdx", "", "# Guide\n\n{p}\n## Install\n\n{p}\n## Use ##\n\n{p}"),
        ("a.rst", "rst", "=====\nGuide\n=====\n\n{p}\nInstall\n-------\n\n{p}\nUse\n---\n\n{p}"),
        ("a.adoc", "asciidoc", "= Guide\n\n{p}\n== Install\n\n{p}\n----\n== no heading\n----\n\n== Use\n\n{p}"),
        ("a.1", "roff", '.SH "Guide"\n{p}.SS Install\n{p}.\n.SS \\fBUse\\fR\n{p}'),
        ("a.1", "roff", ".Sh Guide\n{p}.Ss Install\n{p}.Ss Use\n{p}"),
    ],
    ids=["markdown", "mdx", "rst", "asciidoc", "man", "mdoc"],
)
def test_documents_are_cut_at_headings(path: str, language: str, text: str) -> None:
    text = text.replace("{p}", "Plain words about it.\n" * 12)
    spans = split_text(text, path=path, language=language)
    check(text, spans)
    assert [span.scope for span in spans] == [("Guide",), ("Guide", "Install"), ("Guide", "Use")]


def test_heading_without_text_joins_its_first_section() -> None:
    before = "## Before\n\n" + "Plain words about it.\n" * 20 + "\n"
    spans = split_text(before + "# Title\n\n## Part\n\n" + "More words.\n" * 30, path="a.md", language="markdown")
    assert [span.text.splitlines()[0] for span in spans] == ["## Before", "# Title"]


def test_oversized_source_is_cut_by_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askrepo.chunking.syntax.MAX_PARSED_BYTES", 10)
    text = "def f():\n    pass\n\n\n" * 100
    spans = split_text(text, path="a.py", language="python")
    check(text, spans)
    assert "f" in spans[0].symbols


@pytest.mark.parametrize("limit", ["MAX_STEPS", "MAX_ERROR_STEPS", "MAX_READS"])
def test_parser_that_gets_lost_is_stopped(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    text = "def f():\n    pass\n\n\n)" * 400
    monkeypatch.setattr(f"askrepo.chunking.syntax.{limit}", 3)
    assert syntax.parse(text.encode(), "python") is None
    check(text, split_text(text, path="a.py", language="python"))
    monkeypatch.undo()
    assert split_text("class A:\n  def b(): 1\n", path="a.py", language="python")[0].symbols == ("A", "b")


# Each is quadratic or worse for its grammar: what is never closed, what is another language, what nests without end.
LOST = {
    "bash reads for ends that never come": ("bash", "<div> <div> <div>\n"),
    "css comments without an end": ("css", "/* /* /*\n"),
    "julia strings without an end": ("julia", "\" ' `\n"),
}


@pytest.mark.parametrize(("language", "line"), LOST.values(), ids=LOST)
def test_parsing_is_bounded_by_what_is_counted(monkeypatch: pytest.MonkeyPatch, language: str, line: str) -> None:
    source = line.encode() * (100_000 // len(line))
    for limit in ("MAX_STEPS", "MAX_ERROR_STEPS", "MAX_READS"):
        monkeypatch.setattr(f"askrepo.chunking.syntax.{limit}", getattr(syntax, limit) // 50)
    monkeypatch.setattr(syntax.logger, "info", lambda *_: None)  # its record has a date
    for clock in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        monkeypatch.setattr(f"time.{clock}", lambda: pytest.fail("a clock decides nothing"))
    assert syntax.parse(source, language) is None


@pytest.mark.slow
def test_slow_and_busy_machines_cut_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def f():\n    return [1, 2]\n\n" * 200 + "/* (a /\n" * 100
    alone = split_text(text, path="a.py", language="python")
    counted = syntax._Budget.stops

    def slow(self: syntax._Budget, offset: int, has_error: bool) -> bool:
        time.sleep(0.02)  # a hundred times as long as the step itself
        return counted(self, offset, has_error)

    monkeypatch.setattr(syntax._Budget, "stops", slow)
    assert split_text(text, path="a.py", language="python") == alone


# Native code dies of these however little of them there is: of memory, and of a scanner's own fault.
BOMBS = {
    "python": ("python", "/* /* /* /* /*\n" * 500),
    "elixir": ("elixir", "1 + a - 1 + a - 1 + a -\n" * 8_000),
}


@pytest.mark.parametrize(("language", "text"), BOMBS.values(), ids=BOMBS)
def test_text_that_kills_its_parser_is_cut_by_lines(language: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = f"from askrepo.chunking import parser_process; parser_process.MAX_MEMORY_BYTES = {2**28}; {PARSER_CODE}"
    with parser_process.ParserProcess(limited) as parser:
        spans = split_apart(text, path="bomb", language=language, parser=parser)
        check(text, spans)
        assert spans == split_by_lines(text, language=language)
        assert split_apart("def f(): 1\n", path="a.py", language="python", parser=parser)[0].symbols == ("f",)


def test_spans_from_the_other_process_are_the_same() -> None:
    text = "class Ü:\n    def run(self):\n        return '\u2028\x00\ud800'\n" * 40
    with parser_process.ParserProcess(PARSER_CODE) as parser:
        apart = split_apart(text, path="a.py", language="python", parser=parser)
    assert apart == split_text(text, path="a.py", language="python")


def test_parser_that_somebody_killed_is_an_error_not_a_cut() -> None:
    code = "import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIGKILL)"
    with parser_process.ParserProcess(code) as parser, pytest.raises(StorageError, match=r"killed at a\.py"):
        split_apart("x = 1\n", path="a.py", language="python", parser=parser)


def test_parser_that_hangs_is_an_error_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "MAX_SILENCE_S", 0.5)
    silent = parser_process.ParserProcess("import time; time.sleep(60)")
    with silent as parser, pytest.raises(StorageError, match="exclude the file"):
        parser.ask("x", name="a.py")


def test_a_folder_of_modules_does_not_replace_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    (tmp_path / "askrepo.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    with parser_process.ParserProcess(PARSER_CODE) as parser:
        assert split_apart("def f(): 1\n", path="a.py", language="python", parser=parser)[0].symbols == ("f",)


def test_processes_that_unpack_grammars_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    code = (
        "from askrepo.chunking.spans import split_text;"
        " print(split_text('fn f() {}', path='a', language='rust')[0].symbols)"
    )
    environment = {**os.environ, "SEMBLE_GRAMMARS_CACHE_DIR": str(tmp_path / "grammars")}
    command = [sys.executable, "-c", code]
    running = [
        subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate()[0].strip() for process in running] == ["('f',)"] * 4
    assert [file.suffix for file in (tmp_path / "grammars").rglob("*") if file.is_file()] == [".so"]


def test_markup_is_parsed_though_many_tags_need_no_end():
    rows = "".join(f'<row id="{n}"/>\n<b x="1 > 0">{n}</b>\n' for n in range(2_000))

    assert syntax.parse(f"<root>\n{rows}</root>".encode(), "xml") is not None
    assert syntax.parse(b"<body>" + b"<br><img src=a>\n" * 1_000, "html") is not None


@pytest.mark.parametrize("text", ["<a>\n", "<a></b>\n", '<a b="/>">\n', "<<EOF\n"])
@pytest.mark.parametrize("language", ["html", "vue", "xml"])
def test_markup_of_too_many_open_tags_is_not_parsed(language, text):
    assert syntax.parse((text * 600).encode(), language) is None

"""Which source files are documentation."""

import pytest

from askrepo.files.comments import is_documentation
from tests.growth import is_linear

LICENCE = "// Copyright 2020 Somebody\n// Licensed under the Apache License, Version 2.0\n" + "// more of it\n" * 12

MODULES = "\n#![allow(unused)]\npub mod _tutorial;\npub(crate) use crate::a::{b, c};\n"


def guide(sign: str, *, lines: int = 10) -> str:
    return f"{sign} How to write a parser step by step.\n" * lines


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param(guide("//!", lines=20) + MODULES, "rust", id="rust"),
        pytest.param(f"/*\n{guide('')}*/\npackage parser\n".replace("\n ", "\n * "), "go", id="go"),
        pytest.param(LICENCE + "\n/**\n" + guide(" *") + " */\npackage org.example;\n", "java", id="java"),
        pytest.param(guide("#") + "\nfrom package import parser\n", "python", id="python"),
        pytest.param(guide("--"), "lua", id="lua"),
    ],
)
def test_text_in_comments_is_documentation(text: str, language: str) -> None:
    assert is_documentation(text, language=language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param(guide("///", lines=40) + "pub trait Parser {\n}\n", "rust", id="a documented definition"),
        pytest.param(guide("#", lines=40) + "run()\n", "python", id="a script"),
        pytest.param(guide("//", lines=40) + "export const limit = 3;\n", "javascript", id="a value"),
        pytest.param(guide("//!", lines=7), "rust", id="a few lines"),
        pytest.param(guide("//!", lines=8) + "mod a;\n", "rust", id="too few for the rest"),
        pytest.param(LICENCE + "\npackage a\n", "go", id="a licence"),
        pytest.param("#include <a.h>\n#define A 1\n" * 10, "c", id="directives"),
        pytest.param("#[derive(Debug)]\n" * 10, "rust", id="attributes"),
        pytest.param(guide("#"), "yaml", id="configuration"),
        pytest.param("# Title\n" * 10, "markdown", id="prose"),
        pytest.param(guide("//"), "", id="no language"),
        pytest.param("", "python", id="empty"),
    ],
)
def test_other_files_are_not(text: str, language: str) -> None:
    assert not is_documentation(text, language=language)


@pytest.mark.parametrize(("start", "unit"), [("", "pub("), ("pub", " "), ("pub(in ", "a"), ("", "*")])
def test_a_hostile_line_takes_no_longer(start: str, unit: str) -> None:
    guide_lines = guide("//!", lines=20) + start
    assert is_linear(lambda times: is_documentation(guide_lines + unit * times, language="rust"), 1_000_000)

from __future__ import annotations

import pytest

from askrepo.search.banners import says_nothing, telling


def told(text: str, *, language: str = "markdown", start_line: int = 1) -> list[str]:
    lines = text.split("\n")
    tells = telling(lines, language=language, start_line=start_line)
    return [line for line, tell in zip(lines, tells, strict=True) if tell]


@pytest.mark.parametrize(
    "line",
    [
        "[![CI](https://ci.example/a.svg)](https://ci.example)",
        "[![npm][npm-badge]][npm-url] ![stars][star-badge]",
        "[npm-url]: https://npm.example/quokka",
        '<p align="center">',
        '  <a href="https://q.example"><img width="180" src="logo.svg" alt="The logo"></a>',
        "  </a><br/>",
        '<img src="logo.svg"',
        '     alt="Quokka logo" />',
        "<!-- prettier-ignore -->",
        '</td><td> <a href="https://shop.example/?utm_source=oss"> <p>Buy shoes today, cheaper than ever</p> </a>',
        '<h3 align="center"> Gold sponsors <br> </h3>',
        "|Build Status| |Coverage|",
        ".. image:: https://ci.example/badge.svg",
        "   :target: https://ci.example",
    ],
)
def test_badges_and_markup_without_a_word_say_nothing(line):
    assert told(line) == []
    assert told(line, language="rst") == []


@pytest.mark.parametrize(
    "line",
    [
        "- [Routing](#routing)",
        "<h1>Quokka</h1>",
        "Quokka keeps copies, see https://q.example.",
        "| option | meaning |",
        "",
        "# Quokka ![logo](a.svg)",
        "a < b and c > d",
        '<p align="center">Quokka keeps copies of your mail</p>',
        "We thank all sponsors of Quokka.",
    ],
)
def test_lines_with_a_word_that_a_reader_sees_say_something(line):
    assert told(line) == [line]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("---\ntitle: Pools\ntags: [a]\n---\n# Pools", ["# Pools"]),
        ("+++\ntitle = 'Pools'\n+++\n# Pools", ["# Pools"]),
        ("---\ntitle: Pools\ndescription: cut by the", []),
        ("---\n\nA page that begins with a rule.", ["A page that begins with a rule."]),
    ],
    ids=["YAML", "TOML", "goes on in the next chunk", "rule"],
)
def test_front_matter_says_nothing(text, left):
    assert told(text) == left


@pytest.mark.parametrize(
    ("text", "language", "silent"),
    [
        ("[![CI](a.svg)](b)\n\n<p>\n", "markdown", True),
        ("<p>\nQuokka keeps copies.\n</p>\n", "markdown", False),
        ("---\ntitle: Pools\n---\n", "markdown", True),
        ("<p>\n</p>\n", "html", False),
        ("# Pools\n", "markdown", False),
    ],
)
def test_a_chunk_of_badges_says_nothing(text, language, silent):
    assert says_nothing(text, language=language, start_line=1) is silent


def test_front_matter_stands_at_the_top_of_a_file_only():
    text = "---\nnote: a list\n---"
    assert told(text, start_line=9) == text.split("\n")


def test_comment_of_several_lines_says_nothing_on_a_page():
    assert told("<!-- Licensed under\nthe MIT licence -->\n# Quokka") == ["# Quokka"]


@pytest.mark.parametrize(
    ("language", "banner"),
    [
        ("python", "#!/usr/bin/env python\n# Copyright 2020 Quokka\n# All rights reserved.\n"),
        ("go", "// Copyright 2020 Quokka\n//\n// Licensed under the Apache License\n"),
        ("java", "/*\n * Copyright 2020 Quokka\n   without a star\n */\n"),
        ("java", " * WITHOUT WARRANTIES OR CONDITIONS, either express or implied. License.\n */\n"),
        ("lua", "-- SPDX-License-Identifier: MIT\n"),
        ("xml", "<!--\nLicensed to Quokka\n-->\n"),
        ("ocaml", "(* Copyright Quokka\n   and others *)\n"),
    ],
    ids=["hash", "slashes", "block", "rest of a block", "dashes", "xml", "ocaml"],
)
def test_licence_above_code_says_nothing(language, banner):
    assert told(f"{banner}code", language=language) == ["code"]


@pytest.mark.parametrize(
    ("text", "start_line"),
    [
        ("// Package pool keeps connections.\npackage pool", 1),
        ("#include <stdio.h>", 1),
        ("#[derive(Debug)] // license", 1),
        ("// checks the license key\nfunc check()", 400),
        ("func license()", 1),
    ],
    ids=["what a file is for", "include", "attribute", "far below the top", "code"],
)
def test_other_comments_and_code_say_something(text, start_line):
    assert told(text, language="go", start_line=start_line) == text.split("\n")


def test_nothing_has_no_line_that_says_something():
    assert told("") == [""]
    assert telling([], language="go", start_line=1) == telling([], language="", start_line=1) == []

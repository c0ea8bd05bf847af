import pytest
import semble_grammars

from askrepo.files.languages import EXTENSIONS, FILE_NAMES, PROSE, language_of

NOT_GRAMMARS = {"csv", "elm", "fsharp", "roff", "text", "thrift", "verilog"}


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.py", "python"),
        ("types.PYI", "python"),
        ("notebooks/intro.ipynb", "python"),
        ("web/App.tsx", "tsx"),
        ("web/app.d.ts", "typescript"),
        ("README.md", "markdown"),
        ("docs/index.rst", "rst"),
        ("LICENSE", "text"),
        ("Makefile", "make"),
        ("Dockerfile", "dockerfile"),
        ("docker/Dockerfile.dev", "dockerfile"),
        ("docker/dockerfile", "dockerfile"),
        ("docker/DOCKERFILE.dev", "dockerfile"),
        ("MAKEFILE", "make"),
        ("readme", "text"),
        ("README.MD", "markdown"),
        ("man/tool.man", "roff"),
        ("A.IPYNB", "python"),
        ("INSTALL", "text"),
        ("install", ""),
        ("build", ""),
        ("CMakeLists.txt", "cmake"),
        (".gitignore", "gitignore"),
        ("src/.hidden", ""),
        ("archive.unknown", ""),
        ("py", ""),
    ],
)
def test_language_follows_name(path, language):
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("first_line", "language"),
    [
        ("#!/bin/sh", "bash"),
        ("#!/usr/bin/env python3.11", "python"),
        ("#!/usr/bin/env -S node --no-warnings", "javascript"),
        ("#! /usr/bin/perl -w", "perl"),
        ("#!/usr/bin/env", ""),
        ("#!", ""),
        ('.TH FZF 1 "Aug 2026"', "roff"),
        (".Dd August 2026", "roff"),
        ('.\\" A comment', "roff"),
        ("'\\\" t", "roff"),
        (".ig", "roff"),
        (".class { color: red }", ""),
        (".there is no such request", ""),
        ("plain text", ""),
    ],
)
def test_language_follows_interpreter_when_name_says_nothing(first_line, language):
    assert language_of("bin/run", first_line=first_line) == language


def test_name_wins_over_interpreter():
    assert language_of("run.rb", first_line="#!/bin/sh") == "ruby"


def test_every_language_has_a_grammar_or_is_known_to_have_none():
    named = set(EXTENSIONS) | set(FILE_NAMES) | PROSE

    assert named - set(semble_grammars.available_languages()) == NOT_GRAMMARS


def test_no_extension_belongs_to_two_languages():
    extensions = [extension for names in EXTENSIONS.values() for extension in names.split()]

    assert len(extensions) == len(set(extensions))

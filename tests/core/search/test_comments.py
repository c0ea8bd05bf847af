from __future__ import annotations

import pytest

from askrepo.search.comments import comment_lines, explained


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("// one\ncall();\n/// two\n//! three", "x.xx"),
        ("/* one\n   two */\ncall();\n/** a */\nb();", "xx.x."),
        ("/**\n * one\n * two\n */\nint a = *b;\n*b = 1;", "xxxx.."),
        ("# one\nx = 1  # beside it\n#!/bin/sh\n#[derive(Debug)]", "x..."),
        ("#include <a.h>\n# include <b.h>\n#ifdef A\n#define B\n# a word", "....x"),
        ("-- one\nSELECT 1\n--- four\n{- a\n b -}\nmain = 1", "x..xx."),
        (";; one\n(call)\n% two\n(* a\nb *)", "x.xxx"),
        ("<!-- a\nb -->\n<p>", "xx."),
        ('"""Doc.\n\nMore.\n"""\nx = 1', "....."),
    ],
    ids=["slashes", "blocks", "stars", "hashes", "preprocessor", "dashes", "lisp", "html", "docstring"],
)
def test_comments_that_begin_a_line_are_found(text, marks):
    assert "".join("x" if is_comment else "." for is_comment in comment_lines(text.split("\n"))) == marks


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ('"""Doc.\n\nMore.\n"""\nx = 1', "xxxx."),
        ('"""One line."""\nx = 1', "x."),
        ("    r'''One.\n    Two.'''\n    x = 1", "xx."),
        ('@doc """\nSays how.\n"""\ndef run, do: 1', "xxx."),
        ("@moduledoc ~S'''\nSays how.\n'''\ndef run, do: 1", "xxx."),
        ('text = """\nno docstring\n"""', "..x"),
    ],
)
def test_docstrings_count_where_asked_for(text, marks):
    lines = text.split("\n")
    assert "".join("x" if is_comment else "." for is_comment in comment_lines(lines, docstrings=True)) == marks


def test_a_text_is_explained_by_its_share_of_comments():
    assert explained("// a\n\n// b\ncall();\nmore();\n") == 0.5
    assert explained("// a\n") == 1
    assert explained("call();\n") == 0
    assert explained("\n \n") == explained("") == 0

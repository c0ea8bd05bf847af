import codecs
import json
import random

import pytest

from askrepo.files.decode import LFS_MAX_BYTES, Decoded, decode, notebook_text
from benchmarks.encodings import ENCODINGS, lost_ascii, made_file, verdict

JAPANESE = "// 日本語のテキストです。これはテストです。\nint main() { return 0; }\n"
RUSSIAN = "# привет мир, это проверка кодировки русского текста\nprint(1)\n"
CHINESE = "# 中文注释用于测试编码的自动识别功能。\nprint(1)\n"
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def decode_as_python(content: bytes) -> Decoded:
    return decode(content, path="a.py", language="python")


def notebook(*cells: object) -> bytes:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4}).encode()


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        pytest.param("naïve 日本\n".encode(), "naïve 日本\n", "utf-8", id="utf-8"),
        pytest.param(codecs.BOM_UTF8 + b"x = 1\n", "x = 1\n", "utf-8", id="utf-8-bom"),
        pytest.param(codecs.BOM_UTF16_LE + "é\n".encode("utf-16-le"), "é\n", "utf-16-le", id="utf-16-le"),
        pytest.param(codecs.BOM_UTF16_BE + "é\n".encode("utf-16-be"), "é\n", "utf-16-be", id="utf-16-be"),
        pytest.param(codecs.BOM_UTF32_LE + "é\n".encode("utf-32-le"), "é\n", "utf-32-le", id="utf-32-le"),
        pytest.param("# caf\xe9\nx = 1\n".encode("latin-1"), "# café\nx = 1\n", "cp1252", id="latin-1"),
        pytest.param(b"# it\x92s \xa9 2001\n", "# it\u2019s © 2001\n", "cp1252", id="windows-1252"),
        pytest.param(JAPANESE.encode("shift_jis"), JAPANESE, "cp932", id="shift-jis"),
        pytest.param(RUSSIAN.encode("cp1251"), RUSSIAN, "cp1251", id="windows-1251"),
        pytest.param(CHINESE.encode("gbk"), CHINESE, "gb18030", id="gbk"),
        pytest.param(b"a\r\nb\r\n", "a\nb\n", "utf-8", id="crlf"),
        pytest.param(b"a\rb\n", "a\nb\n", "utf-8", id="lone-carriage-return"),
        pytest.param(b"a\r\r\nb\r\r\n", "a\nb\n", "utf-8", id="crcrlf"),
        pytest.param(b"a\r\nb\nc\rd\r\r\ne\r", "a\nb\nc\nd\ne\n", "utf-8", id="mixed-line-ends"),
        pytest.param(
            "a\x0bb\x0cc\x85d\u2028e\u2029f\x1cg\n".encode(),
            "a\x0bb\x0cc\x85d\u2028e\u2029f\x1cg\n",
            "utf-8",
            id="no-line-ends",
        ),
        pytest.param("# 中文\r# b\r".encode("utf-16"), "# 中文\n# b\n", "utf-16-le", id="carriage-returns-in-utf-16"),
        pytest.param(b"\x1b[31m\x0c\n", "\x1b[31m\x0c\n", "utf-8", id="escape-characters-stay"),
        pytest.param(b"no newline at the end", "no newline at the end", "utf-8", id="no-final-newline"),
    ],
)
def test_text_is_decoded(content, text, encoding):
    assert decode_as_python(content) == Decoded(text, encoding)


def test_a_signed_text_is_a_text():
    text = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nThe release notes.\n"
    assert decode_as_python(text.encode()).text == text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b" \n\t\r\n", "empty", id="whitespace-only"),
        pytest.param(codecs.BOM_UTF8, "empty", id="bom-only"),
        pytest.param(b"text\0text", "binary", id="nul"),
        pytest.param(b"a" * 100_000 + b"\0", "binary", id="nul-far-behind"),
        pytest.param(codecs.BOM_UTF16_LE + "a\0b".encode("utf-16-le"), "binary", id="nul-in-utf-16"),
        pytest.param(codecs.BOM_UTF16_LE + b"\x00\xd8a", "undecodable", id="broken-utf-16"),
        pytest.param(bytes(range(1, 256)) * 20, "binary", id="control-characters"),
        pytest.param(LFS_POINTER, "LFS pointer", id="lfs-pointer"),
        pytest.param(b"-----BEGIN PGP SIGNATURE-----\n\niQIz\n-----END PGP SIGNATURE-----\n", "binary", id="signature"),
        pytest.param(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\nmQIN\r\n", "binary", id="public-key"),
    ],
)
def test_file_without_text_has_a_reason(content, reason):
    assert decode_as_python(content) == Decoded(reason=reason)


def test_bytes_that_no_encoding_explains_are_undecodable():
    noise = random.Random(7)
    content = b"\n".join(bytes(noise.randrange(128, 256) for _ in range(60)) for _ in range(60))

    assert decode_as_python(content).reason == "undecodable"


def test_code_around_a_comment_that_no_encoding_explains_is_kept():
    decoded = decode_as_python(b"x = 1\n" * 100 + b"# \xb0\x98\xc4\x81\xff\xb3\xff\n")

    assert (decoded.encoding, decoded.text[:6]) == ("ascii, repaired", "x = 1\n")


def test_decoding_never_fails_on_random_bytes():
    noise = random.Random(11)
    for size in range(1, 400):
        decoded = decode_as_python(noise.randbytes(size))

        assert bool(decoded.text) != bool(decoded.reason)
        decoded.text.encode("utf-8")


def test_stray_byte_far_behind_is_found():
    content = b"x = 1\n" * 20_000 + b"# Jos\xe9\n"

    assert decode_as_python(content).text.endswith("# José\n")


def test_document_about_lfs_is_no_pointer():
    content = b"version https://git-lfs.github.com/spec/v1\n" + b"x" * LFS_MAX_BYTES

    assert decode(content, path="lfs.md", language="markdown").reason is None


@pytest.mark.parametrize(
    ("path", "language", "text", "is_minified"),
    [
        pytest.param("app.js", "javascript", "var a=1;" * 1000, True, id="one-long-line"),
        pytest.param("app.js", "javascript", "var a=1;\n" * 1000, False, id="many-short-lines"),
        pytest.param("app.js", "javascript", "var a=1;" * 100, False, id="too-short-to-matter"),
        pytest.param("app.js", "javascript", "x" * 20_000 + "\n" * 100, False, id="one-long-line-among-short-ones"),
        pytest.param("essay.md", "markdown", "word " * 2000, False, id="prose"),
        pytest.param("app.min.js", "javascript", "var a;\n", True, id="min-js"),
        pytest.param("APP.MIN.CSS", "css", "a{}\n", True, id="min-css"),
    ],
)
def test_minified_text_is_told_by_name_or_average_line(path, language, text, is_minified):
    assert (decode(text.encode(), path=path, language=language).reason == "minified") is is_minified


def test_notebook_becomes_its_source_cells():
    content = notebook(
        {"cell_type": "markdown", "source": ["# Title\n", "Words"]},
        {"cell_type": "code", "source": "x = 1\nx", "outputs": [{"text": "SECRET OUTPUT"}]},
        {"cell_type": "raw", "source": ["kept"]},
        {"cell_type": "code", "source": []},
    )

    decoded = decode(content, path="intro.ipynb", language="python")

    assert decoded.text == "# %% [markdown]\n# Title\nWords\n\n# %%\nx = 1\nx\n\n# %% [raw]\nkept\n\n"


def test_old_notebook_keeps_its_cells_in_a_worksheet():
    text = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}], "nbformat": 3})

    assert notebook_text(text) == "# %%\nx = 1\n"


def test_notebook_without_source_is_empty():
    content = notebook({"cell_type": "code", "source": "  "})

    assert decode(content, path="a.ipynb", language="python").reason == "empty"


@pytest.mark.parametrize(
    "text",
    ["{not json", "[1, 2]", '{"cells": 3}', "{}", "[" * 100_000, '{"worksheets": [3]}', '"text"'],
    ids=["no-json", "list", "cells-no-list", "no-cells", "too-deep", "odd-worksheet", "string"],
)
def test_malformed_notebook_stays_plain_text(text):
    assert notebook_text(text) == text


def test_odd_cells_are_passed_over():
    text = '{"cells": [3, {"source": 4}, {"source": [5, "x"]}, {"cell_type": "code", "source": "\\ud800\\u0000"}]}'

    assert notebook_text(text) == "\n\n# %%\nx\n\n# %%\n\ufffd\ufffd\n"


DECLARED = {
    "pep 263": b"#!/usr/bin/python\n# -*- coding: koi8-r -*-\n# %s\n",
    "pep 263 for vim": b"# vim: set fileencoding=koi8-r :\n# %s\n",
    "pep 263, plain": b"# coding=koi8-r\nx = '%s'\n",
    "emacs in c": b"/* -*- mode: c; coding: koi8-r-unix -*- */\n/* %s */\n",
    "vim at the end": b"// %s\n// vim: set ts=4 fenc=koi8-r:\n",
    "xml": b"<?xml version='1.0' encoding='KOI8-R'?>\n<a>%s</a>\n",
    "html": b"<html><head><meta charset=koi8-r></head>%s\n",
    "html 4": b"<html><META http-equiv='Content-Type' content='text/html; charset=koi8-r'>%s\n",
    "css": b'@charset "koi8-r";\n/* %s */\n',
}


@pytest.mark.parametrize("source", DECLARED.values(), ids=DECLARED)
def test_what_a_file_declares_comes_first(source):
    decoded = decode_as_python(source % "\u042d\u0412\u041c".encode("koi8-r"))

    assert (decoded.encoding, "\u042d\u0412\u041c" in decoded.text) == ("koi8-r", True)


@pytest.mark.parametrize(
    "codec",
    ["rot13", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "hex", "base64", "zlib", "utf-7", "utf-16",
     "utf-32", "cp037", "cp500", "undefined", "mbcs", "no-such", "../x", "utf-8"],
)  # fmt: skip
def test_codecs_that_are_no_encoding_of_text_are_never_used(codec):
    source = f"# -*- coding: {codec} -*-\nname = 'x \\u0041 +AGE-'  # ".encode() + b"caf\xe9\n"

    assert decode_as_python(source).text == source.decode("latin-1")


def test_declared_encoding_counts_where_the_bytes_are_utf8_by_chance():
    source = b"# -*- coding: gbk -*-\n# " + "模".encode("gbk") + b"\n"

    assert source.decode("utf-8")
    assert "模" in decode_as_python(source).text


def test_utf8_is_believed_before_a_wrong_declaration():
    text = "<meta charset='iso-8859-1'>\nNaïve 日本\n"

    assert decode_as_python(text.encode()) == Decoded(text, "utf-8")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Größe 日本語\n".encode() * 50 + b"caf\xe9\n", "Größe 日本語\n" * 50 + "caf\ufffd\n"),
        (codecs.BOM_UTF8 + "日本語\n".encode() + b"\xff\n", "日本語\n\ufffd\n"),
        ("日本語\n".encode() * 9 + "日".encode()[:2], "日本語\n" * 9 + "\ufffd"),
    ],
    ids=["bad byte", "after a byte order mark", "cut off"],
)
def test_nearly_valid_utf8_is_utf8_with_replacements(content, text):
    assert decode_as_python(content) == Decoded(text, "utf-8, repaired")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("comment", ["café", "가의 한국어 각", "中文注释"])
def test_utf16_and_utf32_without_a_mark_are_told_by_their_nuls(encoding, comment):
    text = f"int main() {{ return 0; }}  // {comment}\n"

    assert decode_as_python(text.encode(encoding)) == Decoded(text, encoding)


def test_one_damaged_letter_does_not_lose_a_utf16_file():
    content = codecs.BOM_UTF16_LE + ("int x;\n" * 50).encode("utf-16-le") + b"\x00\xd8a\x00"

    assert decode_as_python(content).encoding == "utf-16-le, repaired"


@pytest.mark.parametrize("comment", ["中文", "注释"])
@pytest.mark.parametrize("encoding", ["gbk", "cp932"])
def test_a_short_comment_does_not_make_ascii_something_else(comment, encoding):
    code = "int main(void) {\n    return 0;\n}\n" * 20

    assert decode_as_python((code + f"// {comment}\n").encode(encoding, "ignore")).text.startswith(code)


def test_made_files_are_read_in_their_encodings():
    made = [made_file(*ENCODINGS[number % len(ENCODINGS)], number) for number in range(400)]

    assert not any(lost_ascii(*one) for one in made)
    assert sum(verdict(*one) in {"same", "harmless"} for one in made) >= 0.99 * len(made)


@pytest.mark.parametrize(
    ("comment", "encodings"),
    [
        ("zamyka okno, jeśli wystąpił błąd odczytu źródła", ("cp1250", "iso8859-2")),
        ("když je vyrovnávací paměť plná, zavře okno", ("cp1250", "iso8859-2")),
        ("bezárja az ablakot, ha hibás a bemenő érték", ("cp1250", "iso8859-2")),
        ("dosya okunamadığında pencereyi kapatır", ("cp1254", "iso8859-9")),  # noqa: RUF001
        ("configuración del búfer: ¿está vacío? año y señal", ("cp1252", "iso8859-15")),
        ("não há mais espaço para a função", ("cp1252", "iso8859-15")),
        ("får ej ändras, stänger fönstret", ("cp1252", "iso8859-15")),
        ("schließt das Fenster für ältere Geräte", ("cp1252", "cp850")),
        ("закрывает окно, если буфер полон", ("cp1251", "koi8-r", "cp866", "iso8859-5")),
        ("якщо буфер повний, відкинути старий пакет", ("cp1251", "koi8-u", "iso8859-5")),
        ("κλείσιμο παραθύρου όταν υπάρχει σφάλμα", ("cp1253", "iso8859-7")),
        ("סגירת החלון אם יש שגיאה בקריאת קובץ", ("cp1255", "iso8859-8")),
        ("إغلاق النافذة عند حدوث خطأ في قراءة الملف", ("cp1256", "iso8859-6")),
        ("ปิดหน้าต่างเมื่อเกิดข้อผิดพลาดในการอ่านไฟล์", ("cp874",)),
    ],
    ids=["Polish", "Czech", "Hungarian", "Turkish", "Spanish", "Portuguese", "Swedish", "German", "Russian",
         "Ukrainian", "Greek", "Hebrew", "Arabic", "Thai"],
)  # fmt: skip
def test_encodings_of_one_byte_a_letter_are_told_by_the_language(comment, encodings):
    text = f"/* {comment} */\nint main(void) {{\n    return 0;\n}}\n"

    assert [decode_as_python(text.encode(encoding)).text for encoding in encodings] == [text] * len(encodings)


def test_accents_beside_letters_do_not_become_letters_of_two_bytes():
    text = "// créé par François\n"

    assert decode_as_python(text.encode("cp1252")).text == text


def test_all_worksheets_of_an_old_notebook_are_read():
    sheets = [{"cells": [{"cell_type": "code", "input": name}]} for name in "ab"]

    assert notebook_text(json.dumps({"worksheets": sheets})) == "# %%\na\n\n# %%\nb\n"


def test_ending_of_a_notebook_is_told_in_any_case():
    content = notebook({"cell_type": "code", "source": ["x = 1\r\n", "y = 2"]})

    assert decode(content, path="A.IPYNB", language="python").text == "# %%\nx = 1\ny = 2\n"

"""Spellings by kind: those that a reader takes for a citation of something that is not stored, and innocent ones."""

from __future__ import annotations

CONTEXTS = (
    "It waits before the next attempt {}, as the code says.",
    "{}",
    "The limit is doubled {}.",
    "Intro.\n\n- **Retries** wait {}\n- more",
    "| a | {} |\n",
    "再試行します{}。",
)
"""Where a spelling may stand."""

BOGUS: dict[str, tuple[str, ...]] = {
    "numbers": (
        "[99]", "[ 99 ]", "[99 ]", "[  99]", "[099]", "[\t99]", "[99].", "[1][99]", "[99][98]", "[[99]]", "[[[99]]]",
        "\\[99\\]", "[12345]", "[99999999999999999999]", "([99])", "**[99]**", "*[99]*", "_[99]_", "`[99]`", "[99a]",
        "[1\u200b99]", "[9\u03369]",
    ),
    "lists": (
        "[1, 99]", "[1,99]", "[1; 99]", "[1;99]", "[1 99]", "[1 and 99]", "[1 & 99]", "[1&99]", "[1 or 99]",
        "[1 + 99]", "[1|99]", "[1, 2 and 99]", "[1, 2, and 99]", "[1/99]", "[2, 99, 3]", "[1,\n99]", "[1 und 99]",
        "[1 et 99]",
    ),
    "ranges": (
        "[1-99]", "[1–99]", "[1—99]", "[1‑99]", "[1−99]", "[1 - 99]", "[1 to 99]", "[1..99]", "[1…99]",
        "[1 through 99]", "[97-99]", "[1]‐[99]", "[1]–[99]", "[3-1]", "[1990-2026]", "[1–2–99]",
    ),
    "brackets": (
        "【99】", "［99］", "〔99〕", "⟦99⟧", "〖99〗", "〚99〛", "⁅99⁆", "❲99❳", "【99†source】", "【99†L1-L5】",
        "[99†L1]",
        "【99:1†file】", "<99>", "⟨99⟩", "《99》", "&#91;99&#93;", "&lsqb;99&rsqb;",
    ),
    "digits": (
        "[９９]", "[٩٩]", "[९९]", "[𝟗𝟗]", "［９９］", "[⁹⁹]", "[⑨]", "[㊾]",
    ),
    "labels": (
        "[source 99]", "[Source 99]", "[source: 99]", "[Source #99]", "[sources 1, 99]", "[sources 1 and 99]",
        "[src 99]", "[src:99]", "[ref 99]", "[ref. 99]", "[reference 99]", "[doc 99]", "[Document 99]",
        "[citation 99]", "[cite: 99]", "[cite:99]", "[S99]", "[s99]", "[R99]", "[#99]", "[^99]", "[№99]", "[@99]",
        "[note 99]", "[see 99]", "[cf. 99]", "[see source 99]", "[passage 99]", "[source_99]", "[source-99]",
        "[source=99]", "[source99]", "[Ref-99]", "[Quelle 99]", "[fuente 99]", "[来源 99]", "[出典99]", "[источник 99]",
        "[1, source 99]", "[oaicite:99]",
    ),
    "more in the bracket": (
        "[99, line 3]", "[99, lines 3-5]", "[99, p. 3]", "[99: L3-L5]", "[99:12-30]", "[99: README]",
        "[99, README.md]", "[99 README.md]", "[99: src/app.py]", "[lines 3-4]", "[L10-L20]", "[@smith2020]",
        "[Smith et al., 2020]", "[see source 99 above]", "[*99*]", "[**99**]", "[(99)]", "[99?]", "[99!]", "[99.]",
        '["source 99"]',
    ),
    "words": (
        "source 99", "Source 99", "Source #99", "(source 99)", "(Source: 99)", "sources 1 and 99", "(sources 1, 99)",
        "(ref 99)", "ref. 99", "reference 99", "(reference 99)", "footnote 99", "(S99)", "(doc 99)", "source [99]",
        "source no. 99", "source №99", "(see source 99)", "{source 99}", "SOURCE 99", "ｓｏｕｒｃｅ 99", "Quelle 99",
        "источник 99", "来源 99",
    ),
    "raised and tags": (
        "retried⁹⁹", "retried.⁹⁹", "retried^99^", "retried^[99]", "retried^{99}", "<sup>99</sup>", "<sup>[99]</sup>",
        "<source 99>", '<source id="99">', "<ref>99</ref>", "<cite>99</cite>", "<ref 99/>", "\\cite{retry2020}",
        "\\cite{99}", "\\footnote{99}", ":contentReference[oaicite:99]{index=99}", "citeturn0search99",
    ),
    "paths": (
        "gone.py:3", "gone.py:3-9", "gone.py:3–9", "gone.py:L3", "gone.py:L3-L9", "gone.py:3:5", "gone.py:3:",
        "gone.py::3", "gone.py#L3", "gone.py#L3-L9", "gone.py#L3-9", "gone.py#3", "gone.py#lines-3:9",
        "gone.py?plain=1#L3", "gone.py#L3C1-L9C4", "gone.py:3,7", "gone.py:3..9", "gone.py:3-99999999999",
        "gone.py:99999999999", "gone.py:0", "`gone.py:3`", "`gone.py`:3", "**gone.py**:3", "*gone.py:3*",
        '"gone.py:3"', "(gone.py:3)", "[gone.py:3]", "<gone.py:3>", "src/gone.py:3", "./src/gone.py:3",
        "/src/gone.py:3", "../gone.py:3", "src\\gone.py:3", "C:\\src\\gone.py:3", "gone.py：3", "gone.py\u200b:3",
        "gone.py:\u20603", "src∕gone.py:3", "src/app.py:12-99", "src/app.py:30-12", "src/app.py:12,99",
        "file=gone.py:3", "see:gone.py:3", "gone.xyz:7", ".env:3", "a+b.c++:3", "gone.py:10ff", "gone.py:10+",
        "gone.py:(3)", "gone.py: 3-9", "gone.py: L3", "gone.cs(10)", "gone.cs(10,5)", "gone.py (3-9)",
    ),
    "files without an ending": (
        "Makefile:99", "Dockerfile:3", "LICENSE:3", "`Dockerfile:3`", "src/Dockerfile:3", "Jenkinsfile#L3", "README:3",
        "Dockerfile, line 3", "Dockerfile (L3)", "frobnicate#L3", "frobnicate:L3", "docker/frobnicate:3",
    ),
    "lines in words": (
        "gone.py line 3", "gone.py, line 3", "gone.py, lines 3-9", "gone.py lines 3–9", "gone.py (line 3)",
        "gone.py (lines 3-9)", "gone.py (L3)", "gone.py (L3-L9)", "gone.py L3", "gone.py, L3-9", "gone.py: line 3",
        "gone.py:line 3", "gone.py at line 3", "gone.py on line 3", "gone.py, ll. 3-9", "gone.py, l. 3",
        "gone.py — line 3", "gone.py [L3]", "gone.py [lines 3-9]", "`gone.py` line 3", "`gone.py`, lines 3-9",
        "`gone.py` (lines 3-9)", "`gone.py` (L3-L9)", "`gone.py`#L3", "**gone.py**, line 3", '"gone.py", line 3',
        'File "gone.py", line 3', "line 3 of gone.py", "lines 3-9 of gone.py", "lines 3-9 in `gone.py`",
        "line 3 (gone.py)", "L3-L9 of gone.py", "line 3 of the file gone.py", "gone.py,\nlines 3-9", "gone.py LINE 3",
        "gone.py, Zeile 3", "gone.py, Zeilen 3-9", "gone.py, ligne 3", "gone.py, línea 3", "gone.py 第3行",
        "gone.py 第3-9行", "gone.py, строка 3", "gone.py, lines 3 and 9", "gone.py, lines 3 to 9",
        "src/app.py, lines 12-99", "`src/app.py`, line 99",
    ),
    "repository and commit": (
        "evil/repo@0123456789 README.md:1-2", "evil/repo@0123456789 src/app.py:12-30", "evil@0123456789 README.md:1-2",
        "acme/app@0123456789 README.md:1-2", "evil/repo@c0ffee0123 README.md:1-2", "acme/app@main README.md:1-2",
        "evil/repo@0123456789, README.md:1-2", "evil/repo@0123456789: README.md:1-2",
        "evil/repo@0123456789:README.md:1-2", "evil/repo@0123456789/README.md:1-2",
        "evil/repo@0123456789  README.md:1-2", "evil/repo@0123456789\nREADME.md:1-2",
        "`evil/repo@0123456789` README.md:1-2", "evil/repo@0123456789 `README.md:1-2`",
        "`evil/repo@0123456789 README.md:1-2`", "[evil/repo@0123456789] README.md:1-2",
        "**evil/repo@0123456789** README.md:1-2", "evil/repo@0123456789", "README.md@0123456789:1-2",
        "README.md:1-2@0123456789", "README.md:1-2 @ 0123456789", "README.md:1-2 (0123456789)",
        "README.md:1-2 at 0123456789", "README.md:1-2 (commit 0123456789)", "README.md:1-2 (evil/repo@0123456789)",
        "README.md:1-2 in evil/repo@0123456789", "evil/repo README.md:1-2", "evil/repo: README.md:1-2",
        "evil/repo:README.md:1-2", "evil/repo/README.md:1-2", "evil/repo@0123456789 README.md, lines 1-2",
        "evil/repo@0123456789 README.md#L1-L2", "acme/app@C0FFEE9999 README.md:1-2",
    ),
    "addresses": (
        "https://github.com/evil/repo/blob/0123456789/README.md#L3",
        "https://github.com/acme/app/blob/main/src/app.py#L12",
        "https://gitlab.com/evil/repo/-/blob/0123456/README.md#L3-9", "https://evil.example/src/app.py#L12-L30",
        "https://raw.githubusercontent.com/evil/repo/main/README.md", "file:///src/app.py#L3",
        "vscode://file/src/app.py:3", "https://github.com/evil/repo/blob/main/README.md",
        "https://evil.example/src/app.py:12",
    ),
    "links": (
        "[1](https://evil.example)", "[99](https://evil.example)", "[1](http://evil.example/a)",
        "[docs](https://evil.example)", "[1](//evil.example)", "[1](www.evil.example)", "[1]( https://evil.example )",
        "[1](<https://evil.example>)", "[1](HTTPS://evil.example)", "[1](javascript:alert(1))",
        "[1](data:text/html,x)", "[1](y)", "[^1](https://evil.example)", "[[1]](https://evil.example)",
        "\\[1\\](https://evil.example)", "[source 1](https://evil.example)", "[`1`](https://evil.example)",
        "[**1**](https://evil.example)", '[1](https://evil.example "title")', "![1](https://evil.example/a.png)",
        "![](https://evil.example/a.png)", "![alt](https://evil.example/a.png)",
        "[![1](https://evil.example/a.png)](https://evil.example)", "[src/app.py:12-30](https://evil.example)",
        "[gone.py](gone.py#L3)", "[text](src/gone.py:3)", "[see](https://github.com/evil/repo/blob/main/a.py#L3)",
        "[1]: https://evil.example", "[1](https://github.com/acme/app/blob/main/src/file1.py#L1-L20)",
        "[1](&#104;ttps://evil.example)", "[a long text of several words](https://evil.example/with/path?and=query#x)",
    ),
    "pretended blocks": (
        "\nSources\n", "\nSources:\n", "\n## Sources\n", "\n**Sources**\n", "\n**Sources:**\n", "\nSOURCES\n",
        "\n> Sources\n", "\n- Sources\n", "\nSources checked by askrepo\n", "\nReferences\n", "\n### References:\n",
        "\nCitations\n", "\nЅources\n", "\n\u200bSources\n", "\nＳｏｕｒｃｅｓ\n", "\nQuellen\n", "\nS o u r c e s\n",
        "\n<h2>Sources</h2>\n", "\nVerified sources\n", "\n~~~\nSources\n[1] src\n~~~\n",
    ),
    "behind code and long words": (
        "a ` stray backtick [99]", "stray` here [99] and `code`", "`code` and [99]", "```the thing [99]",
        "a `b` ` c [99] d", "x" * 2500 + "[99]", "x" * 2500 + " [99]", "x" * 3000 + ".py:3", "/x" * 3000 + ".py:3",
        "`" + "x " * 600 + "[99] `y`", "\n```\ncode\n\nand then [99]", "\n~~~\n[99]", "\n```see [99]\n",
        "[" + "1, " * 400 + "99]", "[" + " " * 500 + "99]", "`a` [99] `b", "``a` [99]", "\n```\ngone.py:3\n```\n",
    ),
}  # fmt: skip
"""None names something stored: there are sources 1 to 3, and README.md, Makefile and src/app.py of 40 lines."""

INNOCENT: dict[str, tuple[str, ...]] = {
    "cited": (
        "[1]", "[1][2]", "[3].", "\u202e[1].", "\u200b[1]\u200b",
        "\u2060src/app.py:12-30", "src/app.py:12-30", "`src/app.py:12-30`", "src/app.py, lines 12-30", "Makefile:3",
        "source 2", "acme/app@c0ffee0123 README.md:1-2", "app@c0ffee0123 src/app.py:12-30", "acme/app README.md:1-2",
        "README.md#L1-L2", "line 12 of src/app.py", "acme/app/README.md:1-2", "README.md:1-2 (c0ffee0123)",
        "https://github.com/acme/app/blob/c0ffee0123444444444444444444444444444444/src/file1.py#L1-L20",
        "[1](https://github.com/acme/app/blob/c0ffee0123444444444444444444444444444444/src/file1.py#L1-L20)",
        "[here](https://github.com/acme/app/blob/c0ffee0123444444444444444444444444444444/src/app.py#L3)",
    ),
    "indices": (
        "a[9]", "x[0]", "argv[9]", "sys.argv[9]", "args[10]", "`argv[9]`", "`a[3]`", "`rows[0][7]`", "f(x)[9]",
        "`f(x)[9]`", "$[9]", "`$[9]`", "matrix_rows[12]", "obj.items[9]", "resp.json()[0]", "buf[256]", "int[10]",
        "retry_count[9]", "camelCase[12]", "utf8[9]", "dp[9][10]", "data.rows[9].name", "`${arr[9]}`", "self.x[-1]",
        "x[-1]", "x[1:9]", "x[::2]", "list[int]", "dict[str, int]", "`tuple[int, ...]`", "Callable[[int], str]",
        "items[i]", "a[i+1]", "arr[9] = 4", "this.rows[9]",
    ),
    "arrays": (
        "`[1, 2, 3]`", "`[0, 1]`", "`[10, 20, 30]`", "x = [7, 8]", "x = [9]", '`{"ids": [7, 8]}`', '{"ids": [7, 8]}',
        "sum([7, 8])", "f(a, [7, 8])", "return [7, 8]", "[]", "[[]]", "[0, 1]", "[0, 255]", "[-1, 1]", "[0.5, 1.0]",
        "(0, 1]", "[0, 9)", "[0, n]", "[[7, 8], [9, 10]]", "shape [32, 128]", "range [10, 90]", "[1.5]", "['a', 'b']",
        "[true, false]", "[a, b]", "`[99, 98]`",
    ),
    "patterns": (
        "`[0-9]`", "`[0-9]+`", "[0-9]", "`[1-9][0-9]*`", "[1-9][0-9]*", "[1-9]+", "`[^0-9]`", "[a-z0-9]", "[A-Za-z]",
        "\\d{3}", "a{9}", "`\\[9\\]`", "`^[1-9]$`", "^[1-9]$", "*.py", "**/*.ts", "[!abc]", "`s/a[9]/b/`",
    ),
    "versions and numbers": (
        "1.2.3", "v1.2.3", "[1.2.3]", "## [1.2.3] - 2026-01-01", "python 3.11", "3.12.1rc1", ">=1.4,<2", "~=0.9.4",
        "1,000", "99 %", "3:1", "16:9", "1/2", "99", "(99)", "(404)", "#99", "(#99)", "acme/app#12", "10^9", "x^2",
        "x²", "m²", "km²", "10⁻³", "O(n²)", "n^2", "2**10", "1e-9", "0x1F", "50 ms", "3rd", "[3 items]", "[2 of 5]",
        "[50%]", "1–3", "3-5 times", "20..30",
    ),
    "times and dates": (
        "12:30", "12:30:45", "[12:30]", "[12:30:45]", "2026-11-28", "[2026-11-28]", "2026-11-28T12:30:00Z",
        "[2026-11-28 12:30:00]", "2026-11-28T12:30:00+01:00", "28/11/2026", "10:00-12:00", "UTC+1", "08:15 to 09:45",
    ),
    "hosts and addresses": (
        "localhost:8080", "127.0.0.1:8080", "host:8080", "db.internal:5432", "redis.example.com:6379", "[::1]:8080",
        "[2001:db8::1]", "::1", "fe80::1%eth0", "http://example.org:8080/a", "https://example.org",
        "https://example.org/docs/page.html#section-3", "user@example.com", "git@github.com:acme/app.git",
        "postgres://db:5432/app", "0.0.0.0:80", "https://docs.python.org/3/library/re.html",
        "ssh://git@example.org:22/x.git", "jane@corp.example", "tcp/8080",
    ),
    "code words": (
        "std::vector", "`std::vector<int>`", "std::array<int, 3>", "vector<int>", "List<String>", "`foo:3`", "key: 3",
        "`key: 3`", "retries: 3", "a.b.c", "module.function()", "obj.call(10)", "`range(10)`", "f(99)",
        'printf("%d", 9)', "{0}", "`{99}`", "%9d", "$1", "\\1", "`$1`", "@decorator", "@types/node", "python:3.11",
        "`nginx:1.25`", "postgres:16", "x:3", "level:3", "#define", "#include <a.h>", "a < b > c", "i < 99 > j", "<T>",
        "<your-token>", '`<a href="x">`', "&amp;", "foo->bar", "x ? 1 : 2", "^C", "C99", "S3", "an S3 bucket",
        "RFC 2119", "[RFC 2119]", "PEP 8", "[E501]", "[F401]", "HTTP/1.1", "and/or", "I/O",
    ),
    "Markdown": (
        "- [ ] todo", "- [x] done", "[x]", "[ ]", "[see below]", "[a]", "[x](y)", "[x](y.md)",
        "[guide](docs/guide.md)", "[top](#usage)", "1. first", "**bold**", "_it_", "~~gone~~", "> quoted", "---",
        "| a | b |", "`code`", "``a ` b``", "![x](y.png)", "# Heading", "* item", "\n```python\nx = [7, 8]\n```\n",
        "\n~~~\na[9] = [9]\n~~~\n", "\n```\n[99]\n```\n", '\n```json\n{"a": [10, 20]}\n```\n', "\\*",
        "\n    x = [9]\n", "[TODO]", "[optional]", "a[^note]",
    ),
    "emoji and terminals": (
        ":tada:", ":100:", ":+1:", "👍", "👨\u200d👩\u200d👧", "❤️", "1️⃣", "\\x1b[31m", "ESC[2J", "[31m", "[1;31m", "[0m",
        "^[[A", "日本語", "naïve", "→", "…",
    ),
    "prose": (
        "open source", "the source code", "data sources", "resources", "line 3", "on line 9", "lines of code",
        "three sources", "e.g. this", "i.e. that", "etc.", "Mr. X", "step 3", "chapter 9", "page 9", "section 3",
        "Sources of truth are rare", "source of 99 problems", "from 3 sources", "source files: 99",
        "reference counting", "it depends (see below)", "exit code 3", "a document", "the first (1) and second (2)",
        "README.md", "src/app.py", "in README.md and src/app.py", "retry.py: 3 functions", "setup.cfg and tox.ini",
    ),
}  # fmt: skip
"""Nothing of these is changed."""

"""Which language a file is written in, told from its name and its first line."""

from __future__ import annotations

import re

from askrepo.errors import UsageError
from askrepo.text.suggestions import nearest

_MAX_SHOWN_CHARS = 60

# Names are those of the grammars that split uses, where there is one; the others serve as filters only.
EXTENSIONS = {
    "asciidoc": "adoc asciidoc asc",
    "astro": "astro",
    "bash": "sh bash zsh ksh bats ebuild",
    "batch": "bat cmd",
    "c": "c h",
    "clojure": "clj cljs cljc edn",
    "cmake": "cmake",
    "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp inl tpp cu cuh ino",
    "csharp": "cs csx",
    "css": "css",
    "csv": "csv tsv",
    "dart": "dart",
    "dockerfile": "dockerfile containerfile",
    "dtd": "dtd",
    "elixir": "ex exs",
    "elm": "elm",
    "embedded_template": "erb ejs",
    "erlang": "erl hrl",
    "fortran": "f f77 f90 f95 f03 f08 for",
    "fsharp": "fs fsi fsx",
    "go": "go",
    "gotmpl": "gotmpl tmpl",
    "graphql": "graphql gql graphqls",
    "groovy": "groovy gradle jenkinsfile",
    "haskell": "hs lhs",
    "hcl": "hcl tf tfvars nomad",
    "heex": "heex leex",
    "html": "html htm xhtml",
    "ini": "ini cfg conf editorconfig gitconfig service desktop",
    "java": "java",
    "javascript": "js mjs cjs jsx",
    "jinja2": "j2 jinja jinja2",
    "json": "json geojson webmanifest avsc ndjson jsonl",
    "json5": "json5",
    "jsonc": "jsonc code-workspace",
    "jsonnet": "jsonnet libsonnet",
    "julia": "jl",
    "just": "just",
    "kdl": "kdl",
    "kotlin": "kt kts",
    "latex": "tex sty cls bib",
    "lua": "lua",
    "make": "mk mak make",
    "markdown": "md markdown mdx mdc mdown rmd qmd",
    "nix": "nix",
    "objc": "m mm",
    "ocaml": "ml mli",
    "org": "org",
    "perl": "pl pm t",
    "php": "php phtml",
    "powershell": "ps1 psm1 psd1",
    "properties": "properties",
    "proto": "proto",
    "python": "py pyi pyw pyx pxd ipynb",
    "r": "r",
    "racket": "rkt",
    "roff": "roff man mdoc",
    "rst": "rst rest",
    "ruby": "rb rake gemspec ru",
    "rust": "rs",
    "scala": "scala sc sbt",
    "scheme": "scm ss",
    "scss": "scss",
    "solidity": "sol",
    "sql": "sql ddl",
    "starlark": "bzl star bazel",
    "svelte": "svelte",
    "swift": "swift",
    "text": "txt text log",
    "thrift": "thrift",
    "toml": "toml",
    "tsx": "tsx",
    "typescript": "ts mts cts",
    "typst": "typ",
    "verilog": "v sv svh",
    "vim": "vim",
    "vue": "vue",
    "wat": "wat wast",
    "xml": "xml xsd xsl xslt svg plist csproj vbproj props targets pom xaml resx",
    "yaml": "yaml yml",
    "zig": "zig",
}
FILE_NAMES = {
    "bash": ".bashrc .bash_profile .profile .zshrc .envrc PKGBUILD",
    "cmake": "CMakeLists.txt",
    "dockerfile": "Dockerfile Containerfile",
    "gitignore": ".gitignore .dockerignore .gitattributes .npmignore .eslintignore .prettierignore .helmignore "
    ".airflowignore CODEOWNERS",
    "go": "go.mod go.work",
    "groovy": "Jenkinsfile",
    "ini": ".editorconfig .gitconfig .gitmodules .pylintrc .flake8 .coveragerc .npmrc .pypirc .condarc",
    "json": ".babelrc .eslintrc .prettierrc composer.lock Pipfile.lock flake.lock .jshintrc .swcrc",
    "just": "justfile Justfile .justfile",
    "make": "Makefile makefile GNUmakefile",
    "properties": ".env .env.example .env.sample .env.template",
    "ruby": "Gemfile Rakefile Vagrantfile Podfile Brewfile Fastfile Guardfile Capfile",
    "starlark": "BUILD WORKSPACE BUILD.bazel WORKSPACE.bazel MODULE.bazel Tiltfile BUCK",
    "text": "LICENSE LICENCE COPYING NOTICE AUTHORS CONTRIBUTORS MAINTAINERS README CHANGELOG CHANGES NEWS INSTALL "
    "TODO HISTORY THANKS VERSION requirements.txt requirements.in constraints.txt",
    "toml": "Pipfile Cargo.lock poetry.lock uv.lock pdm.lock Gopkg.lock",
    "vim": ".vimrc",
    "yaml": "pnpm-lock.yaml .clang-format .clang-tidy .yamllint",
}
PROSE = frozenset({"asciidoc", "latex", "markdown", "org", "roff", "rst", "text", "typst"})
"""Languages people read from top to bottom."""

SECTIONED = frozenset({"ini", "toml"})
"""Languages whose files are made of sections: each goes on until the next."""

LANGUAGES = frozenset({*EXTENSIONS, *FILE_NAMES})
"""Every language that a file may be of."""

# What people call some of them.
_OTHER_NAMES = {
    "c#": "csharp", "docker": "dockerfile", "f#": "fsharp", "golang": "go", "makefile": "make", "objective-c": "objc",
    "shell": "bash",
}  # fmt: skip

_BY_EXTENSION = {extension: language for language, names in EXTENSIONS.items() for extension in names.split()}
_BY_NAME = {name: language for language, names in FILE_NAMES.items() for name in names.split()}
# `tool.1`, `tool.1.in`: a section of the manual is no extension of its own.
_MANUAL = re.compile(r"\.(?:TH|SH|Dd|Dt|ig|nh|so|de)(?![a-z])|[.']\\\"")
# Names that people write in any case, and give to nothing else; `build` and `install` are scripts.
_BY_NAME_IN_ANY_CASE = {
    name.lower(): _BY_NAME[name]
    for name in (
        *(
            "Makefile",
            "GNUmakefile",
            "Dockerfile",
            "Containerfile",
            "Jenkinsfile",
            "Gemfile",
            "Rakefile",
            "Vagrantfile",
        ),
        *("CMakeLists.txt", "README", "LICENSE", "LICENCE", "COPYING", "CHANGELOG", "AUTHORS", "CONTRIBUTORS"),
    )
}
_INTERPRETERS = {
    "bash": "bash",
    "dash": "bash",
    "ksh": "bash",
    "sh": "bash",
    "zsh": "bash",
    "bun": "typescript",
    "deno": "typescript",
    "groovy": "groovy",
    "julia": "julia",
    "lua": "lua",
    "make": "make",
    "node": "javascript",
    "nodejs": "javascript",
    "perl": "perl",
    "php": "php",
    "pwsh": "powershell",
    "pypy": "python",
    "python": "python",
    "rscript": "r",
    "ruby": "ruby",
    "ts-node": "typescript",
    "uv": "python",
}


def language_of(path: str, *, first_line: str = "") -> str:
    """The language's name; "" when unknown.

    :param first_line: of the text, whose `#!` decides when the name does not, or the request that a manual begins with.
    """
    name = path.rsplit("/", 1)[-1]
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name.lower() in _BY_NAME_IN_ANY_CASE:
        return _BY_NAME_IN_ANY_CASE[name.lower()]
    stem, dot, extension = name.rpartition(".")
    if dot and extension.lower() in _BY_EXTENSION:
        return _BY_EXTENSION[extension.lower()]
    if stem.lower() in ("dockerfile", "containerfile"):  # Dockerfile.dev
        return "dockerfile"
    if first_line.startswith("#!"):
        return _language_of_shebang(first_line)
    return "roff" if _MANUAL.match(first_line) else ""


def check_language(name: str) -> str:
    """The language's name in our spelling.

    :raises UsageError: there is none of that name; the message suggests one, or lists them all.
    """
    folded = name.strip().lower()
    if folded in LANGUAGES:
        return folded
    meant = _OTHER_NAMES.get(folded) or _BY_EXTENSION.get(folded.lstrip(".")) or nearest(folded, LANGUAGES)
    advice = f"did you mean {meant!r}?" if meant else f"use one of: {', '.join(sorted(LANGUAGES))}"
    raise UsageError(f"no language {name[:_MAX_SHOWN_CHARS]!r}; {advice}")


def _language_of_shebang(line: str) -> str:
    words = [word for word in line[2:].split() if not word.startswith("-") and "=" not in word]
    programs = [word.rsplit("/", 1)[-1].lower() for word in words[:2]]
    if programs[:1] == ["env"]:
        programs = programs[1:]
    return _INTERPRETERS.get(programs[0].rstrip("0123456789."), "") if programs else ""

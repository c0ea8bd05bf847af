"""How a chunk holds a name that was typed: it defines, sets, documents or uses it, or does not hold it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from askrepo.files.languages import SECTIONED
from askrepo.search.lines import definition_line
from askrepo.search.question.mentions import Holds, Mention
from askrepo.search.signals.prior import is_changelog
from askrepo.types import Chunk

DOUBLES = frozenset({"test", "example", "generated", "vendored"})
"""Kinds of file that repeat names whose home is elsewhere."""

COPIES = frozenset({"generated", "vendored"})
"""Those of them that are made of something else."""

DECLARED = 4
"""How far a declaration is: behind all definitions."""

_DECLARATIONS = re.compile(r"\.d\.[cm]?ts$|\.pyi$", re.IGNORECASE)
_WITH_PROTOTYPES = frozenset({"c", "cpp", "objc"})

_KEY_LANGUAGES = SECTIONED | {"json", "json5", "jsonc", "properties", "yaml"}

_LOCK_FILE = re.compile(
    r"(?:^|/)(?:[^/]*[-_.]lock(?:\.\w+)?|package-lock\.json|npm-shrinkwrap\.json|go\.sum|requirements[^/]*\.txt)$",
    re.IGNORECASE,
)


def holds(chunk: Chunk, mention: Mention, *, any_case: bool = False) -> Holds | None:
    """What the chunk has of the name, None when it does not hold it.

    :param any_case: `session` counts as `Session`.
    """
    is_file = is_named_like(chunk.path, mention, any_case=any_case)
    is_path = is_file and PurePosixPath(chunk.path).name.lower() == PurePosixPath(mention.text).name.lower()
    if not is_path and _defines(chunk, mention, any_case=any_case):  # `io.c` is no `c` of `io`
        return Holds.DEFINES
    if is_file:
        return Holds.DEFINES if chunk.start_line <= (mention.line or 1) <= chunk.end_line else Holds.USES
    if not any_case and chunk.start_line == 1 and PurePosixPath(chunk.path).stem == mention.text:
        return Holds.NAMES_FILE
    if _is_nested_key(chunk, mention, any_case=any_case):
        return Holds.SETS
    is_whole = _whole(mention.text, any_case).search(chunk.text) is not None
    if not is_whole and not _is_inside_owner(chunk, mention, any_case=any_case):
        return None
    if mention.is_message:
        return Holds.USES
    if mention.is_flag and not is_double(chunk) and _option(mention.text).search(chunk.text):
        return Holds.DEFINES
    if _sets(mention.name, any_case).search(chunk.text):
        return Holds.SETS
    return Holds.DOCUMENTS if _documents(chunk, mention) else Holds.USES


def is_double(chunk: Chunk) -> bool:
    """Whether the chunk's file repeats what others say: tests, lists of changes, locks and generated copies."""
    return chunk.kind in DOUBLES or is_changelog(chunk) or _LOCK_FILE.search(chunk.path) is not None


def is_copy(chunk: Chunk) -> bool:
    """Whether the chunk's file repeats what is written elsewhere, and is the home of nothing."""
    return chunk.kind in COPIES


def distance(chunk: Chunk, mention: Mention) -> int:
    """How far a chunk that defines a name is from the one that was meant, 0 for the nearest.

    A path as a whole is nearer than its end; the definition is nearer than its declaration; what encloses it is nearer
    than the file or the package that does, at the top of a file nearer than inside of something else.
    """
    if is_named_like(chunk.path, mention, any_case=True):
        return 0 if chunk.path == mention.text.removeprefix("./").lstrip("/") else 1
    if mention.is_flag:
        return int(chunk.kind != "source")
    declared = DECLARED * declares(chunk, mention.name)
    if len(mention.parts) == 1:
        return declared + (mention.name not in chunk.symbols)  # `save` defines no `save!` where that is defined too
    scope = {part for each in (*chunk.scope, *chunk.symbols) for part in re.split(r"\W+", each)}
    inside = mention.text in chunk.symbols or mention.parts[-2] in scope or _is_enclosed(chunk, mention)
    return declared + (not inside) + (not inside and _is_indented(chunk, mention.name))


def declares(chunk: Chunk, name: str) -> bool:
    """Whether the chunk says only that a name is defined elsewhere: in a header, in types of JavaScript and Python."""
    if _DECLARATIONS.search(chunk.path):
        return True
    line = definition_line(chunk, name) if chunk.language in _WITH_PROTOTYPES else None
    if line is None:
        return False
    rest = "\n".join(chunk.text.split("\n")[line - chunk.start_line :])
    end = re.search(r"[;{]", rest)
    return end is not None and end[0] == ";" and "(" in rest[: end.start()]


def _is_indented(chunk: Chunk, name: str) -> bool:
    line = definition_line(chunk, name)
    return line is not None and chunk.text.split("\n")[line - chunk.start_line][:1].isspace()


def _defines(chunk: Chunk, mention: Mention, *, any_case: bool) -> bool:
    """Whether the chunk defines the name, inside of what qualifies it where that is said."""
    if mention.is_message:
        return False
    symbols = chunk.symbols if not any_case else tuple(symbol.lower() for symbol in chunk.symbols)
    name, text = (mention.name.lower(), mention.text.lower()) if any_case else (mention.name, mention.text)
    if text in symbols:
        return True
    if name.rstrip("?!") not in symbols and name not in symbols:
        return False
    if len(mention.parts) == 1:
        return True
    if chunk.language in _KEY_LANGUAGES:
        return _is_nested_key(chunk, mention, any_case=any_case)
    return mention.parts[-2].lower() in _around(chunk) or _is_enclosed(chunk, mention)


def defines_last_part(chunk: Chunk, mention: Mention) -> bool:
    """Whether the chunk defines the last part of a qualified name, wherever: `route` of `app.route`."""
    return len(mention.parts) > 1 and mention.name in chunk.symbols


def defines_in_package(chunk: Chunk, mention: Mention) -> bool:
    """Whether the chunk defines the last part, at the top of a file in the package that qualifies it.

    A package is called like its repository or a folder of it: `rayon::join`, `chi.URLParam`, `tokio_util::codec`.
    """
    if not defines_last_part(chunk, mention) or chunk.scope or is_double(chunk):
        return False
    packages = {chunk.repository.rpartition("/")[2], *chunk.path.split("/")[:-1]}
    return _as_package(mention.parts[-2]) in map(_as_package, packages)


def _as_package(name: str) -> str:
    """A package's name as all languages would spell it: `tokio-util` is `tokio_util`, `chart.js` is `chart`."""
    return name.lower().replace("-", "_").removesuffix(".js").removesuffix("_core")


def _around(chunk: Chunk) -> set[str]:
    """What may qualify a definition of the chunk: what encloses it, what it defines, its file, its folder."""
    path = PurePosixPath(chunk.path)
    scope = (part for each in chunk.scope for part in re.split(r"\W+", each))
    return {each.lower() for each in (*scope, *chunk.symbols, path.stem, path.parent.name)}


def _is_enclosed(chunk: Chunk, mention: Mention) -> bool:
    """Whether what qualifies the name stands on the line of its definition or on those around: `impl Pool {`."""
    line = definition_line(chunk, mention.name)
    if line is None:
        return False
    lines = chunk.text.split("\n")[: line - chunk.start_line + 1]
    before = sum(len(each) + 1 for each in lines[:-1])
    around = [lines[-1].partition(mention.name)[0], *_enclosing_lines(chunk.text, before, chunk.language)]
    owner = _whole(mention.parts[-2], False)
    return any(owner.search(each) for each in around)


def _is_inside_owner(chunk: Chunk, mention: Mention, *, any_case: bool) -> bool:
    """Whether the last part stands inside of what qualifies it: a column of a table, a field of a class."""
    if len(mention.parts) == 1 or chunk.language in _KEY_LANGUAGES or mention.is_message:
        return False
    owners = {each.lower() for each in (*chunk.scope, *chunk.symbols)}
    return mention.parts[-2].lower() in owners and _whole(mention.name, any_case).search(chunk.text) is not None


def is_named_like(path: str, mention: Mention, *, any_case: bool = False) -> bool:
    """Whether the file is the one that the name is of: a path, the end of one, or a module `package.module`."""
    if "." not in mention.text and "/" not in mention.text:
        return False
    asked = mention.text.removeprefix("./").lstrip("/")
    path, asked = (path.lower(), asked.lower()) if any_case else (path, asked)
    stem = str(PurePosixPath(path).with_suffix("")).removesuffix("/__init__").removesuffix("/init")
    ends = ((path, asked), (stem, asked.replace(".", "/"))) if "/" not in asked else ((path, asked),)
    return bool(asked) and any(whole == end or whole.endswith(f"/{end}") for whole, end in ends)


def _is_nested_key(chunk: Chunk, mention: Mention, *, any_case: bool) -> bool:
    """Whether a file of keys has the last part as a key inside of those before it: `port` below `server:`."""
    owners = mention.parts[:-1]
    if chunk.language not in _KEY_LANGUAGES or not owners or mention.is_message:
        return False
    around = (PurePosixPath(chunk.path).stem, *chunk.scope)
    for key in _sets(mention.name, any_case).finditer(chunk.text):
        outer = " ".join((*around, *_enclosing_lines(chunk.text, key.start(), chunk.language)))
        if all(_whole(owner, any_case).search(outer) for owner in owners):
            return True
    return False


def _enclosing_lines(text: str, at: int, language: str) -> Iterator[str]:
    """The lines above the line that begins at a place, as far as it is inside of them.

    Those that are indented less; in a file of sections the heading of its section.
    """
    depth = _depth(text[at:].partition("\n")[0])
    for each in filter(str.strip, reversed(text[:at].split("\n"))):
        if language in SECTIONED:
            if each.lstrip().startswith("["):
                yield each
                return
        elif _depth(each) < depth:
            yield each
            depth = _depth(each)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def whole_name(text: str, *, any_case: bool = False) -> re.Pattern[str]:
    """What finds the name, or the message, where nothing of a name goes on before or behind it."""
    return _whole(text, any_case)


@functools.lru_cache(maxsize=64)
def _whole(text: str, any_case: bool) -> re.Pattern[str]:
    """The text where nothing of a name goes on before or behind it; white space in a message is any."""
    body = r"\s+".join(re.escape(part) for part in text.split())
    before = r"(?<![\w-])" if text.startswith("-") else r"(?<!\w)" if re.match(r"\w", text) else ""
    behind = r"(?![\w-])" if text.startswith("-") else r"(?!\w)" if re.search(r"\w$", text) else ""
    return re.compile(f"{before}{body}{behind}", re.IGNORECASE if any_case else 0)


@functools.lru_cache(maxsize=64)
def _option(flag: str) -> re.Pattern[str]:
    """Where a program declares a flag or tells of it: beside its other form, or at the start of a line of help."""
    escaped = rf"(?<![\w-]){re.escape(flag)}(?![\w-])"
    between = r"(?:, ?| ?/ ?|\||[\"'`],\s{0,4}[\"'`])"
    argument = r"(?:[ =][\[<]?[A-Za-z][\w-]*[\]>]?){0,2}"
    return re.compile(
        rf"(?<![\w-])--?[A-Za-z][\w-]*{argument}{between}{escaped}|{escaped}{argument}{between}--?[A-Za-z]"
        rf"|^[^\w\n]{{0,12}}{escaped}{argument}(?: {{2,}}|\t)\S|^\s*[\"'`]\s*{escaped}[ =]",
        re.MULTILINE,
    )


@functools.lru_cache(maxsize=64)
def _sets(name: str, any_case: bool) -> re.Pattern[str]:
    """A line that gives the name a value: an assignment, a key, a definition of the preprocessor or the shell."""
    mark = r"(?:[-*+>|][ \t]*)?"
    words = r"(?:[\w.<>\[\],*&]+[ \t]+){0,5}"  # "export", "private static final int"
    quoted = rf"[\"'`\[$@]{{0,2}}{re.escape(name)}[\"'`\]]{{0,2}}"
    value = r"[ \t]*(?:[:?+]?=(?![=>])|:(?![:\w]))"
    define = rf"[ \t]*#[ \t]*define[ \t]+{re.escape(name)}\b"
    pattern = rf"^(?:[ \t]*{mark}{words}{quoted}{value}|{define})"
    return re.compile(pattern, re.MULTILINE | (re.IGNORECASE if any_case else 0))


def _documents(chunk: Chunk, mention: Mention) -> bool:
    """Whether a page says what the name is: in a heading, or in code font."""
    if chunk.kind != "doc":
        return False
    return f"`{mention.text}" in chunk.text or _any_has((*chunk.symbols, *chunk.scope), mention.text)


def _any_has(texts: Iterable[str], name: str) -> bool:
    return any(name in text for text in texts)

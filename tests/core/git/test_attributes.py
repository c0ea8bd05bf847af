import random
import subprocess
import time

import pytest

from askrepo.errors import LimitExceededError
from askrepo.git import attributes
from askrepo.git.attributes import ATTRIBUTES, Attributes
from tests.core.trees import write_object

PATHS = [
    b"a", b"b", b"ab", b"a/b", b"b/a", b"a/a/b", b"a/b/b", b"ab/a.c", b"a.c", b"b/ab/a.c", b"a/b/a/b/a.c", b"a[b",
    b"a b", b"a\\b", b"*", b"a/?", b"-a", b"A", b"a/.b", b".b/a", b"aab/bba", b"aaab", b"b/aab.c", b"ba/b/aab",
    b'q"a', b"\xc3\xa9/a", b"a-b", b"a]b", b"a^b", b"5", b"a/5.c",
]  # fmt: skip


def by_git(repository, files: dict[bytes, bytes], paths: list[bytes]) -> list[dict[str, bool]]:
    """What git itself declares of the paths, from an index that holds the files."""
    repository.git("read-tree", "--empty")
    for folder, content in files.items():
        path = folder + b"/.gitattributes" if folder else b".gitattributes"
        entry = b"100644 " + write_object(repository, "blob", content).encode() + b"\t" + path + b"\0"
        command = ["git", "update-index", "-z", "--index-info"]
        subprocess.run(command, cwd=repository.path, input=entry, capture_output=True, check=True)
    answer = subprocess.run(
        ["git", "check-attr", "--cached", "--stdin", "-z", *ATTRIBUTES],
        cwd=repository.path, input=b"".join(path + b"\0" for path in paths), capture_output=True, check=True,
    ).stdout.split(b"\0")  # fmt: skip
    values = answer[2::3]
    declared = []
    for at in range(0, len(values) - 1, 2):
        pairs = zip(ATTRIBUTES, values[at : at + 2], strict=True)
        declared.append({name: value not in (b"unset", b"false") for name, value in pairs if value != b"unspecified"})
    return declared


def made_pattern(rng: random.Random) -> bytes:
    pieces = [
        b"a", b"b", b"a", b"b", b"/", b"/", b"*", b"*", b"**", b"**/", b"/**/", b"/**", b"?", b"[ab]", b"[!a]",
        b"[a-c]", b"[^b]", b"[]b]", b"[[:alpha:]]", b"[[:digit:]a]", b"[a", b"\\*", b"\\a", b".c", b".", b"\\",
        b"[a\\-c]", b"-", b"***", b"[!/]", b"[--/]", b"[[:foo:]]",
    ]  # fmt: skip
    return b"".join(rng.choice(pieces) for _ in range(rng.randint(1, 7)))


def made_file(rng: random.Random, *, is_root: bool) -> bytes:
    says = [
        b"linguist-generated", b"-linguist-generated", b"!linguist-generated", b"linguist-vendored=true",
        b"linguist-vendored=false", b"linguist-generated=unset", b"linguist-generated=unspecified", b"made", b"-made",
        b"other", b"linguist-generated=", b"text -linguist-vendored", b"b@d linguist-generated", b"twice", b"!made",
    ]  # fmt: skip
    lines = [b"# linguist-generated", b""]
    if is_root:
        lines += [b"[attr]made linguist-generated -linguist-vendored", b"[attr]twice made linguist-vendored"]
        lines += rng.choice([[], [b"[attr]made -linguist-generated"], [b"[attr]binary linguist-generated"]])
    for _ in range(rng.randint(1, 6)):
        pattern = made_pattern(rng)
        if rng.random() < 0.2:
            pattern = b'"' + pattern.replace(b"\\", b"\\\\") + b'"'
        lines.append(rng.choice([b"", b"  ", b"\t"]) + pattern + b" " + rng.choice(says) + rng.choice([b"", b"\r"]))
    return b"\n".join(lines) + rng.choice([b"", b"\n"])


@pytest.mark.parametrize("seed", range(40))
def test_declarations_are_those_of_git(make_repository, seed):
    rng = random.Random(seed)
    files = {b"": made_file(rng, is_root=True)}
    files |= {folder: made_file(rng, is_root=False) for folder in (b"a", b"a/b", b"b") if rng.random() < 0.7}

    declarations = Attributes(files)

    expected = dict(zip(PATHS, by_git(make_repository(), files, PATHS), strict=True))
    assert {path: dict(declarations.declared(path)) for path in PATHS} == expected


LONG = b"/".join([b"a" * 7] * 500)


@pytest.mark.parametrize(
    "pattern",
    [
        b"**/*a*" * 40 + b"b",
        b"**/*a*/" * 200 + b"b",
        b"**/a*/" * 300 + b"b",
        b"*a" * 900 + b"b",
        b"/" + b"*[ab]?" * 300 + b"b",
        b"**/" + b"*a*/" * 400 + b"b",
        b"**/*" + b"a" * 1900 + b"b",
        b"*" * 1900 + b"b",
        b"**/" * 600 + b"b",
        b"[" * 1900,
    ],
    ids=lambda pattern: pattern[:12].decode(),
)
def test_no_pattern_takes_long(pattern):
    declarations = Attributes({b"": pattern + b" linguist-generated\n"})
    started = time.process_time()

    for path in (LONG, b"a" * 4000, b"/".join([b"a"] * 2000)):
        assert declarations.declared(path) == {}

    assert time.process_time() - started < 2


def test_too_much_work_is_refused_wherever_it_is_done(monkeypatch):
    monkeypatch.setattr(attributes, "MAX_COST", 10_000)
    few, many = b"*a linguist-generated\n", b"*a*b linguist-generated\n" * 10
    declarations = Attributes({b"": many})

    with pytest.raises(LimitExceededError, match="gitattributes"):
        list(map(declarations.declared, [b"some/path"] * 1000))
    with pytest.raises(LimitExceededError, match="gitattributes"):
        Attributes({b"": few * 100})


def test_macros_that_name_one_another_end():
    chain = b"".join(b"[attr]m%d m%d\n" % (number, number + 1) for number in range(5000))
    chain += b"[attr]m5000 m0 linguist-vendored\n* m0\n"

    assert Attributes({b"": chain}).declared(b"a") == {"linguist-vendored": True}


def test_overlong_line_and_what_follows_a_nul_do_not_count():
    content = b"a" * 3000 + b" linguist-generated\n*.py linguist-vendored\n\0\n* linguist-generated\n"

    assert Attributes({b"": content}).declared(b"a.py") == {"linguist-vendored": True}

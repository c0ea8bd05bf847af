"""A dataset answers exactly, and says so when it is not what was published."""

import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from askrepo.errors import (
    DatasetCorruptedError,
    EmbedderMismatchError,
    StorageError,
    UsageError,
)
from askrepo.store import inventory, verification
from askrepo.store.opening import open_dataset
from askrepo.store.reader import DatasetReader, Filter
from askrepo.store.verification import open_verified
from askrepo.types import DatasetManifest
from askrepo.workspace.objects import Workspace
from tests.core.datasets import DIMENSION, rows_of, unit_vectors, write_dataset

ROWS = 1500
LANGUAGES = ("python", "markdown", "rust")
KINDS = ("source", "doc", "test")
VECTORS = unit_vectors(ROWS)
FULL: list[dict[str, Any]] = [
    {
        "id": f"{at:032x}",
        "path": f"{'src' if at % 2 else 'docs'}/part_{at % 7}/file{at // 50}.x",
        "repository": "owner/name" if at % 3 else "other/name",
        "language": LANGUAGES[at % 3],
        "kind": KINDS[at % 3],
        "symbols": "" if at % 2 else "main run",
        "scope": "" if at % 2 else "Main > run",
        "start_line": 10 * (50 - at % 50),
        "end_line": 10 * (50 - at % 50) + 9,
        "lexemes": f"word{at % 10} word{at % 9} common own{at}",
    }
    for at in range(ROWS)
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, DatasetManifest]:
    workspace = Workspace.open(str(tmp_path_factory.mktemp("reader") / "workspace"))
    return workspace, write_dataset(workspace, rows_of(FULL, VECTORS))


@pytest.fixture
def reader(published: tuple[Workspace, DatasetManifest]) -> DatasetReader:
    workspace, manifest = published
    return open_dataset(workspace.url_of(manifest.dataset), manifest=manifest)


def expected_nearest(question: np.ndarray, limit: int, allowed: list[int] | None = None) -> list[str]:
    scores = VECTORS @ question
    rows = range(ROWS) if allowed is None else allowed
    return [FULL[at]["id"] for at in sorted(rows, key=lambda at: -scores[at])[:limit]]


@pytest.mark.parametrize("limit", [1, 10, 100, 250])
def test_nearest_is_exact(reader, limit):
    question = unit_vectors(1, seed=9)[0]

    found = reader.nearest(question, limit=limit)

    assert [scored.chunk.id for scored in found] == expected_nearest(question, limit)
    assert found[0].score == pytest.approx(float((VECTORS @ question).max()), abs=1e-5)


def test_a_chunk_comes_back_as_it_was_stored(reader):
    chunk = reader.chunk(f"{2:032x}")

    assert (chunk.path, chunk.symbols, chunk.scope) == ("docs/part_2/file0.x", ("main", "run"), ("Main", "run"))
    assert reader.chunk(f"{3:032x}").symbols == reader.chunk(f"{3:032x}").scope == ()
    assert type(chunk.start_line) is int


@pytest.mark.parametrize(
    ("where", "allowed"),
    [
        (Filter(repository="other/name"), lambda at: at % 3 == 0),
        (Filter(language=("rust",)), lambda at: at % 3 == 2),
        (Filter(language=("rust", "markdown")), lambda at: at % 3 > 0),
        (Filter(kind=("test",), path=("src/*",)), lambda at: at % 3 == 2 and at % 2 == 1),
        (Filter(path=("docs/part_1/*", "**/file0.x")), lambda at: (at % 2 == 0 and at % 7 == 1) or at < 50),
        (Filter(path=("*/part_[12]/*",)), lambda at: at % 7 in (1, 2)),
    ],
)
def test_filters_keep_the_search_exact(reader, where, allowed):
    question = unit_vectors(1, seed=4)[0]
    rows = [at for at in range(ROWS) if allowed(at)]

    found = [scored.chunk.id for scored in reader.nearest(question, limit=20, where=where)]

    assert found == expected_nearest(question, 20, rows)


def test_more_is_fetched_when_the_exact_path_test_leaves_too_few(reader):
    # LIKE cannot say "one of these characters", so the store returns every path that ends like the few wanted.
    where = Filter(path=("[s]rc/part_[1]/file[2]?.x",))
    wanted = {row["id"] for at, row in enumerate(FULL) if at % 2 and at % 7 == 1 and 20 <= at // 50 < 30}

    found = reader.nearest(VECTORS[0], limit=len(wanted), where=where)

    assert {scored.chunk.id for scored in found} == wanted


@pytest.mark.parametrize(
    "where",
    [Filter(repository="it's; --"), Filter(language=("py' OR '1'='1",)), Filter(path=("x' OR path LIKE '%",))],
)
def test_hostile_filters_find_nothing(reader, where):
    assert reader.nearest(VECTORS[0], limit=10, where=where) == []
    assert reader.lexical(["common"], limit=10, where=where) == []


def test_lexical_finds_by_rare_term_first(reader):
    found = reader.lexical(["own77", "common"], limit=10)

    assert found[0].chunk.id == FULL[77]["id"]
    assert len(found) == 10
    assert found[0].score > found[1].score > 0


def test_equal_scores_are_ordered_by_id(reader):
    found = reader.lexical(["common"], limit=ROWS)

    assert len(found) == ROWS
    keys = [(-scored.score, scored.chunk.id) for scored in found]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    "terms",
    [[], ["", " "], ["\0"], ["'"], ["nothing_has_this"], ["'; DROP", '"', "\\", "?", "%"]],
    ids=["none", "blank", "NUL", "quote", "unknown", "hostile"],
)
def test_terms_without_a_match_find_nothing(reader, terms):
    assert reader.lexical(terms, limit=10) == []


def test_nul_in_a_term_does_not_cut_the_query(reader):
    assert reader.lexical(["own5\0own6", "own7"], limit=3) != []


def test_a_question_of_100000_characters_is_answered(reader):
    found = reader.lexical([f"noise{at}" for at in range(10_000)] + ["own3"], limit=5)

    assert [scored.chunk.id for scored in found] == [FULL[3]["id"]]


@pytest.mark.parametrize("size", [DIMENSION - 1, DIMENSION + 1, 384])
def test_a_vector_of_another_embedder_is_refused(reader, size):
    with pytest.raises(EmbedderMismatchError, match=f"dimension {size}.*have {DIMENSION}"):
        reader.nearest(np.ones(size, dtype=np.float32), limit=1)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_vector_without_direction_is_refused(reader, value):
    with pytest.raises(UsageError, match="zero or not finite"):
        reader.nearest(np.full(DIMENSION, value, dtype=np.float32), limit=1)


def test_a_limit_below_one_is_refused(reader):
    with pytest.raises(UsageError, match="limit"):
        reader.nearest(VECTORS[0], limit=0)


def test_vectors_are_found_by_vector_id(reader):
    wanted = random.Random(1).sample(range(ROWS), 100)

    found = reader.vectors([f"v{at}" for at in wanted] + ["unknown"])

    assert found.keys() == {f"v{at}" for at in wanted}
    assert all(np.array_equal(found[f"v{at}"], VECTORS[at]) for at in wanted)


def test_vectors_are_found_by_chunk_id(reader):
    found = reader.vectors_of([FULL[5]["id"], "unknown", FULL[1]["id"]])

    assert found.keys() == {FULL[5]["id"], FULL[1]["id"]}
    assert np.array_equal(found[FULL[5]["id"]], VECTORS[5])


def test_nothing_asked_is_nothing_found(reader):
    assert reader.vectors([]) == reader.vectors(["unknown"]) == reader.vectors_of([]) == reader.chunks([]) == {}


def test_the_chunks_of_a_file_come_in_line_order(reader):
    chunks = reader.file_chunks("owner/name", FULL[7]["path"])

    lines = [chunk.start_line for chunk in chunks]
    assert len(lines) > 1
    assert lines == sorted(lines)
    assert {chunk.path for chunk in chunks} == {FULL[7]["path"]}


@pytest.mark.parametrize("path", ["missing.py", "a\0b", "half \ud800", "it's"])
def test_a_file_the_dataset_lacks_has_no_chunks(reader, path):
    assert reader.file_chunks("owner/name", path) == []


def test_an_unknown_chunk_is_named(reader):
    with pytest.raises(UsageError, match="no chunk 'nope'"):
        reader.chunk("nope")


def test_an_undamaged_dataset_is_verified(reader):
    open_verified(reader.url, manifest=reader.manifest)


# --- looking up by name -------------------------------------------------------------------------------------------


def test_frequencies_are_those_of_a_plain_count(reader):
    terms = ["common", "word3", "own77", "own7", "own", "word", "missing"]

    assert reader.frequencies(terms) == {term: sum(term in row["lexemes"].split() for row in FULL) for term in terms}


def test_frequencies_count_what_lexical_finds(reader):
    found = reader.lexical(["word3"], limit=ROWS)

    assert reader.frequencies(["word3"]) == {"word3": len(found)}


def test_nothing_is_counted_for_no_terms_and_for_what_is_no_word(reader):
    assert reader.frequencies([]) == {}
    assert reader.frequencies(["\N{BENGALI CURRENCY NUMERATOR ONE}", "?"]) == {
        "\N{BENGALI CURRENCY NUMERATOR ONE}": 0,
        "?": 0,
    }


NAMED = {
    "lib/list.rb": "empty? save! $scope each",
    "lib/void.rb": "Empty",
    "src/http.py": "HttpClient load_and_split __init__",
    "src/http_client.py": "Session.send Session",
    "src/operators.cc": "operator== ~Foo foo-bar",
    "src/größe.py": "Größe naïve",
    "src/quote.py": "it's",
    "index.ts": "Index",
    "web/index.ts": "Index",
    "web/windex.ts": "Index",
    "deep/web/index.ts": "",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> DatasetReader:
    workspace = Workspace.open(str(tmp_path_factory.mktemp("named") / "workspace"))
    kinds = {"lib": "test"}
    rows = [
        {"path": path, "symbols": symbols, "kind": kinds.get(path.split("/")[0], "source")}
        for path, symbols in NAMED.items()
    ]
    manifest = write_dataset(workspace, rows_of(rows))
    return open_dataset(workspace.url_of(manifest.dataset), manifest=manifest)


def paths_of(chunks) -> list[str]:
    return [chunk.path for chunk in chunks]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("HttpClient", "src/http.py"),
        ("httpclient", "src/http.py"),
        ("HTTPCLIENT", "src/http.py"),
        ("load_and_split", "src/http.py"),
        ("LOAD_and_split", "src/http.py"),
        ("__init__", "src/http.py"),
        ("empty?", "lib/list.rb"),
        ("EMPTY?", "lib/list.rb"),
        ("save!", "lib/list.rb"),
        ("$scope", "lib/list.rb"),
        ("empty", "lib/void.rb"),
        ("Session.send", "src/http_client.py"),
        ("operator==", "src/operators.cc"),
        ("~Foo", "src/operators.cc"),
        ("foo-bar", "src/operators.cc"),
        ("größe", "src/größe.py"),
        ("naïve", "src/größe.py"),
        ("it's", "src/quote.py"),
    ],
)
def test_a_definition_is_found_by_its_whole_name_in_any_case(named, name, path):
    assert paths_of(named.defining([name], limit=10)) == [path]


@pytest.mark.parametrize(
    "name", ["Http", "load", "send", "init", "scope", "save", "foo", "==", "?", "", "a\0b", "\ud800"]
)
def test_a_part_of_a_name_is_no_definition(named, name):
    assert named.defining([name], limit=10) == []


def test_a_chunk_that_defines_several_names_comes_once_and_names_in_their_order(named):
    assert paths_of(named.defining(["$scope", "HttpClient", "save!"], limit=10)) == ["lib/list.rb", "src/http.py"]
    assert named.defining([], limit=10) == []


def test_definitions_are_found_among_many_rows(reader):
    found = reader.defining(["run"], limit=ROWS)

    assert {chunk.id for chunk in found} == {row["id"] for row in FULL if row["symbols"]}
    assert len(reader.defining(["run"], limit=7)) == 7


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("index.ts", ["index.ts", "web/index.ts", "deep/web/index.ts"]),
        ("web/index.ts", ["web/index.ts", "deep/web/index.ts"]),
        ("deep/web/index.ts", ["deep/web/index.ts"]),
        ("ndex.ts", []),
        ("Index.ts", []),
        ("größe.py", ["src/größe.py"]),
        ("li[s]t.rb", []),
        ("%", []),
        ("a\0b", []),
        ("it's", []),
    ],
)
def test_files_are_found_by_the_end_of_their_path(named, name, paths):
    assert paths_of(named.of_files([name], limit=10)) == paths


def test_a_file_is_found_behind_many_chunks_of_files_whose_name_only_ends_alike(workspace):
    rows = [{"path": "a/domain.py", "start_line": line} for line in range(1, 12)] + [{"path": "src/main.py"}]
    manifest = write_dataset(workspace, rows_of(rows))
    reader = open_dataset(workspace.url_of(manifest.dataset), manifest=manifest)

    assert paths_of(reader.of_files(["main.py"], limit=10)) == ["src/main.py"]


def test_files_at_paths_are_those_very_files(named):
    found = named.at_paths(["web/index.ts", "index.ts", "missing", "it's"], limit=10)

    assert sorted(paths_of(found)) == ["index.ts", "web/index.ts"]
    assert len(named.at_paths(list(NAMED), limit=3)) == 3


@pytest.mark.parametrize(
    "look_up",
    [
        lambda reader, where: reader.defining(["empty?", "HttpClient"], limit=10, where=where),
        lambda reader, where: reader.of_files(["list.rb", "http.py"], limit=10, where=where),
        lambda reader, where: reader.at_paths(["lib/list.rb", "src/http.py"], limit=10, where=where),
    ],
    ids=["defining", "of_files", "at_paths"],
)
@pytest.mark.parametrize(
    ("where", "paths"),
    [
        (Filter(kind=("test",)), ["lib/list.rb"]),
        (Filter(path=("src/*",)), ["src/http.py"]),
        (Filter(path=("[s]rc/*",)), ["src/http.py"]),
        (Filter(path=("src/[a-g]*", "lib/[x-z]*")), []),
        (Filter(repository="other/name"), []),
        (Filter(language=("rust",)), []),
        (Filter(), ["lib/list.rb", "src/http.py"]),
    ],
)
def test_filters_are_obeyed_by_look_ups(named, look_up, where, paths):
    assert paths_of(look_up(named, where)) == paths


# --- damage ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(workspace: Workspace) -> tuple[Path, DatasetManifest]:
    texts = [{"text": f"text {at} " * 20, "lexemes": f"word{at} common"} for at in range(200)]
    manifest = write_dataset(workspace, rows_of(texts, unit_vectors(200)))
    return Path(workspace.url_of(manifest.dataset)), manifest


def damaging_files(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "askrepo-files.json"]
    return sorted(files, key=lambda path: -path.stat().st_size)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 2, min(len(content) // 2 + 16, len(content))):
        content[at] ^= 0xFF
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink], ids=["flipped", "truncated", "removed"])
@pytest.mark.parametrize("which", range(0, 40, 4))
def test_damage_to_any_file_is_found(small, damage, which):
    folder, manifest = small
    damage(damaging_files(folder)[which])

    with pytest.raises(DatasetCorruptedError, match="askrepo rollback"):
        open_verified(str(folder), manifest=manifest)


def test_damaged_rows_are_found_without_the_list_of_files(small):
    # What a remote store has: no list, only the digest. Vectors are damaged, since damaged text may crash Deep Lake.
    folder, _ = small
    vectors = unit_vectors(200)[90:110].tobytes()
    flip(next(path for path in folder.rglob("*") if path.is_file() and vectors in path.read_bytes()))
    (folder / "askrepo-files.json").unlink()

    with pytest.raises(DatasetCorruptedError, match="digest of its rows"):
        verification.check_rows(open_dataset(str(folder)))


@pytest.mark.parametrize("damage", [truncate, Path.unlink], ids=["truncated", "removed"])
def test_a_file_of_another_size_is_found_on_opening(small, damage):
    folder, manifest = small
    damage(damaging_files(folder)[0])

    with pytest.raises(DatasetCorruptedError, match="1 of its files changed"):
        open_dataset(str(folder), manifest=manifest)


def without(folder):
    (folder / "askrepo-files.json").unlink()


def emptied(folder):
    (folder / "askrepo-files.json").write_text("{}")


def renewed(folder):
    flip(damaging_files(folder)[0])
    inventory.write(folder)


@pytest.mark.parametrize("change", [without, emptied, renewed])
def test_the_list_of_files_is_the_one_that_the_entry_means(small, change):
    folder, manifest = small
    change(folder)

    with pytest.raises(DatasetCorruptedError, match=r"askrepo-files.json, the list of its files, (is missing|changed)"):
        open_dataset(str(folder), manifest=manifest)


def test_the_list_of_a_dataset_of_an_earlier_version_is_believed_and_required(small):
    folder, manifest = small
    earlier = replace(manifest, inventory="")
    assert open_dataset(str(folder), manifest=earlier).manifest == earlier
    flip(damaging_files(folder)[0])
    with pytest.raises(DatasetCorruptedError, match="1 of its files changed"):
        open_dataset(str(folder), manifest=earlier)
    without(folder)
    with pytest.raises(DatasetCorruptedError, match="list of its files, is missing"):
        open_dataset(str(folder), manifest=earlier)


def test_an_unreadable_list_of_files_is_damage(small):
    folder, manifest = small
    (folder / "askrepo-files.json").write_text("[1")

    with pytest.raises(DatasetCorruptedError, match="cannot be read"):
        open_dataset(str(folder), manifest=replace(manifest, inventory=""))


def test_a_missing_dataset_is_named(tmp_path):
    with pytest.raises(DatasetCorruptedError, match="nowhere is missing"):
        open_dataset(str(tmp_path / "nowhere"))


def test_an_emptied_folder_is_a_damaged_dataset(small):
    folder, manifest = small
    for path in damaging_files(folder):
        path.unlink()

    with pytest.raises(DatasetCorruptedError):
        open_dataset(str(folder), manifest=manifest)


def test_a_manifest_of_another_dataset_is_refused(small):
    folder, manifest = small

    with pytest.raises(DatasetCorruptedError, match="the alias means 00000000"):
        open_dataset(str(folder), manifest=replace(manifest, digest="0" * 64))


def test_a_wrong_stamp_of_the_dimension_is_found(workspace, small):
    folder, manifest = small
    reader = open_dataset(str(folder), manifest=manifest)
    reader.manifest = replace(manifest, embedder=replace(manifest.embedder, dimension=3))

    with pytest.raises(DatasetCorruptedError, match="dimension 16"):
        verification.check_dimension(reader)


def test_a_store_that_does_not_answer_is_found_out_in_seconds(monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "hush",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    started = time.monotonic()

    with pytest.raises(StorageError, match="cannot be reached") as caught:
        open_dataset("s3://bucket/datasets/main/one")

    assert time.monotonic() - started < 10
    assert "hush" not in str(caught.value)


def test_importing_the_reader_loads_nothing_heavy():
    code = (
        "import sys, askrepo.store.reader, askrepo.aliases.catalogue;"
        "print([name for name in ('deeplake', 'numpy', 'pyarrow', 'obstore') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"


ODD_FOLDERS = (
    "(shop)",
    "(",
    ")",
    "c++",
    "+",
    "a{2}",
    "a|b",
    "|",
    "$(x)",
    "$",
    "^a",
    "\\d",
    "a.b",
    "~&;,=@#",
    "it's",
    "ü",
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> DatasetReader:
    workspace = Workspace.open(str(tmp_path_factory.mktemp("odd") / "workspace"))
    manifest = write_dataset(workspace, rows_of([{"path": f"app/{folder}/page.tsx"} for folder in ODD_FOLDERS]))
    return open_dataset(workspace.url_of(manifest.dataset), manifest=manifest)


@pytest.mark.parametrize("folder", ODD_FOLDERS)
def test_what_means_something_in_a_regular_expression_stands_for_itself_in_a_path(odd: DatasetReader, folder: str):
    path = f"app/{folder}/page.tsx"
    for glob in (path, f"app/{folder}/*", f"**/{folder}/page.*"):
        found = odd.nearest(VECTORS[0], limit=100, where=Filter(path=(glob,)))
        assert {each.chunk.path for each in found} == {path}, glob
    assert path in {chunk.path for chunk in odd.of_files([f"{folder}/page.tsx"], limit=100)}

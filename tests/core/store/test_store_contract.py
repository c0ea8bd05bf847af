"""What the store's modules rely on of Deep Lake, mostly undocumented: an upgrade has to pass these first."""

import gc
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askrepo.store import tql
from askrepo.store.deeplake import load_deeplake
from tests.core.datasets import unit_vectors

deeplake = load_deeplake()
types = deeplake.types

ROWS, DIMENSION = 3000, 64
VECTORS = unit_vectors(ROWS, DIMENSION)
QUESTIONS = unit_vectors(10, DIMENSION, seed=1)
CLOSENESS = "COSINE_SIMILARITY(vector, {})"


def create(folder: Path, texts: list[str], vectors: np.ndarray, *, index: bool) -> Any:
    schema = {"id": types.Text(types.Exact), "text": types.Text(), "lexemes": types.Text(types.BM25)}
    dataset = deeplake.create(str(folder), schema={**schema, "vector": types.Embedding(vectors.shape[1])})
    dataset.indexing_mode = deeplake.IndexingMode.Off
    dataset.append({"id": texts, "text": texts, "lexemes": texts, "vector": vectors})
    dataset.commit()
    if index:
        dataset.indexing_mode = deeplake.IndexingMode.Always
        dataset.build_indexes()
    return dataset


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contract") / "indexed"
    create(folder, [f"row{at}" for at in range(ROWS)], VECTORS, index=True)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contract") / "small"
    texts = ["load_and_split file", "alpha beta", "a_b", "axb", "100%", "naïve"]
    create(folder, texts, unit_vectors(len(texts)), index=True)
    return folder


def neighbours(dataset: Any, question: np.ndarray, limit: int = 100) -> list[str]:
    score = CLOSENESS.format(tql.vector_literal(question))
    return list(dataset.query(f"SELECT id, {score} AS score ORDER BY {score} DESC LIMIT {limit}")["id"][:])


def true_neighbours(question: np.ndarray, limit: int = 100) -> set[str]:
    return {f"row{at}" for at in np.argsort(-(VECTORS @ question))[:limit]}


def recall(find: Callable[[np.ndarray], list[str]]) -> float:
    return float(np.mean([len(true_neighbours(q) & set(find(q))) / 100 for q in QUESTIONS]))


def test_importing_starts_no_crash_reporter():
    # The reporter's folder appears in TMPDIR as soon as it runs; sockets were watched by hand, see load_deeplake.
    import subprocess
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        code = (
            "import os, tempfile; from askrepo.store.deeplake import load_deeplake; before = dict(os.environ);"
            "load_deeplake(); assert dict(os.environ) == before; print(tempfile.gettempdir())"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], env={"TMPDIR": folder, "PATH": ""}, capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == folder
        assert list(Path(folder).iterdir()) == []


def test_factor_100_makes_literal_queries_exact(indexed):
    dataset = deeplake.open_read_only(str(indexed))
    dataset.query_config.cluster_search_accuracy_factor = 100

    assert recall(lambda question: neighbours(dataset, question)) == 1.0


@pytest.mark.parametrize(
    "vectors",
    [
        VECTORS[:1],
        VECTORS[:99],
        VECTORS,
        np.tile(VECTORS[:1], (5000, 1)),
        np.repeat(VECTORS[:2], 3000, axis=0),
        np.repeat(unit_vectors(50, DIMENSION, seed=2), 100, axis=0) * 0.9 + unit_vectors(5000, DIMENSION, seed=3) * 0.1,
    ],
    ids=["one", "few", "random", "equal", "two", "clusters"],
)
def test_factor_100_is_exact_without_any_round_of_k_means(vectors, tmp_path):
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    dataset = create(tmp_path / "dataset", [f"t{at}" for at in range(len(vectors))], vectors, index=False)
    dataset.indexing_config.build_multiplier = 0
    dataset.indexing_mode = deeplake.IndexingMode.Always
    dataset.build_indexes()
    opened = deeplake.open_read_only(str(tmp_path / "dataset"))
    opened.query_config.cluster_search_accuracy_factor = 100

    for question in QUESTIONS:
        closeness = CLOSENESS.format(tql.vector_literal(question))
        found = opened.query(f"SELECT id ORDER BY {closeness} DESC LIMIT 100")["id"][:]
        similarities = vectors @ question
        wanted = min(100, len(vectors))
        places = [int(name[1:]) for name in found]
        assert len(set(places)) == wanted
        assert similarities[places].min() >= np.sort(similarities)[-wanted] - 1e-5


def test_the_default_factor_misses_neighbours(indexed):
    dataset = deeplake.open_read_only(str(indexed))

    assert recall(lambda question: neighbours(dataset, question)) < 0.95


def test_prepared_queries_ignore_the_factor(indexed):
    dataset = deeplake.open_read_only(str(indexed))
    dataset.query_config.cluster_search_accuracy_factor = 100
    score = CLOSENESS.format("?")
    prepared = dataset.prepare_query(f"SELECT id, {score} AS score ORDER BY {score} DESC LIMIT 100")

    assert recall(lambda question: list(prepared.run_batch([[question, question]])[0]["id"][:])) < 0.95


def test_a_small_limit_probes_fewer_clusters(indexed):
    dataset = deeplake.open_read_only(str(indexed))

    def cut(limit: int) -> float:
        found = [set(neighbours(dataset, q, limit)[:10]) & true_neighbours(q, 10) for q in QUESTIONS]
        return float(np.mean([len(hits) / 10 for hits in found]))

    assert cut(10) < cut(100)


def test_only_always_builds_indexes(tmp_path):
    # Without a BM25 index every query reads every row; the query planner tells which it is.
    files = {}
    for mode in ("Automatic", "Always"):
        dataset = create(tmp_path / mode, [f"row{at}" for at in range(200)], unit_vectors(200), index=False)
        dataset.indexing_mode = getattr(deeplake.IndexingMode, mode)
        before = sum(1 for path in (tmp_path / mode).rglob("*") if path.is_file())
        dataset.build_indexes()
        files[mode] = sum(1 for path in (tmp_path / mode).rglob("*") if path.is_file()) - before

    assert files["Automatic"] == 0
    assert files["Always"] > 0


def test_rows_appended_after_indexing_are_lost_to_search(tmp_path):
    dataset = create(tmp_path / "grown", [f"row{at}" for at in range(2000)], VECTORS[:2000], index=True)
    dataset.append(
        {
            "id": [f"row{at}" for at in range(2000, 2200)],
            "text": ["new"] * 200,
            "lexemes": ["new"] * 200,
            "vector": VECTORS[2000:2200],
        }
    )
    dataset.commit()

    reader = deeplake.open_read_only(str(tmp_path / "grown"))
    found = sum(f"row{at}" in neighbours(reader, VECTORS[at], 5) for at in range(2000, 2020))

    assert found < 20


@pytest.mark.parametrize("rolled_back", [False, True], ids=["left alone", "rolled back"])
def test_pending_rows_are_committed_unless_rolled_back(tmp_path, rolled_back):
    dataset = create(tmp_path / "pending", ["one"], unit_vectors(1), index=False)
    dataset.append({"id": ["two"], "text": ["two"], "lexemes": ["two"], "vector": unit_vectors(1)})
    if rolled_back:
        dataset.rollback()
    del dataset
    gc.collect()

    assert len(deeplake.open_read_only(str(tmp_path / "pending"))) == (1 if rolled_back else 2)


def test_a_vector_of_another_dimension_is_no_error(indexed):
    assert len(neighbours(deeplake.open_read_only(str(indexed)), np.ones(3))) in {0, 100}


def bm25(dataset: Any, terms: str) -> list[str]:
    score = f"BM25_SIMILARITY(lexemes, {tql.text_literal(terms)})"
    return list(dataset.query(f"SELECT id, {score} AS score ORDER BY {score} DESC LIMIT 100")["id"][:])


def test_bm25_does_not_split_snake_case(small):
    dataset = deeplake.open_read_only(str(small))

    assert bm25(dataset, "split") == []
    assert bm25(dataset, "LOAD_AND_SPLIT") == ["load_and_split file"]


def test_bm25_has_no_query_operators(small):
    dataset = deeplake.open_read_only(str(small))

    assert bm25(dataset, 'alpha -beta "x" OR *') == ["alpha beta"]


def test_bm25_must_be_projected_as_score(small):
    dataset = deeplake.open_read_only(str(small))
    score = "BM25_SIMILARITY(lexemes, 'alpha')"

    with pytest.raises(Exception, match="score"):
        dataset.query(f"SELECT id, {score} AS points ORDER BY {score} DESC LIMIT 100")["points"][:]


WORDS = {
    "one": "common HttpClient load_and_split empty? $scope",
    "two": "common httpclients Größe x.y",
    "three": "common split HTTPCLIENT common",
    "four": "uncommon",
}


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Any:
    dataset = deeplake.create(
        str(tmp_path_factory.mktemp("contract") / "words"),
        schema={"id": types.Text(types.Exact), "symbols": types.Text(types.BM25), "lexemes": types.Text(types.BM25)},
    )
    dataset.indexing_mode = deeplake.IndexingMode.Off
    dataset.append({"id": list(WORDS), "symbols": list(WORDS.values()), "lexemes": list(WORDS.values())})
    dataset.commit()
    dataset.indexing_mode = deeplake.IndexingMode.Always
    dataset.build_indexes()
    return dataset


@pytest.mark.parametrize("column", ["symbols", "lexemes"])
@pytest.mark.parametrize(
    ("word", "rows"),
    [
        ("httpclient", ["one", "three"]),
        ("HttpClient", ["one", "three"]),
        ("common", ["one", "two", "three"]),
        ("split", ["three"]),
        ("load_and_split", ["one"]),
        ("empty?", ["one"]),
        ("$scope", ["one"]),
        ("größe", ["two"]),
        ("x.y", ["two"]),
        ("client", []),
        ("missing", []),
    ],
)
def test_contains_finds_whole_words_in_any_case_where_a_column_is_indexed(words, column, word, rows):
    assert list(words.query(f"SELECT id WHERE {tql.contains(column, word)}")["id"][:]) == rows


def test_contains_counts_each_row_that_has_the_word_among_many(tmp_path):
    texts = [f"common word{at % 7} own{at} {'twice twice' if at % 2 else ''}" for at in range(2000)]
    dataset = create(tmp_path / "counted", texts, unit_vectors(len(texts)), index=True)

    for word in ("common", "word3", "own77", "own7", "twice", "word"):
        expected = sum(word in text.split() for text in texts)
        assert len(dataset.query(f"SELECT id WHERE {tql.contains('lexemes', word)}")) == expected


def test_contains_with_a_condition_of_another_column_narrows(words):
    conditions = [tql.contains("lexemes", "common"), tql.equals("id", "two")]

    assert list(words.query(f"SELECT id{tql.where(conditions)}")["id"][:]) == ["two"]


def test_contains_ends_the_process_at_what_is_no_word(tmp_path):
    # Should this fail after an upgrade, the guard in `tql.contains` can go.
    import subprocess
    import sys

    create(tmp_path / "crashing", ["one", "two"], unit_vectors(2), index=True)
    code = (
        "from askrepo.store.deeplake import load_deeplake;"
        f"dataset = load_deeplake().open_read_only({str(tmp_path / 'crashing')!r});"
        "dataset.query(\"SELECT id WHERE CONTAINS(lexemes, '?')\")"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode < 0


def test_a_false_condition_finds_nothing(words):
    assert len(words.query(f"SELECT id{tql.where([tql.contains('lexemes', '?')])}")) == 0


def test_underscore_is_no_wildcard(small):
    dataset = deeplake.open_read_only(str(small))

    assert list(dataset.query("SELECT id WHERE id LIKE 'a_b'")["id"][:]) == ["a_b"]


@pytest.mark.parametrize("pattern", ["a?b", "a*b", "a%b", "a[_x]b"])
def test_like_has_more_wildcards_than_sql(small, pattern):
    dataset = deeplake.open_read_only(str(small))

    assert "axb" in dataset.query(f"SELECT id WHERE id LIKE '{pattern}'")["id"][:]


NUMBERS = itertools.count()
HOSTILE = st.text(st.sampled_from("'\"\\;-%_*?[]{}() \n\t/abé中😀="), min_size=1, max_size=30)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(deadline=None, max_examples=30)
@given(
    texts=st.lists(
        HOSTILE | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1
    )
)
def test_quoted_text_finds_exactly_its_row(texts):
    texts = sorted(set(texts))
    dataset = deeplake.create(f"mem://{next(NUMBERS)}", schema={"text": types.Text()})
    dataset.append({"text": texts})
    dataset.commit()

    for text in texts:
        assert list(dataset.query(f"SELECT text WHERE text = {tql.text_literal(text)}")["text"][:]) == [text]


def test_stored_text_reads_back_as_it_was_except_empty_text(tmp_path):
    texts = ["a\0b", "line\r\n", "\x1b[31m", "中文 😀", " ", ""]
    create(tmp_path / "texts", texts, unit_vectors(len(texts)), index=True)
    dataset = deeplake.open_read_only(str(tmp_path / "texts"))

    assert list(dataset["text"][:]) == [*texts[:-1], None]


def test_damaged_vectors_are_read_without_an_error(indexed, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(indexed, folder)
    stored = VECTORS[1500].tobytes()
    for path in folder.rglob("*"):
        if path.is_file() and stored in path.read_bytes():
            path.write_bytes(path.read_bytes().replace(stored, bytes(len(stored))))

    dataset = deeplake.open_read_only(str(folder))

    assert not dataset["vector"][1500:1501].any()


def test_a_dataset_can_be_moved(indexed, tmp_path):
    shutil.copytree(indexed, tmp_path / "moved")

    assert len(deeplake.open_read_only(str(tmp_path / "moved"))) == ROWS


def test_files_of_ours_in_the_folder_do_no_harm(indexed, tmp_path):
    shutil.copytree(indexed, tmp_path / "marked")
    (tmp_path / "marked" / "askrepo-files.json").write_text("{}")

    assert len(deeplake.open_read_only(str(tmp_path / "marked"))) == ROWS

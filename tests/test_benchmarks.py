"""The parts of the retrieval benchmark that its figures rest on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from askrepo.aliases.readers import AliasReader
from askrepo.embedders.hashed import HashedEmbedder
from askrepo.search.order.nearness import WEIGHTS
from askrepo.search.ranking import SIGNALS
from askrepo.search.search import search
from askrepo.settings import Settings
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from benchmarks import commits, exact_names, nearness, recheck, retrieval
from benchmarks.builds import build
from benchmarks.exact_names import Asked
from benchmarks.kept_results import kept_with
from benchmarks.origin_recipe import OriginRecipe, split
from benchmarks.plot import write_plot
from benchmarks.question_sets import half_of
from benchmarks.report import BEGIN, END, report, with_section
from benchmarks.results import Result, mean, mean_over_repositories
from benchmarks.systems import DEFAULT, ORIGIN, WITHOUT
from benchmarks.vector_cache import CachedEmbedder
from tests.conftest import GitRepository
from tests.fakes import CountingEmbedder

PARAGRAPH = " ".join(["word"] * 100)


def test_pieces_know_their_lines_however_many_blank_lines_are_between_them() -> None:
    text = f"\n\nfirst\n\n\n\nsecond\n\n{PARAGRAPH}\n\n{PARAGRAPH}\n\n\nlast\nline\n"
    lines = text.split("\n")
    pieces = list(split("r", "a.md", text))
    assert len(pieces) == 2
    for piece in pieces:
        assert lines[piece.start_line - 1].strip() == piece.text.split("\n")[0]
        assert lines[piece.end_line - 1].strip() == piece.text.split("\n")[-1]


def test_pieces_are_cut_at_blank_lines_only() -> None:
    long = "x" * 3000
    assert [len(piece.text) for piece in split("r", "a", f"{long}\n\n{long}")] == [3000, 3000]


def test_mmr_begins_like_cosine_and_then_avoids_what_it_has() -> None:
    files = [("a.py", "retry with backoff"), ("b.py", "retry with backoff"), ("c.py", "the queue")]
    question = "retry queue with backoff"
    recipe = OriginRecipe.build("r", files, embedder=HashedEmbedder())
    assert [piece.path for piece in recipe.cosine(question)] == ["a.py", "b.py", "c.py"]
    assert [piece.path for piece in recipe.mmr(question)] == ["a.py", "c.py", "b.py"]


def test_a_vector_is_computed_once_per_file_of_vectors(tmp_path: Path) -> None:
    file = tmp_path / "vectors.sqlite"
    inner = CountingEmbedder()
    first = CachedEmbedder(inner, file).embed_texts(["a", "b", "a"])
    again = CachedEmbedder(inner, file).embed_texts(["b", "c", "a"])
    assert inner.texts == ["a", "b", "c"]
    assert np.array_equal(again[[2, 0]], first[:2])
    assert np.array_equal(first[0], first[2])


def test_vectors_of_another_embedder_are_not_taken(tmp_path: Path) -> None:
    other = CountingEmbedder(fingerprint="d1" * 16)
    for embedder in (CountingEmbedder(), other):
        CachedEmbedder(embedder, tmp_path / "vectors.sqlite").embed_texts(["a"])
    assert other.texts == ["a"]


def test_halves_alternate() -> None:
    assert [half_of(number) for number in range(4)] == ["development", "confirmation"] * 2


def result(repository: str, *, ndcg: float, system: str = DEFAULT) -> Result:
    return Result(system, "whole", repository, "go", "semantic", "development", {"ndcg": ndcg})


def test_means_are_over_questions_or_over_repositories() -> None:
    results = [result("a", ndcg=1.0), result("a", ndcg=1.0), result("a", ndcg=1.0), result("b", ndcg=0.0)]
    assert mean(results, "ndcg") == 0.75
    assert mean_over_repositories(results, "ndcg") == 0.5


def test_only_the_section_between_the_marks_is_replaced() -> None:
    section = f"{BEGIN}\nnew \\1\n{END}"
    page = f"# Title\n\nbefore\n\n{BEGIN}\nold\n{END}\n\n## After\n"
    assert with_section(page, section) == f"# Title\n\nbefore\n\n{section}\n\n## After\n"
    assert with_section("# Title\n", section) == f"# Title\n\n{section}\n"


def test_the_default_stands_beside_the_origin() -> None:
    results = [result("a", ndcg=0.9), result("a", ndcg=0.4, system=ORIGIN)]
    assert "| a | go | 0.900 (0.400) |" in report(results, plot="p.svg")


def test_a_column_without_figures_is_left_out() -> None:
    page = report([result("a", ndcg=0.9), result("a", ndcg=0.4, system=ORIGIN)], plot="p.svg")
    assert "| whole |" in page
    assert "| source |" not in page


def test_the_same_figures_give_the_same_plot(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        write_plot([result("a", ndcg=0.9), result("a", ndcg=0.4, system=ORIGIN)], tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_kept_results_give_way_to_new_ones_of_their_kind(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    kept_with(file, [result("a", ndcg=0.1), result("a", ndcg=0.2), result("b", ndcg=0.3)])
    assert kept_with(file, [result("a", ndcg=0.9)]) == [result("b", ndcg=0.3), result("a", ndcg=0.9)]
    assert kept_with(file, []) == [result("b", ndcg=0.3), result("a", ndcg=0.9)]


def of_files(path: Path, files: Mapping[str, str]) -> GitRepository:
    repository = GitRepository(path)
    repository.commit(files)
    return repository


def asked_of(repository: GitRepository, tmp_path: Path, **options: int) -> tuple[list[Asked], AliasReader]:
    """Questions about the names in a repository, and the dataset they are from."""
    definition = Definition("parcel", (repository.url,), embedder="hash")
    workspace, settings = Workspace.open(str(tmp_path / "workspace")), Settings.from_env({})
    reader = build(definition, workspace=workspace, settings=settings, embedder=HashedEmbedder()).reader
    return exact_names.questions(reader, **options), reader


NAMED = {
    "src/settings.py": "VISIBILITY_TIMEOUT = 30\nretry_budget = 4\ndefault_prefix = 'p'\nunique_marker = 1\n",
    "src/broker.py": "from settings import VISIBILITY_TIMEOUT\n\n\nclass ParcelBroker:\n    def sendLater(self): ...\n",
    "docs/flags.md": "Start with `--dead-letter-queue`, or call `broker.ParcelBroker` yourself.\n",
}


def test_names_of_every_form_are_asked_for_and_such_that_stand_nowhere(tmp_path: Path) -> None:
    asked, _ = asked_of(of_files(tmp_path / "r", NAMED), tmp_path)
    forms = {each.name.form for each in asked if each.kind == "bare"}
    assert forms == {*exact_names.FORMS, "file"}
    made_up = {each.name.text for each in asked if each.kind == "absent bare"}
    assert made_up
    assert not [name for name in made_up for text in NAMED.values() if name.lower() in text.lower()]
    slips = {each.name.text: each.query for each in asked if each.kind == "typo"}
    assert sorted(slips["VISIBILITY_TIMEOUT"]) == sorted("VISIBILITY_TIMEOUT")
    assert slips["VISIBILITY_TIMEOUT"] != "VISIBILITY_TIMEOUT"


def test_a_name_counts_where_it_stands_and_its_definition_where_it_is_defined(tmp_path: Path) -> None:
    asked, reader = asked_of(of_files(tmp_path / "r", NAMED), tmp_path)
    bare = next(each for each in asked if each.kind == "bare" and each.name.text == "ParcelBroker")
    by_path = {hit.chunk.path: hit for hit in search("broker settings flags", readers=[reader], strategy="bm25")}
    defined, mentioned, other = (by_path[path] for path in ("src/broker.py", "docs/flags.md", "src/settings.py"))
    assert bare.figures([defined], ())["definition_first"] == 1
    assert bare.figures([mentioned], ()) == {
        "bare_first": 1, "bare_three": 1, "called_absent": 0, "definition_first": 0
    }  # fmt: skip
    assert bare.figures([other, mentioned], {"ParcelBroker"}) == {
        "bare_first": 0, "bare_three": 1, "called_absent": 1, "definition_first": 0
    }  # fmt: skip


def test_what_is_made_up_is_to_be_found_nowhere_and_said(tmp_path: Path) -> None:
    name = exact_names.Name("retry_prefix", "made up")
    assert exact_names.Asked("retry_prefix", "absent bare", name).figures([], {"retry_prefix"}) == {
        "absent_bare_nothing": 1, "absent_said": 1
    }  # fmt: skip


CHANGES = [
    (
        "Wait for half a second before a parcel is sent again (#12)\n\nSigned-off-by: A B <a@b>\n",
        {"src/retry.py": "a = 1\n"},
    ),
    ("Bump the version of everything we depend on", {"src/retry.py": "a = 2\n"}),
    ("Give tests of the queue more time to end", {"tests/test_retry.py": "a = 3\n"}),
    ("Tell the sender which parcel was lost on the way", {"src/new.py": "a = 4\n", "src/retry.py": "a = 4\n"}),
    ("fix it", {"src/retry.py": "a = 5\n"}),
    ("Speak of both ends of src/queue.py, see 0123abcdef0", {"src/retry.py": "a = 6\n", "src/queue.py": "a = 6\n"}),
]


def test_commits_ask_of_the_state_before_them(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "r")
    start = repository.commit({"src/retry.py": "", "src/queue.py": "", "tests/test_retry.py": ""})
    for message, files in CHANGES:
        head = repository.commit(files, message)
    found = commits.mined(repository.path, head, steps_back=(len(CHANGES),))
    assert found is not None
    assert found.base == start
    assert [(each.query, [target.path for target in each.targets]) for each in found.questions] == [
        ("Wait for half a second before a parcel is sent again", ["src/retry.py"]),
        ("Speak of both ends of , see", ["src/queue.py", "src/retry.py"]),
    ]


def test_a_clone_without_history_has_no_commits_to_ask_about(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "r")
    assert commits.mined(repository.path, repository.commit({"a.py": ""})) is None


FILES = {
    "README.md": "# Parcel\n\nParcel delivers messages between services, for teams with queues.\n",
    "src/retry.py": "class Retrier:\n    def backoff(self, attempt):\n        return 2.0**attempt\n",
    "tests/test_retry.py": "def test_backoff():\n    assert Retrier().backoff(1) == 2.0\n",
}
OWN: list[dict[str, Any]] = [
    {"query": "Who is parcel for?", "category": "overview", "relevant": ["README.md"], "note": "n"},
    {"query": "backoff", "category": "code", "relevant": [{"path": "src/retry.py", "start_line": 2, "end_line": 3}]},
]
PUBLIC = [{"query": "backoff", "category": "symbol", "relevant": ["src/retry.py"]}]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A clone, and folders `own` and `public` of questions about it."""
    commit = GitRepository(tmp_path / "clones" / "parcel").commit(FILES)
    entry = {"name": "parcel", "language": "python", "url": "https://example.org/parcel"}
    folders: dict[str, tuple[str, object, list[dict[str, Any]]]] = {
        "own": ("repositories.json", {**entry, "commit": commit}, OWN),
        "public": ("repos.json", {**entry, "revision": commit, "benchmark_root": "src"}, PUBLIC),
    }
    for folder, (index, values, lines) in folders.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / index).write_text(json.dumps([values]))
        (tmp_path / folder / "parcel.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_every_system_answers_every_question_in_every_setting(questions: Path) -> None:
    retrieval.main(
        [str(questions / "clones"), "--questions", str(questions / "own"), "--questions", str(questions / "public"),
         "--embedder", "hash", "--vectors", str(questions / "v.sqlite"), "--hits", str(questions / "hits"),
         "--page", str(questions / "page.md"), "--plot", str(questions / "plot.svg")]
    )  # fmt: skip
    lists = [json.loads(line) for file in (questions / "hits").iterdir() for line in file.read_text().splitlines()]
    settings = {(each["setting"], each["query"]) for each in lists}
    assert settings == {("own", "Who is parcel for?"), ("own", "backoff"), ("whole", "backoff"), ("source", "backoff")}
    systems = {each["system"] for each in lists}
    assert len(lists) == len(systems) * len(settings)
    assert systems > {
        ORIGIN,
        DEFAULT,
        *(f"{WITHOUT}{name}" for name in SIGNALS),
        f"{WITHOUT}prior",
        f"{WITHOUT}decay",
        f"{WITHOUT}nearness",
    }
    assert {hit[0] for each in lists if each["setting"] == "source" for hit in each["hits"]} == {"src/retry.py"}
    assert all(each["context"] for each in lists if each["setting"] == "own" and each["system"] == DEFAULT)
    assert "| **hybrid (default)** |" in (questions / "page.md").read_text()
    assert (questions / "plot.svg").stat().st_size


def test_some_measures_of_some_systems_can_be_taken_at_a_time(questions: Path) -> None:
    common = [str(questions / "clones"), "--questions", str(questions / "own"), "--embedder", "hash",
              "--vectors", str(questions / "v.sqlite"), "--results", str(questions / "kept.jsonl"),
              "--page", str(questions / "page.md"), "--plot", str(questions / "plot.svg")]  # fmt: skip
    retrieval.main([*common, "--measure", "questions", "--system", "default", "--system", "origin"])
    page = (questions / "page.md").read_text()
    assert "| **hybrid (default)** |" in page
    assert "| origin's recipe |" in page
    assert "| BM25 |" not in page
    assert "name bare @1" not in page
    retrieval.main([*common, "--measure", "names", "--system", "bm25"])
    page = (questions / "page.md").read_text()
    assert "| BM25 |" in page
    assert "name bare @1" in page
    assert "| **hybrid (default)** |" in page


def test_one_half_can_be_left_unseen(questions: Path) -> None:
    retrieval.main(
        [str(questions / "clones"), "--questions", str(questions / "own"), "--half", "development",
         "--embedder", "hash", "--vectors", str(questions / "v.sqlite"), "--hits", str(questions / "hits"),
         "--page", str(questions / "page.md"), "--plot", str(questions / "plot.svg")]
    )  # fmt: skip
    page = (questions / "page.md").read_text()
    assert "development half" in page
    assert "confirmation half" not in page
    assert "Who is parcel for?" in (questions / "hits" / "cosine.jsonl").read_text()
    assert "backoff" not in (questions / "hits" / "cosine.jsonl").read_text()


def test_a_clone_is_no_link_to_a_folder_of_another_name(questions: Path) -> None:
    clone = questions / "clones" / "parcel"
    clone.symlink_to(clone.rename(questions / "repo"))
    with pytest.raises(SystemExit, match="would call the project 'repo'"):
        retrieval.main(
            [str(clone.parent), "--questions", str(questions / "own"), "--embedder", "hash",
             "--page", str(questions / "page.md"), "--plot", str(questions / "plot.svg")]
        )  # fmt: skip


def test_what_answers_more_often_than_not_gets_the_greater_weight(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "docs/guide.md": "# Delivery\n\nSend a parcel, then wait for the parcel.\n",
        "src/a.py": "parcel = 'Send'\n",
    }
    asked = {"query": "How do I send a parcel?", "category": "usage", "relevant": ["docs/guide.md"], "note": "n"}
    entries = []
    for name in ("parcel", "crate"):
        commit = GitRepository(tmp_path / "clones" / name).commit(files)
        entries.append({"name": name, "language": "python", "url": f"https://example.org/{name}", "commit": commit})
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(asked) + "\n")
    (tmp_path / "repositories.json").write_text(json.dumps(entries))
    nearness.main(
        [str(tmp_path / "clones"), "--questions", str(tmp_path), "--workspace", str(tmp_path / "workspace"),
         "--embedder", "hash", "--vectors", str(tmp_path / "v.sqlite")]
    )  # fmt: skip
    printed = capsys.readouterr().out
    weights = {name: float(weight) for name, weight in re.findall(r"^([\w, ]+): (-?[\d.]+)$", printed, re.MULTILINE)}
    assert set(weights) == set(WEIGHTS)
    assert weights["doc, usage"] > 0 > weights["source, usage"]
    assert "learned from the other repositories, usage (2): first 1.000, among the first three 1.000" in printed


def test_spans_are_judged_by_what_git_says(tmp_path: Path) -> None:
    lines = [f"def function_number_{number}(argument): return argument + {number}" for number in range(60)]
    repository = GitRepository(tmp_path / "repository")
    repository.commit({"a.py": "\n".join(lines) + "\n", "b.py": "\n".join(lines[::-1]) + "\n"})
    after = [*lines[:20], "added", *lines[20:40], "changed", *lines[41:]]
    repository.commit({"a.py": "\n".join(after) + "\n", "b.py": None, "c.py": "\n".join(lines[::-1]) + "\n"})

    measured = recheck.measure(tmp_path / "repository" / ".git", commits=1, count=60, seed=1)

    assert measured["spans"] == 60
    assert {row: count > 0 for row, count in measured["rows"].items()} == {
        "changed: reported": True, "moved: right": True, "unchanged: right": True
    }  # fmt: skip
    assert measured["wrong"] == []

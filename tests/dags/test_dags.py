"""The DAGs as Airflow finds them, and aliases.yaml behind them."""

from __future__ import annotations

import ast
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization
from askrepo_parameters import REPOSITORY_PATTERN
from askrepo_schedule import read_aliases

from askrepo.aliases.kept import check_keep
from askrepo.errors import UsageError
from askrepo.git.repository_urls import parse_repositories
from askrepo_operators import maintaining, planning, removing
from askrepo_operators.reason import tell_reason
from tests.airflow_session import AIRFLOW_WARNINGS, ROOT, read_dags

pytestmark = AIRFLOW_WARNINGS

ORDER = ["plan", "clone", "compare", "load", "gather", "split", "embed", "build", "swap"]
MAPPED = {"clone", "load", "split", "embed"}
TWO_ALIASES = """
aliases:
  docs:
    schedule: "@daily"
    repositories: [https://github.com/owner/docs@main]
    include: ["*.md"]
    git_conn_ids: github
  code:
    repositories: [https://github.com/owner/code, "git@github.com:owner/more.git"]
    embedder: openai:text-embedding-3-small
    watch: 5m
"""
WATCHED_BY_THE_CLOCK_TOO = TWO_ALIASES.replace("    schedule:", "    watch: 30s\n    schedule:")


def alias_dags(bag: Any) -> set[str]:
    """The DAGs that aliases.yaml makes."""
    return {dag_id for dag_id in bag.dag_ids if dag_id.startswith("askrepo_alias_")}


@pytest.fixture
def dags_folder(tmp_path: Path) -> Path:
    """A copy of the project's DAGs, to change its aliases."""
    return Path(shutil.copytree(ROOT / "dags", tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.parametrize("name", ["aliases", "ingest", "maintenance", "refresh", "remove"])
def test_airflow_reads_a_dag_file_for_its_code(name: str) -> None:
    """Airflow leaves out a file that does not name both, Airflow and DAG; a docstring may be written anew."""
    docstring, *statements = ast.parse((ROOT / "dags" / f"askrepo_{name}.py").read_text(encoding="utf-8")).body
    code = "\n".join(map(ast.unparse, statements)).lower()  # no comments

    assert isinstance(docstring, ast.Expr)
    assert ("airflow" in code, "dag" in code) == (True, True)


def test_shipped_dags_import(dagbag: Any) -> None:
    assert dagbag.import_errors == {}
    assert "askrepo_ingest" in dagbag.dag_ids


def test_parsing_takes_no_time_the_scheduler_would_notice(dagbag: Any) -> None:
    assert sum(stat.duration.total_seconds() for stat in dagbag.dagbag_stats) < 2


def test_stages_are_in_order_and_the_right_ones_mapped(dagbag: Any) -> None:
    dag = dagbag.get_dag("askrepo_ingest")

    assert [task.task_id for task in dag.topological_sort()] == [*ORDER, "keep"]
    assert {task.task_id for task in dag.tasks if task.is_mapped} == MAPPED
    for before, after in pairwise(ORDER):
        assert after in dag.get_task(before).downstream_task_ids


def test_every_task_is_retried_with_growing_delays_and_explained(dagbag: Any) -> None:
    for task in dagbag.get_dag("askrepo_ingest").tasks:
        assert task.retries == 3
        assert task.retry_exponential_backoff
        assert task.max_retry_delay is not None
        assert task.doc_md


def test_every_failed_task_ends_its_log_with_the_reason(dagbag: Any) -> None:
    tasks = [task for dag in dagbag.dags.values() for task in dag.tasks]

    assert len(tasks) > len(ORDER)
    for task in tasks:
        settings = task.partial_kwargs if task.is_mapped else vars(task)
        for when in ("on_failure_callback", "on_retry_callback"):
            callbacks = settings[when] if isinstance(settings[when], (list, tuple)) else [settings[when]]
            assert tell_reason in callbacks, (task.task_id, when)


@pytest.mark.parametrize(
    ("dag_id", "known"),
    [
        ("askrepo_ingest", planning.PARAMETERS),
        ("askrepo_maintenance", maintaining.PARAMETERS),
        ("askrepo_remove", removing.PARAMETERS),
        ("askrepo_refresh", ()),
    ],
)
def test_form_and_first_task_know_the_same_parameters(dagbag: Any, dag_id: str, known: tuple[str, ...]) -> None:
    assert set(dagbag.get_dag(dag_id).params) == set(known)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:tok@host/a/b",
        "https://tok@host/a/b",
        "HTTPS://tok@host/a/b",
        "hTTp://user:tok@host/a",
        " https://user:tok@host/a",
        "\thttps://tok@host/a",
        "https:/user:tok@host/a",
        "https:user:tok@host/a",
        "https:\\\\user:tok@host/a",
        "https://host/a/b?private_token=tok",
        "HTTPS://host/a/b?tok",
        "https://host/a@v1?access_token=tok",
        "https://host/a/b?tab=x&token=tok",
        "https://host/a/b?tab=x?tok",
        "https://host/a/b?tab=ghp_tok0",
        "https://tok@dev.azure.com/org/project",
        "https://org:tok@dev.azure.com/org/project",
        "ssh://git:tok@host/a",
        "SSH://git:tok@host/a",
        "ftp://user:tok@host/a",
        "git+https://user:tok@host/a",
        "user:tok@host:owner/name",
        "-u",
    ],
)
def test_form_takes_no_url_with_a_credential(dagbag: Any, url: str) -> None:
    with pytest.raises(ParamValidationError):
        dagbag.get_dag("askrepo_ingest").params.get_param("repositories").resolve([url])


@pytest.mark.parametrize(
    "url",
    [
        "https://host/owner/name",
        "https://host:8443/owner/name@v1.2",
        "https://host/owner/name@fix#1",
        "http://[::1]:80/a/b@main",
        "git@host:owner/name",
        "git@host:owner/name@v1",
        "host:owner/name@v1",
        "ssh://git@host/owner/name@v1",
        "ssh://git@host:22/owner/name",
        "file:///srv/what?/name@v1",
        "/srv/my code@v1",
        "https://github.com/owner/name?tab=readme-ov-file#install",
        "https://org@dev.azure.com/org/project/_git/name",
    ],
)
def test_form_takes_what_names_a_repository(dagbag: Any, url: str) -> None:
    assert dagbag.get_dag("askrepo_ingest").params.get_param("repositories").resolve([url]) == [url]


@pytest.mark.parametrize("url", ["https://github.com/o/n?tab=readme-ov-file", "https://org@dev.azure.com/org/p/_git/n"])
def test_form_takes_what_aliases_yaml_takes(url: str) -> None:
    assert parse_repositories([url], allow_local=False)
    assert re.search(REPOSITORY_PATTERN, url)


def test_dag_explains_itself(dagbag: Any) -> None:
    dag = dagbag.get_dag("askrepo_ingest")

    assert "plan → clone[repository] → compare" in dag.doc_md
    assert dag.tags == {"askrepo"}
    assert not dag.catchup
    for name in ("alias", "repositories", "include", "exclude", "embedder", "keep", "force"):
        param = dag.params.get_param(name)
        assert param.schema["title"]
        assert param.schema["description_md"]


def test_each_alias_has_a_dag_with_its_schedule_and_valid_defaults(dags_folder: Path) -> None:
    (dags_folder / "aliases.yaml").write_text(TWO_ALIASES)

    bag = read_dags(dags_folder)

    assert bag.import_errors == {}
    assert alias_dags(bag) == {"askrepo_alias_code", "askrepo_alias_docs"}
    docs = bag.get_dag("askrepo_alias_docs")
    assert (docs.schedule, docs.max_active_runs) == ("@daily", 1)
    params = docs.params.validate()
    assert (params["alias"], params["include"]) == ("docs", ["*.md"])
    assert docs.get_task("clone").partial_kwargs["git_conn_ids"] == "github"
    assert "askrepo/docs" in {getattr(outlet, "name", None) for outlet in docs.get_task("swap").outlets}


def test_what_an_alias_keeps_is_what_its_runs_keep(dags_folder: Path) -> None:
    (dags_folder / "aliases.yaml").write_text(TWO_ALIASES.replace("  code:", "    keep: [12, v1.2]\n  code:"))

    bag = read_dags(dags_folder)

    assert bag.import_errors == {}
    kept = {alias: bag.get_dag(f"askrepo_alias_{alias}").params.validate()["keep"] for alias in ("docs", "code")}
    assert kept == {"docs": ["12", "v1.2"], "code": None}


def validated_keep(dagbag: Any, given: object) -> Any:
    """What the run gets: the server checks what was given by the DAG as its database has it, the worker by the DAG."""
    dag = dagbag.get_dag("askrepo_ingest")
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag)).params
    params = stored.deep_merge({"alias": "a", "repositories": ["file:///a"], "keep": given}).validate()
    return dag.params.get_param("keep").resolve(params["keep"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["3", "v1.0"], ("3", "v1.0")),  # what the form sends of two lines
        ([3, "v1.0", "3"], ("3", "v1.0")),
        (None, None),
        (["none"], ()),
    ],
)
def test_entries_to_keep_are_taken_as_numbers_and_as_text(
    dagbag: Any, given: list[Any] | None, kept: tuple[str, ...] | None
) -> None:
    assert check_keep(validated_keep(dagbag, given)) == kept


@pytest.mark.parametrize("item", [1.5, True, None, ["v1.0"], {"entry": 3}])
def test_what_is_neither_number_nor_text_is_refused_before_there_is_a_run(dagbag: Any, item: object) -> None:
    with pytest.raises(Exception, match="Invalid input for param keep") as raised:
        validated_keep(dagbag, [item])
    assert f"{item!r} is not of type 'string', 'integer'" in str(raised.value)


def test_the_form_draws_what_to_keep_as_lines_of_text(dagbag: Any) -> None:
    assert dagbag.get_dag("askrepo_ingest").params.get_param("keep").schema["items"]["type"] == "string"


def test_watched_alias_is_scheduled_by_its_repositories_too(dags_folder: Path) -> None:
    (dags_folder / "aliases.yaml").write_text(WATCHED_BY_THE_CLOCK_TOO)

    bag = read_dags(dags_folder)

    assert bag.import_errors == {}
    docs, code = (bag.get_dag(f"askrepo_alias_{alias}").schedule for alias in ("docs", "code"))
    assert docs.timetable.expression == "0 0 * * *"
    for asset, alias, poll_s in ((docs.asset_condition.objects[0], "docs", 30.0), (code[0], "code", 300.0)):
        assert asset.name == f"askrepo-repositories/{alias}"
        [watcher] = asset.watchers
        assert (watcher.trigger.alias, watcher.trigger.poll_s) == (alias, poll_s)


@pytest.mark.parametrize(("setting", "pool"), [(None, "default_pool"), ("paid", "paid")])
def test_tasks_that_may_call_a_paid_embedder_share_the_configured_pool(
    dags_folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str | None, pool: str
) -> None:
    (dags_folder / "aliases.yaml").write_text(TWO_ALIASES)
    if setting is not None:
        monkeypatch.setenv("ASKREPO_EMBED_POOL", setting)

    bag = read_dags(dags_folder)

    pools = {dag_id: bag.get_dag(dag_id).get_task("embed").pool for dag_id in (*alias_dags(bag), "askrepo_ingest")}
    assert pools == {"askrepo_ingest": pool, "askrepo_alias_code": pool, "askrepo_alias_docs": "default_pool"}
    others = {task.pool for dag_id in pools for task in bag.get_dag(dag_id).tasks if task.task_id != "embed"}
    assert others == {"default_pool"}


def test_alias_dag_builds_no_other_alias(dags_folder: Path) -> None:
    (dags_folder / "aliases.yaml").write_text(TWO_ALIASES)
    dag = read_dags(dags_folder).get_dag("askrepo_alias_docs")

    with pytest.raises(Exception, match="docs"):
        dag.params.get_param("alias").resolve("code")


def test_mistake_in_aliases_leaves_other_repositories_alone(dags_folder: Path) -> None:
    (dags_folder / "aliases.yaml").write_text("aliases:\n  docs:\n    repositorys: [x]\n")

    bag = read_dags(dags_folder)

    assert alias_dags(bag) == set()
    assert "askrepo_ingest" in bag.dag_ids
    assert any(file.endswith("askrepo_aliases.py") for file in bag.import_errors)
    for error in bag.import_errors.values():
        assert "aliases.yaml: alias 'docs': unknown key 'repositorys'; known keys: " in error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("aliases: [", "aliases.yaml is not YAML"),
        ("alias: {}", "expected the single top-level key 'aliases', found keys ['alias']"),
        ("aliases: [a]", "'aliases' must map alias names to their settings, found list"),
        ("aliases: {a: x}", "alias 'a': expected keys such as 'repositories', found str"),
        ("aliases: {a: {}}", "alias 'a': no repository given"),
        ("aliases: {UP: {repositories: [https://h/a/b]}}", "alias 'UP': 'UP' is not an alias name"),
        ("aliases: {a: {repositories: https://h/a/b}}", "alias 'a': repositories must be a list of strings"),
        ("aliases: {a: {repositories: ['ftp://h/a/b']}}", "alias 'a': "),
        ("aliases: {a: {repositories: ['https://u:tok@h/a']}}", "carries credentials"),
        ("aliases: {a: {repositories: [https://h/a/b], schedule: 'at noon'}}", "schedule 'at noon' is not a cron"),
        ("aliases: {a: {repositories: [https://h/a/b], schedule: 5}}", "schedule must be text, found int"),
        ("aliases: {a: {repositories: [https://h/a/b], embedder: [x]}}", "embedder must be text, found list"),
        ("aliases: {a: {repositories: [https://h/a/b], watch: 30}}", "such as 30s or 5m, found 30"),
        ("aliases: {a: {repositories: [https://h/a/b], watch: often}}", "such as 30s or 5m, found 'often'"),
        ("aliases: {a: {repositories: [https://h/a/b], watch: [30s]}}", "such as 30s or 5m, found list"),
        ("aliases: {a: {repositories: [https://h/a/b], watch: 4s}}", "watch must be between 5s and 24h, found '4s'"),
        ("aliases: {a: {repositories: [https://h/a/b], watch: \uff13\uff10s}}", "30s or 5m, found '\uff13\uff10s'"),
        ("aliases: {a: {repositories: [https://h/a/b], schedule: '0 0 30 2 *'}}", "is not a cron expression that ever"),
        ("aliases: {a: {repositories: [https://h/a/b], schedule: 'R 3 * * *'}}", "is not a cron expression that ever"),
        ("aliases: {a: {repositories: [https://h/a/b], embedder: glove}}", "alias 'a': no embedder 'glove'; use one"),
        ("aliases: {a: {repositories: [https://h/a/b], include: ['https://u:tok@h']}}", "include has a URL"),
        ("aliases: {a: {repositories: [u]}, a: {repositories: [v]}}", "'a' is given twice, line 1, column 35"),
        ("aliases: {a: {schedule: '@daily', schedule: '@hourly'}}", "'schedule' is given twice"),
        ("aliases: {1: {repositories: [u]}, '1': {repositories: [v]}}", "'1' is given twice"),
        ("aliases: {010: {repositories: [https://h/a/b]}}", "alias 8 is not text for YAML: write the name in"),
        ("aliases: " + "[" * 2000, "nested too deeply"),
        ("aliases:\n\ta: 1", "cannot start any token, line 2, column 1"),
        ("aliases: !!python/object/apply:os.getpid []", "could not determine a constructor"),
        ("\udcff", "is not UTF-8 (byte 0)"),
        ("aliases: {a: {repositories: [https://h/a/b], watch: 25h}}", "watch must be between 5s and 24h, found '25h'"),
    ],
)
def test_mistake_in_aliases_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "aliases.yaml"
    file.write_text(content, errors="surrogateescape")

    with pytest.raises(UsageError) as caught:
        read_aliases(file)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "aliases.yaml" in str(caught.value)
    assert "tok" not in str(caught.value).replace("token", "")

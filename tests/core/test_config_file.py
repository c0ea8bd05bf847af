from __future__ import annotations

from pathlib import Path

import pytest

from askrepo.config_file import with_files
from askrepo.errors import UsageError


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}


def user(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config" / "askrepo" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def project(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "askrepo.toml"
    file.write_text(text)
    return file


def test_environment_wins_over_project_over_user(tmp_path: Path, env: dict[str, str]) -> None:
    user(tmp_path, 'alias = "user"\nstrategy = "bm25"\nk = 5')
    project(tmp_path, 'alias = "project"\nstrategy = "mmr"')
    merged = with_files({**env, "ASKREPO_ALIAS": "environment"}, directory=tmp_path)
    assert [merged[f"ASKREPO_{name}"] for name in ("ALIAS", "STRATEGY", "K")] == ["environment", "mmr", "5"]


def test_without_files_the_environment_is_unchanged(tmp_path: Path, env: dict[str, str]) -> None:
    assert with_files(env, directory=tmp_path) == env


def test_general_names_in_the_environment_win_over_files(tmp_path: Path, env: dict[str, str]) -> None:
    user(tmp_path, 'openai_api_key = "sk-file"')
    assert "ASKREPO_OPENAI_API_KEY" not in with_files({**env, "OPENAI_API_KEY": "sk-env"}, directory=tmp_path)
    assert with_files(env, directory=tmp_path)["ASKREPO_OPENAI_API_KEY"] == "sk-file"


def test_relative_paths_start_at_the_file(tmp_path: Path, env: dict[str, str]) -> None:
    project(tmp_path, 'workspace = "data"\ncache = "~/cache"\ndatasets = "s3://bucket/x"')
    merged = with_files(env, directory=tmp_path)
    assert merged["ASKREPO_WORKSPACE"] == str(tmp_path / "data")
    assert (merged["ASKREPO_CACHE"], merged["ASKREPO_DATASETS"]) == ("~/cache", "s3://bucket/x")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("alias = ", "not valid TOML"),
        ('colour = "red"', "unknown setting 'colour'"),
        ("[chat]\nmodel = 'x'", "unknown setting 'chat'"),
        ("alias = ['a']", "must be a string"),
        (b"alias = '\xff'", "not valid TOML"),
    ],
)
def test_a_bad_file_is_named_in_one_error(tmp_path: Path, env: dict[str, str], text: str | bytes, found: str) -> None:
    file = user(tmp_path, "")
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=found) as caught:
        with_files(env, directory=tmp_path)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("key", ["openai_api_key", "openai_base_url"])
def test_a_project_file_can_neither_hold_a_key_nor_redirect_it(tmp_path: Path, env: dict[str, str], key: str) -> None:
    project(tmp_path, f'{key} = "s3cret-value"')
    with pytest.raises(UsageError, match="may not be set in a project's file") as caught:
        with_files(env, directory=tmp_path)
    assert "s3cret-value" not in str(caught.value)

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from askrepo.config_file import with_files
from askrepo.errors import UsageError
from askrepo.settings import SETTINGS, Settings


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
    file = user(tmp_path, 'workspace = "data"\ncache = "~/cache"\ndatasets = "s3://bucket/x"')
    merged = with_files(env, directory=tmp_path)
    assert merged["ASKREPO_WORKSPACE"] == str(file.parent / "data")
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


def test_a_project_file_says_what_to_ask(tmp_path: Path, env: dict[str, str]) -> None:
    project(
        tmp_path,
        'alias = "docs"\nk = 7\nstrategy = "mmr"\npath = ["src/**", "*.md"]\nlanguage = "rust"\ncontext_tokens = 900',
    )
    settings = Settings.from_env(with_files(env, directory=tmp_path))
    assert (settings.alias, settings.k, settings.strategy, settings.context_tokens) == ("docs", 7, "mmr", 900)
    assert (settings.path, settings.language) == (("src/**", "*.md"), ("rust",))


ALL_KEYS = {setting.key for setting in SETTINGS}


@pytest.mark.parametrize("key", sorted(ALL_KEYS - {"alias", "k", "strategy", "path", "language", "context_tokens"}))
@pytest.mark.parametrize("value", ['"s3cret-value"', "7", "true", "[]", "{ x = 's3cret-value' }"])
def test_a_project_file_may_set_nothing_else(tmp_path: Path, env: dict[str, str], key: str, value: str) -> None:
    """Nowhere to read from or to send to, whatever settings there are: those of tomorrow are refused as well."""
    project(tmp_path, f"{key} = {value}")
    with pytest.raises(UsageError, match=rf"askrepo\.toml: (unknown setting '{key}'|{key} may not be set)") as caught:
        with_files(env, directory=tmp_path)
    assert "s3cret-value" not in str(caught.value)
    user(tmp_path, "")
    (tmp_path / "askrepo.toml").unlink()
    assert with_files(env, directory=tmp_path) == env


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("alias = '../../etc'", "alias must be the name of an alias"),
        ("alias = 'Docs'", "alias must be the name of an alias"),
        ("alias = 3.5", None),
        ("alias = true", None),
        ("alias = ['docs']", "alias must be a string"),
        ("alias.x = 1", "alias must be a string"),
        ("alias = 2026-01-02", "alias must be a string"),
        ("k = -1", "k must be a whole number between 1 and 100"),
        ("k = 2000", "k must be a whole number between 1 and 100"),
        ("k = 2.5", "k must be a whole number between 1 and 100"),
        ("k = inf", "k must be a whole number between 1 and 100"),
        ("k = nan", "k must be a whole number between 1 and 100"),
        ("k = 'ten'", "k must be a whole number between 1 and 100"),
        ("k = true", "k must be a whole number between 1 and 100"),
        ("k = 0x" + "f" * 9000, "k must be a whole number between 1 and 100"),
        ("k = " + "9" * 9000, "not valid TOML"),
        ("context_tokens = 1e999", "context_tokens must be a whole number between 200 and 10000000"),
        ("context_tokens = 10", "context_tokens must be a whole number between 200 and 10000000"),
        ("path = [1]", "path must be a string, a number or a boolean or a list of strings"),
        (f"path = {['*.py'] * 101}", "path must be no more than 100 values, one a line"),
        ("path = [['a']]", "path must be a string, a number or a boolean or a list of strings"),
        ("language = {}", "language must be a string, a number or a boolean or a list of strings"),
        ("k = 1\nk = 2", "not valid TOML"),
        ("k = " + "[" * 5000, "not valid TOML"),
        ("x." * 4000 + "y = 1", "unknown setting 'x'"),
        ("'\x1b[2J' = 1", "not valid TOML"),
        ('"\\u001b[2J\\u202e" = 1', r"unknown setting '\?\[2J\?'"),
        ("'" + "z" * 500 + "' = 1", "unknown setting 'zzz"),
        ("#" * 20_000, "larger than 16 KiB"),
        (b"\xff\xfek\0", "not valid TOML"),
    ],
)
def test_a_bad_project_file_is_one_short_error(
    tmp_path: Path, env: dict[str, str], text: str | bytes, found: str | None
) -> None:
    project(tmp_path, "").write_bytes(text if isinstance(text, bytes) else text.encode())
    if found is None:
        with_files(env, directory=tmp_path)
        return
    with pytest.raises(UsageError, match=found) as caught:
        with_files(env, directory=tmp_path)
    assert "askrepo.toml" in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", ["link", "dangling link", "link to itself", "pipe", "device", "directory", "socket"])
def test_a_project_file_that_is_no_file_is_refused(tmp_path: Path, env: dict[str, str], kind: str) -> None:
    file = tmp_path / "askrepo.toml"
    (tmp_path / "target").write_text("alias = 's3cret-value'")
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "directory":
        file.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(str(file))
    else:
        targets = {"link": tmp_path / "target", "device": Path("/dev/zero"), "link to itself": file}
        file.symlink_to(targets.get(kind, tmp_path / "gone"))
    with pytest.raises(UsageError, match=r"askrepo\.toml (is a symbolic link|is not a file|cannot be read)") as caught:
        with_files(env, directory=tmp_path)
    assert "s3cret-value" not in str(caught.value)


def test_the_directory_above_is_not_looked_at(tmp_path: Path, env: dict[str, str]) -> None:
    project(tmp_path, "alias = 'above'")
    (tmp_path / "below").mkdir()
    assert with_files(env, directory=tmp_path / "below") == env


def test_a_directory_that_is_gone_has_no_project_file(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert with_files(env, directory=Path()) == env
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["XDG_CONFIG_HOME", "HOME"])
@pytest.mark.parametrize("value", ["config", "./config", ".", ""])
def test_a_relative_home_is_not_looked_for_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    user(tmp_path, "workspace = 'stolen'")
    user(tmp_path / ".config", "workspace = 'stolen'")
    monkeypatch.chdir(tmp_path)
    env = {"HOME": str(tmp_path / "home"), name: value}
    assert with_files(env, directory=Path()) == env


def test_the_users_file_may_be_a_link(tmp_path: Path, env: dict[str, str]) -> None:
    file = user(tmp_path, "")
    file.unlink()
    (tmp_path / "dotfiles.toml").write_text("chat_model = 'mine'")
    file.symlink_to(tmp_path / "dotfiles.toml")
    assert with_files(env, directory=tmp_path)["ASKREPO_CHAT_MODEL"] == "mine"


def test_a_users_file_that_everybody_may_write_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    user(tmp_path, "chat_model = 's3cret-value'").chmod(0o666)
    with pytest.raises(UsageError, match=r"config\.toml can be written by every user") as caught:
        with_files(env, directory=tmp_path)
    assert "s3cret-value" not in str(caught.value)


def test_a_users_file_of_another_user_is_refused(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = user(tmp_path, "chat_model = 'theirs'")
    owner = file.stat().st_uid or 65534
    if file.stat().st_uid == 0:
        os.chown(file, owner, -1)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(UsageError, match=r"config\.toml belongs to another user"):
        with_files(env, directory=tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: owner)
    assert with_files(env, directory=tmp_path)["ASKREPO_CHAT_MODEL"] == "theirs"

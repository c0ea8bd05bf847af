"""Settings: defaults, precedence of variables and errors that name the variable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from askrepo.errors import UsageError
from askrepo.settings import MEBIBYTE, InvalidSettingError, Settings


def test_defaults_follow_the_xdg_directories() -> None:
    settings = Settings.from_env({"HOME": "/home/ada", "XDG_CACHE_HOME": "/cache"})
    assert settings.workspace == "/home/ada/.local/share/askrepo"
    assert str(settings.cache) == "/cache/askrepo"
    assert not settings.allow_local


def test_the_cache_is_given_in_megabytes_and_can_be_off() -> None:
    assert Settings.from_env({"ASKREPO_CACHE_MB": "1.5"}).cache_bytes == 1536 * 1024
    assert Settings.from_env({"ASKREPO_CACHE_MB": "0"}).cache_bytes == 0


def test_an_empty_variable_counts_as_unset() -> None:
    settings = Settings.from_env({"HOME": "/home/ada", "ASKREPO_WORKSPACE": "", "ASKREPO_RETENTION": ""})
    assert settings.workspace == "/home/ada/.local/share/askrepo"
    assert settings.retention == 3


def test_our_own_key_wins_over_the_common_one() -> None:
    settings = Settings.from_env({"ASKREPO_OPENAI_API_KEY": "ours", "OPENAI_API_KEY": "common"})
    assert settings.openai_api_key == "ours"


NUMBERS = (
    "ASKREPO_CACHE_MB", "ASKREPO_CLONE_TIMEOUT_S", "ASKREPO_MAX_REPOSITORY_MB", "ASKREPO_MAX_FILE_BYTES",
    "ASKREPO_EMBED_THREADS", "ASKREPO_MIN_SIZE_RATIO", "ASKREPO_RETENTION", "ASKREPO_GRACE_S",
    "ASKREPO_RUN_RETENTION_DAYS", "ASKREPO_CHAT_TIMEOUT_S", "ASKREPO_CONTEXT_TOKENS", "ASKREPO_K",
)  # fmt: skip
NO_NUMBERS = {
    "word": "three", "negative": "-1", "NaN": "nan", "infinity": "inf", "overflow": "1e400", "huge": "9" * 5000,
    "two numbers": "1 2", "underscore": "1_000", "other digits": "٣", "superscript": "²", "hexadecimal": "0x10",
    "percentage": "50%", "comma": "1,5", "unit": "30s", "sign alone": "+",
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} must be a (whole )?number between .{{0,60}}, found .{{1,70}}$"):
        Settings.from_env({name: value})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["", " ", "\t\n"], ids=["empty", "blank", "tab and newline"])
def test_a_blank_number_counts_as_unset(name: str, value: str) -> None:
    assert Settings.from_env({name: value}) == Settings.from_env({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASKREPO_K", "0"),
        ("ASKREPO_K", "101"),
        ("ASKREPO_ANSWER_FORM", "on"),
        ("ASKREPO_K", "2.5"),
        ("ASKREPO_RETENTION", "0"),
        ("ASKREPO_MIN_SIZE_RATIO", "1.01"),
        ("ASKREPO_CONTEXT_TOKENS", "199"),
        ("ASKREPO_ALLOW_LOCAL", "perhaps"),
        ("ASKREPO_ALLOW_LOCAL", "2"),
        ("ASKREPO_ALLOW_LOCAL", "relative/folder"),
        ("ASKREPO_CACHE_MB", "-1"),
        ("ASKREPO_CACHE_MB", "inf"),
        ("ASKREPO_RETENTION", "inf"),
        ("ASKREPO_RETENTION", "2.5"),
        ("ASKREPO_GRACE_S", "1e15"),
        ("ASKREPO_RUN_RETENTION_DAYS", "1e9"),
        ("ASKREPO_K", "2000"),
        ("ASKREPO_K", "-1"),
        ("ASKREPO_ALIAS", "../main"),
        ("ASKREPO_CACHE", "~nobody-of-that-name/cache"),
    ],
)
def test_a_value_out_of_bounds_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        Settings.from_env({name: value})


@pytest.mark.parametrize(("name", "value"), [("ASKREPO_K", " 7 "), ("ASKREPO_K", "+7"), ("ASKREPO_K", "007")])
def test_a_number_may_have_blanks_around_it(name: str, value: str) -> None:
    assert Settings.from_env({name: value}).k == 7


def test_the_most_that_is_accepted_overflows_nothing() -> None:
    most = {"ASKREPO_CACHE_MB": "1e9", "ASKREPO_GRACE_S": "3.2e8", "ASKREPO_RUN_RETENTION_DAYS": "3650"}
    settings = Settings.from_env(most)
    assert settings.cache_bytes == 10**9 * MEBIBYTE
    assert datetime.now(UTC) - timedelta(seconds=settings.grace_s, days=settings.run_retention_days)


@pytest.mark.parametrize("name", ["HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"])
def test_relative_homes_are_not_looked_for_in_the_current_directory(name: str) -> None:
    settings = Settings.from_env({"HOME": "/home/ada", name: "relative"})
    assert settings.workspace.startswith("/")
    assert settings.cache.is_absolute()


def test_home_is_understood_in_the_cache() -> None:
    assert Settings.from_env({"ASKREPO_CACHE": "~/cache"}).cache == Path("~/cache").expanduser()


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"HOME": "/h"}, Path("/h/.local/state/askrepo/answers.db")),
        ({"HOME": "/h", "XDG_STATE_HOME": "/s"}, Path("/s/askrepo/answers.db")),
        ({"HOME": "/h", "XDG_STATE_HOME": "s"}, Path("/h/.local/state/askrepo/answers.db")),
        ({"ASKREPO_ANSWERS": "/x/a.db"}, Path("/x/a.db")),
        ({"ASKREPO_ANSWERS": " OFF "}, None),
    ],
)
def test_answers_are_kept_in_a_file_or_nowhere(env: dict[str, str], expected: Path | None) -> None:
    assert Settings.from_env(env).answers == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "permalink"),
        (" OFF ", "off"),
        ("VSCode", "vscode://file{path}:{line}"),
        ("idea", "idea://open?file={path}&line={line}"),
        ("my-editor://open/{path}?l={line}", "my-editor://open/{path}?l={line}"),
    ],
)
def test_places_lead_to_the_web_to_an_editor_or_nowhere(value: str, expected: str) -> None:
    assert Settings.from_env({"ASKREPO_LINKS": value}).links == expected


@pytest.mark.parametrize(
    "value",
    [
        "vim",
        "vscode://file",
        "{path}",
        "x://{path} {line}",
        "x://{path}\x1b\\",
        "x://{path}{column}",
        "x://{path}\u202e",
    ],
)
def test_an_address_without_a_path_or_with_odd_characters_is_refused(value: str) -> None:
    with pytest.raises(InvalidSettingError, match=r"ASKREPO_LINKS must be permalink, .*, or an address with {path}"):
        Settings.from_env({"ASKREPO_LINKS": value})


def test_lists_have_an_item_a_line() -> None:
    settings = Settings.from_env({"ASKREPO_PATH": "src/**\n *.md \n\n", "ASKREPO_LANGUAGE": "rust"})
    assert (settings.path, settings.language) == (("src/**", "*.md"), ("rust",))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", False), ("no", False), ("1", True), ("yes", True), ("/srv/code", Path("/srv/code")), ("~/x", Path("/h/x"))],
)
def test_local_repositories_are_admitted_nowhere_anywhere_or_below_a_folder(value: str, expected: bool | Path) -> None:
    assert Settings.from_env({"ASKREPO_ALLOW_LOCAL": value, "HOME": "/h"}).allow_local == expected

"""Settings: defaults, precedence of variables and errors that name the variable."""

from __future__ import annotations

import pytest

from askrepo.errors import UsageError
from askrepo.settings import Settings


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASKREPO_RETENTION", "0"),
        ("ASKREPO_RETENTION", "three"),
        ("ASKREPO_MIN_SIZE_RATIO", "50"),
        ("ASKREPO_CLONE_TIMEOUT_S", "nan"),
        ("ASKREPO_ALLOW_LOCAL", "perhaps"),
        ("ASKREPO_CACHE_MB", "-1"),
    ],
)
def test_a_bad_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        Settings.from_env({name: value})

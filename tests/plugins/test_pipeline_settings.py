"""The pipeline's own settings."""

from __future__ import annotations

import pytest

from askrepo.errors import UsageError
from askrepo_operators.pipeline_settings import PipelineSettings


def test_defaults_need_no_environment() -> None:
    assert PipelineSettings.from_env({}) == PipelineSettings(git_conn_ids=(), retry_delay_s=30.0)


def test_values_come_from_the_environment() -> None:
    settings = PipelineSettings.from_env({"ASKREPO_GIT_CONN_ID": "hub, lab", "ASKREPO_RETRY_DELAY_S": "1.5"})

    assert settings == PipelineSettings(git_conn_ids=("hub", "lab"), retry_delay_s=1.5)


@pytest.mark.parametrize("text", ["soon", "-1", "nan"])
def test_wrong_delay_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=f"ASKREPO_RETRY_DELAY_S must be a number of seconds .*, found '{text}'"):
        PipelineSettings.from_env({"ASKREPO_RETRY_DELAY_S": text})


@pytest.mark.parametrize(("text", "expected"), [(" store ", "store"), ("", None)])
def test_workspace_connection_may_be_named(text: str, expected: str | None) -> None:
    assert PipelineSettings.from_env({"ASKREPO_WORKSPACE_CONN_ID": text}).workspace_conn_id == expected

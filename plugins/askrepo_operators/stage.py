"""What all operators share: the run they belong to, and the translation of our errors into Airflow's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from askrepo.errors import PermanentError, UsageError
from askrepo.places import check_dataset_place
from askrepo.settings import Settings
from askrepo.types import Definition
from askrepo.workspace import Workspace
from askrepo_operators.connections import open_workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """One passage of the pipeline, as its tasks see it.

    :ivar prefix: workspace key below which the run's manifests and shards are written.
    :ivar force: build and swap even when nothing changed or the dataset shrank.
    """

    definition: Definition
    settings: Settings
    workspace: Workspace
    prefix: str
    force: bool


class StageOperator(BaseOperator):
    """One stage of a run.

    :param definition: what to build, as JSON; the DAG's parameters by default (templated).
    :param run: the run's id (templated).
    """

    template_fields: Sequence[str] = ("definition", "run")

    def __init__(self, *, definition: str = "{{ params | tojson }}", run: str = "{{ run_id }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.definition = definition
        self.run = run

    def open_run(self) -> Run:
        """The run that this task belongs to.

        :raises UsageError: the parameters or the environment are wrong; the message names what.
        """
        from askrepo.plan import run_prefix

        settings = Settings.from_env(os.environ)
        check_dataset_place(settings.datasets or settings.workspace)
        values = _object(self.definition)
        definition = Definition.from_mapping({**values, "max_file_bytes": settings.max_file_bytes})
        return Run(
            definition=definition,
            settings=settings,
            workspace=open_workspace(settings),
            prefix=run_prefix(definition.alias, self.run),
            force=bool(values.get("force")),
        )


def _object(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError as error:
        raise UsageError(f"the definition is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise UsageError(f"the definition must be a JSON object, found {type(values).__name__}")
    return values


def all_of(results: Sequence[T]) -> list[T]:
    """What the instances of a mapped task returned, fetched in one request.

    Iterating over Airflow's lazy sequence instead logs an alarming, meaningless error at its end (3.3.2).
    """
    return list(results[:])


@contextmanager
def no_retry_on_permanent_errors() -> Iterator[None]:
    """Fail the task at once on an error that a retry cannot cure; let all others through to Airflow's retries."""
    try:
        yield
    except PermanentError as error:
        raise AirflowFailException(str(error)) from error

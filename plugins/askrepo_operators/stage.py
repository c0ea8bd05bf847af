"""What all operators share: the run they belong to, and the translation of our errors into Airflow's."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from askrepo.aliases.kept import check_keep
from askrepo.errors import PermanentError, TransientError, UsageError
from askrepo.pipeline.run import Run
from askrepo.settings import Settings
from askrepo.text.display import plain
from askrepo.types import Definition
from askrepo.workspace.places import check_dataset_place
from askrepo_operators.connections import open_embedder, open_workspace

T = TypeVar("T")


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
        settings = Settings.from_env(os.environ)
        check_dataset_place(settings.datasets or settings.workspace)
        values = self.parameters()
        definition = Definition.from_mapping({**values, "max_file_bytes": settings.max_file_bytes})
        return Run(
            definition=definition,
            settings=settings,
            workspace=open_workspace(settings),
            run_id=self.run,
            force=bool(values.get("force")),
            opener=partial(open_embedder, settings=settings),
            keep=check_keep(values.get("keep")),
        )

    def parameters(self) -> dict[str, Any]:
        """What the run was started with.

        :raises UsageError: it is no JSON object.
        """
        return _object(self.definition)


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
    """Fail the task at once on an error that a retry cannot cure; let all others through to Airflow's retries.

    What our own errors came from is in their message; Airflow's log would show it as further tracebacks.
    """
    try:
        yield
    except PermanentError as error:
        raise AirflowFailException(plain(str(error))) from None
    except TransientError as error:
        raise error from None


def refuse_unknown(parameters: Mapping[str, Any], known: Collection[str]) -> None:
    """Return when the run was given nothing but known parameters: Airflow takes any, and a slip would count as unset.

    :raises UsageError: one is unknown; its value is not shown.
    """
    unknown = sorted(str(name) for name in parameters if name not in known)
    if unknown:
        # A name that is no word may be something pasted, a secret even.
        shown = repr(unknown[0]) if re.fullmatch(r"[A-Za-z_][\w-]{0,40}", unknown[0], re.ASCII) else "(not a name)"
        near = difflib.get_close_matches(unknown[0], list(known), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known parameters: {', '.join(sorted(known)) or 'none'}"
        raise UsageError(f"unknown parameter {shown}; {hint}")

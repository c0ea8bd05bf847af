"""The operators that refresh the aliases made by hand: each gets a run of the DAG that made it, a few at a time."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.triggers.external_task import DagStateTrigger
from airflow.sdk import BaseOperator, Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, ParamValidationError

from askrepo.aliases.definition_store import DefinitionStore, parameters_of
from askrepo.errors import UnavailableError, UsageError
from askrepo.settings import Settings
from askrepo_operators.connections import open_workspace
from askrepo_operators.keeping import refresh_run_id
from askrepo_operators.stage import no_retry_on_permanent_errors, refuse_unknown

if TYPE_CHECKING:
    from airflow.sdk import Context

# Airflow maps at most 1,024 instances (`core.max_map_length`); beyond some hundred nobody looks at them one by one.
MAX_BATCHES = 200
POKE_INTERVAL_S = 10


class ListDefinitionsOperator(BaseOperator):
    """The aliases to refresh, dealt into batches: one alias each, more only when there are very many.

    :param dag_id: the DAG that the refreshes are runs of; while it is paused, nothing is refreshed.
    :param configured: aliases of aliases.yaml, which have a schedule of their own.
    """

    def __init__(self, *, dag_id: str, configured: Collection[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.trigger_dag_id = dag_id
        self.configured = configured

    def execute(self, context: Context) -> list[list[str]]:
        """Batches of aliases.

        :raises AirflowSkipException: the DAG is paused.
        """
        with no_retry_on_permanent_errors():
            refuse_unknown(context.get("params") or {}, ())
        if context["ti"].get_dag(self.trigger_dag_id).is_paused:
            raise AirflowSkipException(f"{self.trigger_dag_id} is paused: nothing is refreshed until it is resumed")
        kept = _definitions().aliases()
        aliases = [alias for alias in kept if alias not in self.configured]
        if left_out := [alias for alias in kept if alias in self.configured]:
            self.log.info("list: left out, since aliases.yaml refreshes them: %s", ", ".join(left_out))
        batches = [aliases[start::MAX_BATCHES] for start in range(min(len(aliases), MAX_BATCHES))]
        self.log.info("list: %d aliases to refresh, in %d batches", len(aliases), len(batches))
        return batches


class RefreshAliasesOperator(TriggerDagRunOperator):
    """A run for each alias of a batch, one after the other, each from the definition kept when its turn comes.

    While a run lasts, the task is deferred and holds no worker. What was done is known from the runs that exist, so a
    retry goes on where the try before it ended. An alias that cannot be refreshed does not stop the others; in the
    end the task fails and names it.

    :param aliases: the batch; usually mapped over.
    :param parameters: the parameters of the DAG to run, to know a definition that it would refuse.
    :param refresh: id of the refresh's own run (templated).
    """

    template_fields = ("aliases", "refresh")

    def __init__(
        self,
        *,
        aliases: Sequence[str],
        parameters: Mapping[str, Param],
        refresh: str = "{{ run_id }}",
        **kwargs: Any,
    ) -> None:
        # No logical date: Airflow allows only one run of a DAG for each.
        settings = {"logical_date": None, "wait_for_completion": True, "deferrable": True}
        super().__init__(**{"poke_interval": POKE_INTERVAL_S, **settings, **kwargs})
        self.aliases = aliases
        self.parameters = parameters
        self.refresh = refresh

    def execute(self, context: Context) -> None:
        """Start the first run that is still missing, and wait for it."""
        self._refresh(self.aliases, context)

    def execute_complete(self, context: Context, event: tuple[str, dict[str, Any]]) -> None:
        """Start the run after the one that has just ended."""
        [ended] = event[1]["run_ids"]
        self.log.info("%s: %s", ended, event[1].get(ended))
        run_ids = [refresh_run_id(alias, self.refresh) for alias in self.aliases]
        self._refresh(self.aliases[run_ids.index(ended) + 1 :], context)

    def _refresh(self, aliases: Sequence[str], context: Context) -> None:
        definitions = _definitions()
        for alias in aliases:
            run_id = refresh_run_id(alias, self.refresh)
            if self._runs(context, run_id, states=["queued", "running"]):
                self._wait(run_id)
            if self._runs(context, run_id):
                continue
            try:
                conf = self._conf(definitions, alias)
            except (UnavailableError, UsageError) as error:
                self.log.error("refresh %s: %s", alias, error)
                continue
            if conf is None:
                self.log.info("refresh %s: the alias was removed meanwhile", alias)
                continue
            self.log.info("refresh %s: run %s", alias, run_id)
            self.trigger_run_id, self.conf = run_id, conf
            super().execute(context)  # leaves by an exception that starts the run and defers this task
        self._report(definitions, context)

    def _wait(self, run_id: str) -> None:
        """Wait for a run that an earlier try of this task started."""
        self.log.info("%s: still at work", run_id)
        states = [*self.allowed_states, *self.failed_states]
        trigger = DagStateTrigger(self.trigger_dag_id, states, [run_id], poll_interval=self.poke_interval)
        self.defer(trigger=trigger, method_name="execute_complete")

    def _report(self, definitions: DefinitionStore, context: Context) -> None:
        """Fail when an alias was not refreshed.

        :raises AirflowFailException: with one line that names each, and why.
        """
        found = {alias: self._problem(definitions, alias, context) for alias in self.aliases}
        problems = [f"{alias}: {problem}" for alias, problem in found.items() if problem]
        if problems:
            raise AirflowFailException(
                f"{len(problems)} of {len(self.aliases)} aliases not refreshed: {'; '.join(problems)}"
            )

    def _problem(self, definitions: DefinitionStore, alias: str, context: Context) -> str | None:
        run_id = refresh_run_id(alias, self.refresh)
        if self._runs(context, run_id):
            failed = self._runs(context, run_id, states=["failed"])
            return f"its run {run_id} of {self.trigger_dag_id} failed" if failed else None
        try:
            self._conf(definitions, alias)
        except (UnavailableError, UsageError) as error:
            return str(error)
        return None

    def _conf(self, definitions: DefinitionStore, alias: str) -> dict[str, Any] | None:
        """What the alias's run is started with; None when it has no definition any more.

        :raises UnavailableError: the definition cannot be understood.
        :raises UsageError: the DAG would refuse it.
        """
        kept = definitions.find(alias)
        if kept is None:
            return None
        conf = parameters_of(kept.definition)
        for name, value in conf.items():
            try:
                Param(value, **self.parameters[name].schema).resolve()
            except ParamValidationError as error:
                raise UsageError(f"its definition has a wrong {name}: {str(error).splitlines()[0]}") from error
        return conf

    def _runs(self, context: Context, run_id: str, *, states: list[str] | None = None) -> int:
        return context["ti"].get_dr_count(dag_id=self.trigger_dag_id, run_ids=[run_id], states=states)


def _definitions() -> DefinitionStore:
    with no_retry_on_permanent_errors():
        return DefinitionStore(open_workspace(Settings.from_env(os.environ)))

"""Which definitions runs leave behind, and which refreshes are still wanted when their turn comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

    from askrepo.pipeline.run import Run

REFRESH_PREFIX = "refresh__"
"""How the id of a run begins that the schedule started from a kept definition."""

MAX_RUN_ID_CHARS = 250  # what Airflow's database holds


def refresh_run_id(alias: str, refresh: str) -> str:
    """Id of the run that refreshes an alias: one per alias and run of the refresh; it ends with when that was.

    :param refresh: id of the refresh's own run.
    """
    return f"{REFRESH_PREFIX}{alias}__{refresh.removeprefix('scheduled__')}"[:MAX_RUN_ID_CHARS]


def skip_unless_wanted(run: Run) -> None:
    """End a refresh whose alias was removed, or was given another definition, since the refresh was started.

    To be asked after the alias's number was read: a removal forgets the definition before it writes its entry, so
    either this look finds nothing, or the swap finds another number.

    :raises AirflowSkipException: nobody wants the refresh any more.
    """
    from askrepo.aliases.definition_store import DefinitionStore

    if run.run_id.startswith(REFRESH_PREFIX) and not DefinitionStore(run.workspace).holds(run.definition):
        alias = run.definition.alias
        message = f"not wanted any more: alias {alias} was removed or defined anew since this refresh was started"
        raise AirflowSkipException(message)


class KeepDefinitionOperator(StageOperator):
    """The definition of a run that ended well, kept so that the alias is refreshed from it; the last task of a run.

    A refresh keeps nothing: it follows what is kept.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """The alias, and whether its definition is kept."""
        from askrepo.aliases.removal import keep_unless_removed

        with no_retry_on_permanent_errors():
            run = self.open_run()
            alias = run.definition.alias
            if self.run.startswith(REFRESH_PREFIX):
                return {"alias": alias, "kept": False}
            kept = keep_unless_removed(run.definition, by=self._asked_by(context), workspace=run.workspace)
        if kept is None:
            self.log.info("keep %s: the alias was removed meanwhile, so its definition is not kept", alias)
        else:
            self.log.info("keep %s: refreshed from now on from what was given %s", alias, kept.changed_at)
        return {"alias": alias, "kept": kept is not None}

    def _asked_by(self, context: Context) -> str:
        """The person that Airflow names, else the run."""
        return getattr(context.get("dag_run"), "triggering_user_name", None) or self.run

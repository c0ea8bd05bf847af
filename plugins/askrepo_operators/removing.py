"""The operators that remove an alias: first the questions, then the deed."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from askrepo.settings import Settings
from askrepo.workspace.objects import Workspace
from askrepo_operators.connections import open_workspace
from askrepo_operators.stage import no_retry_on_permanent_errors, refuse_unknown

if TYPE_CHECKING:
    from airflow.sdk import Context

PARAMETERS = ("alias", "confirm")
"""What a removal may be started with."""


class CheckRemovalOperator(BaseOperator):
    """The alias's name, once it is sure that its removal was meant and will last.

    :param alias: what to remove (templated).
    :param confirm: the alias typed again (templated).
    :param configured: aliases of aliases.yaml, which are not removed here.
    """

    template_fields: Sequence[str] = ("alias", "confirm")

    def __init__(
        self,
        *,
        configured: Collection[str],
        alias: str = "{{ params.alias }}",
        confirm: str = "{{ params.confirm }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.configured = configured
        self.alias = alias
        self.confirm = confirm

    def execute(self, context: Context) -> str:
        """The alias."""
        from askrepo.aliases.removal import check_removal

        with no_retry_on_permanent_errors():
            refuse_unknown(context.get("params") or {}, PARAMETERS)
            check_removal(self.alias, confirm=self.confirm, configured=self.configured, workspace=_workspace())
        return self.alias


class RemoveAliasOperator(BaseOperator):
    """The alias, taken away from its readers and from the schedule.

    :param alias: what to remove (templated); checked before.
    """

    template_fields: Sequence[str] = ("alias",)

    def __init__(self, *, alias: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alias = alias

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Alias and number of the entry that says so, None where there was no dataset."""
        from askrepo.aliases.removal import remove_alias

        with no_retry_on_permanent_errors():
            removal = remove_alias(self.alias, workspace=_workspace())
        number = removal.entry.number if removal.entry else None
        self.log.info(
            "remove %s: %s; %s",
            self.alias,
            f"entry {number}, `askrepo rollback {self.alias}` undoes it" if number else "it had no dataset",
            "its definition is forgotten" if removal.had_definition else "it had no definition",
        )
        return {"alias": self.alias, "number": number}


def _workspace() -> Workspace:
    return open_workspace(Settings.from_env(os.environ))

"""The parameters of a run, with the help and the validation that Airflow's form shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Param

from askrepo.types import Definition

ALIAS_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
# Credentials in a URL are refused here, before there is a run that has them; Airflow's audit log keeps what was
# typed. That is a user or a query with http, a password with any scheme or none; what GitHub's and Azure's pages add
# themselves is neither. What is before the scheme must not hide it. Without flags: browsers read it too.
REPOSITORY_PATTERN = (
    r"^(?!-)(?!\s)"
    r"(?![Hh][Tt][Tt][Pp][Ss]?:(?!//([^/@:]+)@dev\.azure\.com/\1/)[/\\]*[^/\\]*@)"
    r"(?![Hh][Tt][Tt][Pp][Ss]?:[^?]*\?(?!tab=[a-z-]{0,40}(?:#|$)))"
    r"(?![A-Za-z][A-Za-z0-9+.-]*:[/\\]+[^/\\@]*:[^/\\]*@)(?![^/@:\s]+:[^/@]+@[^/@]+:)"
    r"[^\x00-\x1f\x7f]+$"
)
EMBEDDER_PATTERN = r"^(local|hash|openai:.+)$"
# Entries are numbers, and JSON may write them so. The form draws a list as lines of text only when its items have the
# type "string", and sends strings; for validation, in this draft, what stands beside a reference says nothing.
KEEP_SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": ["null", "array"],
    "items": {"type": "string", "$ref": "#/definitions/item"},
    "definitions": {"item": {"type": ["string", "integer"]}},
}

# No code spans: the form shows them as boxes that cover the lines around.
ALIAS_HELP = """The name readers use. Made when it is new, moved to the new dataset otherwise. Lower-case letters,
digits, dot, underscore, hyphen."""
REPOSITORIES_HELP = """One git URL per line; add @branch, @tag or @commit for another ref than the default branch, such
as URL@v1.2. Never write a token here: private repositories use an Airflow connection of type
*git*, named in the setting ASKREPO_GIT_CONN_ID."""
INCLUDE_HELP = r"""Globs over whole paths, one per line, such as *docs/\** or *\*.py*; a star also crosses slashes.
Empty: every file."""
EXCLUDE_HELP = """Globs over whole paths, one per line; they win over *Include*."""
EMBEDDER_HELP = """*local* needs no key and no network. *openai:model-name* sends the chunks to the endpoint of the
connection openai_default, else of OPENAI_BASE_URL with OPENAI_API_KEY."""
KEEP_HELP = """What retention must not remove, one per line: an entry's number, a dataset id, repository@commit, or a
tag that was built, such as *v1.2*. Empty: what is kept stays kept. The single word *none*: nothing is kept any more."""
FORCE_HELP = """Build even when no commit changed, and swap even when the new dataset is much smaller."""
REMOVE_HELP = """The alias to remove. **No reader finds it any more**, its definition is forgotten, and nothing
refreshes it. Its datasets are deleted later; until then *askrepo rollback ALIAS* brings it back. An alias of
*aliases.yaml* has to be taken out of that file first."""
CONFIRM_HELP = """The same alias once more. When the two differ, nothing is removed."""


def open_parameters() -> dict[str, Param]:
    """The parameters of the DAG for any repositories: alias and repositories must be filled in."""
    return _parameters(alias="", repositories=[], include=[], exclude=[], embedder="local", keep=None)


def alias_parameters(definition: Definition, keep: Sequence[str] | None = None) -> dict[str, Param]:
    """The parameters of an alias's own DAG: valid as they are, the alias itself fixed."""
    parameters = _parameters(
        alias=definition.alias,
        repositories=list(definition.repositories),
        include=list(definition.include),
        exclude=list(definition.exclude),
        embedder=definition.embedder,
        keep=None if keep is None else list(keep),
    )
    parameters["alias"] = Param(definition.alias, const=definition.alias, title="Alias", description_md=ALIAS_HELP)
    return parameters


def removal_parameters() -> dict[str, Param]:
    """The parameters of the DAG that removes an alias: both must be filled in."""
    name: dict[str, Any] = {"type": "string", "pattern": ALIAS_PATTERN}
    return {
        "alias": Param("", **name, title="Alias", description_md=REMOVE_HELP),
        "confirm": Param("", type="string", minLength=1, title="Type the alias again", description_md=CONFIRM_HELP),
    }


def _parameters(
    *,
    alias: str,
    repositories: list[str],
    include: list[str],
    exclude: list[str],
    embedder: str,
    keep: list[str] | None,
) -> dict[str, Param]:
    lines: dict[str, Any] = {"type": ["null", "array"], "items": {"type": "string"}}
    urls: dict[str, Any] = {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": REPOSITORY_PATTERN}}
    return {
        "alias": Param(alias, type="string", pattern=ALIAS_PATTERN, title="Alias", description_md=ALIAS_HELP),
        "repositories": Param(repositories, **urls, title="Repositories", description_md=REPOSITORIES_HELP),
        "include": Param(include, **lines, title="Include", description_md=INCLUDE_HELP),
        "exclude": Param(exclude, **lines, title="Exclude", description_md=EXCLUDE_HELP),
        "embedder": Param(
            embedder, type="string", pattern=EMBEDDER_PATTERN, title="Embedder", description_md=EMBEDDER_HELP
        ),
        "keep": Param(keep, **KEEP_SCHEMA, title="Keep", description_md=KEEP_HELP),
        "force": Param(False, type="boolean", title="Force", description_md=FORCE_HELP),
    }

"""Plan: what a run is asked to do."""

from __future__ import annotations

from askrepo.embedders.embedder import check_spec
from askrepo.errors import UsageError
from askrepo.git.local_repositories import LocalAccess
from askrepo.git.repository_urls import parse_repositories
from askrepo.store.schema import SCHEMA_VERSION
from askrepo.types import Definition, Repository, digest_of, to_json


def definition_digest(definition: Definition) -> str:
    """SHA-256, in hex, of everything that decides what a commit becomes, apart from the embedder's fingerprint.

    The order in which repositories and patterns are listed does not count; the splitter's version does.
    """
    from askrepo.pipeline.split import SPLITTER_VERSION

    values = to_json(definition)
    for key in ("repositories", "include", "exclude"):
        values[key] = sorted(values[key])
    return digest_of({"definition": values, "splitter": SPLITTER_VERSION, "schema": SCHEMA_VERSION})


def plan_run(
    definition: Definition, *, allow_local: LocalAccess, max_repositories: int | None = None
) -> tuple[Repository, ...]:
    """The repositories to clone, validated, each with a name of its own.

    :param max_repositories: how many one run may have, where something else than memory limits that.
    :raises UsageError: one is not a repository that may be read, or is named twice, or there are too many, or there is
        no such embedder.
    """
    check_spec(definition.embedder)
    repositories = parse_repositories(definition.repositories, allow_local=allow_local)
    if max_repositories is not None and len(repositories) > max_repositories:
        raise UsageError(
            f"alias {definition.alias} has {len(repositories):,} repositories, and Airflow maps at most "
            f"{max_repositories:,} ([core] max_map_length): raise that, or make several aliases"
        )
    return repositories

"""The table of files beside a dataset, as it is: read without anything that splits or embeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askrepo.errors import UnavailableError, VerificationError
from askrepo.types import DatasetManifest
from askrepo.workspace.keys import files_key
from askrepo.workspace.objects import ObjectMissingError
from askrepo.workspace.tables import read_table

if TYPE_CHECKING:
    import pyarrow as pa

    from askrepo.workspace.objects import Workspace


def listed_files(manifest: DatasetManifest, workspace: Workspace) -> pa.Table:
    """The table of a dataset's files, whatever version of askrepo wrote it: columns of `tables.FILE_FACTS`.

    :raises UnavailableError: the dataset has none, or it is missing or damaged.
    """
    key = files_key(manifest.alias, manifest.dataset)
    if not manifest.files_digest:
        raise UnavailableError(f"dataset {manifest.dataset} has no table of files: an earlier version built it")
    try:
        return read_table(workspace, key, digest=manifest.files_digest)
    except (ObjectMissingError, VerificationError) as error:
        raise UnavailableError(
            f"{workspace.url_of(key)}, the list of a dataset's files, is missing or damaged"
        ) from error

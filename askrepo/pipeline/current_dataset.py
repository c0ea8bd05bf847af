"""The current dataset of the alias, as far as a new one may take files over from it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from askrepo.errors import DatasetCorruptedError, DatasetUnreadableError, UnavailableError
from askrepo.pipeline.known_files import KnownFiles
from askrepo.store import verification
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_dataset
from askrepo.store.proof import check_files
from askrepo.store.reader import DatasetReader

if TYPE_CHECKING:
    from askrepo.types import DatasetManifest
    from askrepo.workspace.objects import Workspace

logger = logging.getLogger(__name__)


def can_be_carried(
    manifest: DatasetManifest | None, fingerprint: str, *, workspace: Workspace, is_checked: bool = False
) -> bool:
    """Whether rows of unchanged files may go from this dataset into the next one as they are.

    They may when the same embedder and the same version of the stages made them and the dataset is undamaged: what is
    carried over is not made anew, so damage would stay for good.

    :param fingerprint: of the embedder that the next dataset is built with.
    :param is_checked: whether its files were compared with their digests just now.
    :raises DatasetUnreadableError: this process cannot read it, which is no reason to embed everything anew.
    """
    if manifest is None or manifest.embedder.fingerprint != fingerprint:
        return False
    if KnownFiles.of(manifest, workspace, repository="") is None:
        logger.info("every file is read, since the table of files is missing, damaged or from an earlier version")
        return False
    return is_checked or _is_undamaged(manifest, workspace)


def _is_undamaged(manifest: DatasetManifest, workspace: Workspace) -> bool:
    location = DatasetLocation.within(workspace, manifest.dataset)
    try:
        location.check_present()
        check_files(location, digest=manifest.inventory)
    except DatasetUnreadableError:
        raise
    except UnavailableError as error:
        logger.warning("every file is read, since the current dataset cannot be used: %s", error)
        return False
    return True


def open_for_vectors(
    manifest: DatasetManifest | None, fingerprint: str, *, workspace: Workspace, cache: Path | None = None
) -> DatasetReader | None:
    """The dataset to look vectors up in; None when another embedder made them or it is damaged.

    :param cache: see `open_dataset`.
    :raises DatasetUnreadableError: this process cannot read it, which is no reason to embed everything anew.
    """
    if manifest is None or manifest.embedder.fingerprint != fingerprint:
        return None
    try:
        location = DatasetLocation.within(workspace, manifest.dataset)
        return open_dataset(location, manifest=manifest, cache=cache)
    except DatasetUnreadableError:
        raise
    except UnavailableError as error:
        # A damaged dataset is exactly what this run replaces: compute instead of failing.
        logger.warning("no vector is reused: %s", error)
        return None


def open_for_rows(manifest: DatasetManifest, *, workspace: Workspace) -> DatasetReader:
    """The dataset to carry rows over from.

    The files of a local one are compared with their digests once more, since `can_be_carried` did so long ago; of a
    remote one the rows are read.

    :raises DatasetCorruptedError: it is not what the alias says; a run with force does without it.
    """
    try:
        location = DatasetLocation.within(workspace, manifest.dataset)
        reader = open_dataset(location, manifest=manifest)
        if not location.is_local:
            verification.check_rows(reader)
    except DatasetCorruptedError as error:
        raise DatasetCorruptedError(f"{error}; run again with force, which copies nothing from it") from error
    return reader

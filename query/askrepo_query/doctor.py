"""`askrepo doctor`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from askrepo import __version__
from askrepo.config_file import PROJECT_FILE, user_file
from askrepo.errors import AskrepoError, UnavailableError
from askrepo.settings import unknown_settings
from askrepo.text.display import plain_line
from askrepo.workspace.keys import dataset_id
from askrepo_query.errors import error_line, exit_code_of
from askrepo_query.options import example, json_option, workspace_option
from askrepo_query.output import print_json, print_result
from askrepo_query.progress import progress
from askrepo_query.session import Session

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.types import DatasetManifest

PACKAGES = ("deeplake", "obstore", "onnxruntime", "langchain-openai", "tiktoken")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work.

    :ivar exit_code: 0 when it does.
    """

    name: str
    exit_code: int
    detail: str


@click.command(epilog=example("askrepo doctor"))
@json_option
@workspace_option
def doctor(session: Session, *, as_json: bool) -> int:
    """Check that everything a question needs is there, reading every byte of the datasets on this machine.

    Sends nothing to any service but the store. Exits with the first failed check's code.
    """
    worst = 0
    for check in _checks(session):
        worst = worst or check.exit_code
        if as_json:
            print_json({"check": check.name, "ok": not check.exit_code, "detail": check.detail})
        else:
            mark = click.style("FAIL", fg="red") if check.exit_code else click.style("ok  ", fg="green")
            print_result(f"{mark}  {plain_line(check.name)}: {plain_line(check.detail)}")
    return worst


def _checks(session: Session) -> Iterator[Check]:
    yield _check("versions", _versions)
    yield _check("configuration", _configuration)
    names: list[str] = []

    def list_aliases() -> str:
        names.extend(session.catalogue.aliases())
        if not names:
            raise UnavailableError(f"{session.workspace.url} is reachable and has no alias yet; run the pipeline")
        return f"{session.workspace.url}, aliases: {', '.join(names)}"

    yield _check("workspace", list_aliases)
    readers: list[AliasReader] = []
    for name in names:
        yield _check(f"dataset of {name}", partial(_dataset, session, name, readers))
        yield from _earlier_checks(session, name)
    for reader in readers:
        yield _check(f"embedder of {reader.alias}", partial(_embedder, reader))
    yield _check("chat model", lambda: _chat_model(session))


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        with progress(f"checking {name}"):
            return Check(name, 0, look())
    except AskrepoError as error:
        return Check(name, exit_code_of(error), error_line(error))


def _versions() -> str:
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return f"askrepo {__version__}, Python {platform.python_version()} on {sys.platform}, {packages}"


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _configuration() -> str:
    found = [file for file in (Path(PROJECT_FILE), user_file(os.environ)) if file.is_file()]
    files = ", ".join(str(file.absolute()) for file in found)
    names = sorted(name for name in os.environ if name.startswith("ASKREPO_"))
    unknown = unknown_settings(os.environ)
    told = f"; not settings of askrepo: {', '.join(unknown)}" if unknown else ""
    return f"files: {files or 'none'}; environment: {', '.join(names) or 'none'}{told}"


def _dataset(session: Session, name: str, readers: list[AliasReader]) -> str:
    """Compare every byte with what was published, then open the dataset; keep the reader for the checks that follow.

    What is remembered of earlier checks does not count here: a disk may lose what nobody wrote to.
    """
    from askrepo.store.verification import check_dimension

    checked = _check_files(session, session.catalogue.current(name).manifest)
    reader = session.readers([name], warm_up=False)[0]
    if reader.copy is not None:
        reader.copy.check()
    check_dimension(reader.dataset)
    readers.append(reader)
    manifest = reader.entry.manifest
    place = "" if reader.copy is None else f", every byte of its copy in {reader.copy.location.url} too"
    return f"{dataset_id(manifest.dataset)} opens, {manifest.chunks:,} chunks as its manifest says, {checked}{place}"


def _earlier_checks(session: Session, name: str) -> Iterator[Check]:
    """The datasets that a rollback can go back to."""
    try:
        current, *earlier = reversed([entry.manifest for entry in session.catalogue.history(name)])
    except AskrepoError:
        return  # the check of the current dataset says what is wrong with the log
    for manifest in {one.dataset: one for one in earlier if one.dataset != current.dataset}.values():
        title = f"earlier dataset {dataset_id(manifest.dataset)} of {name}"
        check = _check(title, partial(_check_files, session, manifest))
        if check.detail:
            yield check


def _check_files(session: Session, manifest: DatasetManifest) -> str:
    """What was found when the files were compared; "" when an earlier dataset was removed, as it should be."""
    from askrepo.store.location import DatasetLocation
    from askrepo.store.proof import check_files

    location = DatasetLocation.within(session.workspace, manifest.dataset)
    if not location.exists():
        return ""
    files = check_files(location, digest=manifest.inventory)
    if location.is_local:
        return f"every byte of its {len(files)} files is as published"
    return f"names and sizes of its {len(files)} files are as published" if files else "its files cannot be looked at"


def _embedder(reader: AliasReader) -> str:
    """Open the embedder and compare its fingerprint with the dataset's."""
    embedder = reader.embedder()
    return f"{embedder.spec} is the one that the dataset was built with"


def _chat_model(session: Session) -> str:
    model = session.chat_model()
    if model is None:
        return "none configured; ask shows passages instead of answers (set ASKREPO_CHAT_MODEL)"
    return f"{model.name} at {session.settings.openai_base_url or 'OpenAI'}, not called"

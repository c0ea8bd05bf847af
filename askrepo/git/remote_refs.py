"""Which commit a ref of a remote repository names, as `git ls-remote` tells."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from askrepo.errors import UnknownRefError
from askrepo.git.local_repositories import LocalAccess
from askrepo.git.process import RedirectedError, run_git_async
from askrepo.git.redirects import Address
from askrepo.git.repository_urls import check_repository, redacted
from askrepo.types import Repository

# gitrevisions(7): refs/<name>, then tags, then branches; so a tag wins over a branch of the same name.
REF_ORDER = ("refs/{}", "refs/tags/{}", "refs/heads/{}")
# All branches and tags of a repository are listed only to suggest some; the largest public ones have 10 MB of them.
MAX_LISTING_BYTES = 32 * 1024 * 1024
# The names that one ref may mean are a handful of lines.
MAX_ANSWER_BYTES = 1024 * 1024

_COMMIT = re.compile(r"[0-9a-fA-F]{40}([0-9a-fA-F]{24})?")  # SHA-1 or SHA-256


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """What a ref names: a commit (or an object that leads to one), and the remote's full ref when it has one."""

    commit: str
    ref: str | None


def is_commit(ref: str | None) -> bool:
    """Whether the ref is a full commit, which needs no asking: it never changes."""
    return ref is not None and _COMMIT.fullmatch(ref) is not None


def question_about(url: str, ref: str | None) -> list[str]:
    """Arguments of the git call that lists what the ref may mean, and little else."""
    if ref is None:
        return listing_of(url, "HEAD")
    if ref.startswith("refs/") or ref == "HEAD":
        return listing_of(url, ref, f"{ref}^{{}}")
    # The server sends branches and tags only, instead of every pull request.
    names = [form.format(ref) for form in REF_ORDER[1:]]
    if ref.startswith(("heads/", "tags/")):
        names.append(f"refs/{ref}")
    return listing_of(url, *names, *(f"{name}^{{}}" for name in names), flags=("--heads", "--tags"))


def listing_of(url: str, *names: str, flags: tuple[str, ...] = ()) -> list[str]:
    """Arguments of the git call that lists the refs of those names, or all."""
    return ["ls-remote", "--quiet", *flags, "--end-of-options", url, *names]


def refs_in(output: bytes) -> dict[str, str]:
    """Object ids by full ref name, from what ls-remote wrote."""
    lines = (line.split("\t", 1) for line in output.decode("utf-8", "replace").splitlines() if "\t" in line)
    return {name: commit for commit, name in lines}


def named_by(ref: str | None, refs: Mapping[str, str]) -> RemoteRef | None:
    """What the ref means to git among these refs: `refs/<ref>`, else the tag, else the branch; None for none.

    An annotated tag means the object it points at.
    """
    names = ["HEAD"] if ref is None else [ref, *(form.format(ref) for form in REF_ORDER)]
    found = next((name for name in names if name in refs), None)
    return None if found is None else RemoteRef(refs.get(f"{found}^{{}}", refs[found]), found)


async def remote_commit(
    repository: Repository,
    *,
    timeout_s: float,
    allow_local: LocalAccess = False,
    git_environment: Mapping[str, str] | None = None,
) -> str:
    """The commit that the repository's ref names now, asked without holding up the event loop.

    :param timeout_s: seconds after which git is killed; each redirect within the same host gets as many.
    :param allow_local: admit repositories of this machine.
    :param git_environment: credentials for git, such as a connection gives.
    :raises UnknownRefError: no such branch or tag.
    :raises AskrepoError: git failed; the class says whether a later call may do better.
    """
    check_repository(repository, allow_local=allow_local)
    if repository.ref is not None and is_commit(repository.ref):
        return repository.ref.lower()
    where = redacted(repository.url)
    address = Address(repository.url)
    while True:
        try:
            output = await run_git_async(
                question_about(address.url, repository.ref),
                cwd=Path(tempfile.gettempdir()),
                action=f"list the refs of {where}",
                timeout_s=timeout_s,
                max_bytes=MAX_ANSWER_BYTES,
                allow_local=allow_local is not False,
                git_environment=git_environment,
                shows_headers=address.shows_headers,
            )
            break
        except RedirectedError as error:
            address.follow(error)
    found = named_by(repository.ref, refs_in(output))
    if found is None:
        wanted = "default branch" if repository.ref is None else f"branch or tag {repository.ref!r}"
        raise UnknownRefError(f"{where} has no {wanted}")
    return found.commit

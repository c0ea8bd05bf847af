import os
import random
import subprocess
import tarfile
from pathlib import Path

import pytest

from askrepo.errors import (
    CredentialsError,
    LimitExceededError,
    RemoteUnavailableError,
    RepositoryError,
    StorageError,
    UnknownRefError,
    UsageError,
)
from askrepo.git.remote_refs import remote_commit
from askrepo.git.repository_urls import parse_repository
from askrepo.git.snapshots import open_snapshot
from askrepo.pipeline import clone
from askrepo.pipeline.clone import clone_repository
from askrepo.types import Repository
from askrepo.workspace.objects import ObjectMissingError
from tests.conftest import GIT_ENVIRONMENT, GitRepository
from tests.core.trees import write_object
from tests.git_server import token_environment

TOKEN = "tok-0123456789abcdef"


@pytest.fixture
def publish(workspace):
    """Clone what a text names into the workspace, with generous limits."""

    def publish(text: str, **options):
        options = {"timeout_s": 120, "max_bytes": 10**8, "allow_local": True, **options}
        return clone_repository(parse_repository(text, allow_local=True), workspace=workspace, **options)

    return publish


async def commit_at(text: str) -> str:
    """The commit that a text names, only asked for."""
    return await remote_commit(parse_repository(text, allow_local=True), timeout_s=60, allow_local=True)


def git(bare: Path, *args: str) -> str:
    environment = {**os.environ, **GIT_ENVIRONMENT}
    return subprocess.run(["git", *args], cwd=bare, env=environment, capture_output=True, check=True, text=True).stdout


def test_default_branch_is_published(make_repository, publish, workspace):
    source = make_repository("project", {"a.py": "print(1)\n"})

    snapshot = publish(source.url)

    assert (snapshot.name, snapshot.url, snapshot.ref) == ("project", source.url, None)
    assert snapshot.commit == source.git("rev-parse", "HEAD")
    assert snapshot.committed_at == "2026-01-02T03:04:05Z"
    assert snapshot.bytes == len(workspace.read(snapshot.archive))
    with open_snapshot(snapshot, workspace=workspace) as bare:
        assert git(bare, "show", f"{snapshot.commit}:a.py") == "print(1)\n"
    assert not bare.exists()


def test_commit_time_is_utc(make_repository, publish, monkeypatch):
    source = make_repository()
    monkeypatch.setitem(GIT_ENVIRONMENT, "GIT_COMMITTER_DATE", "2026-01-01T23:30:00-02:00")
    source.commit({"a": "1"})

    assert publish(source.url).committed_at == "2026-01-02T01:30:00Z"


@pytest.mark.parametrize(
    "ref", ["dev", "heads/dev", "refs/heads/dev", "v1", "refs/tags/v1", "annotated", "refs/odd/one"]
)
async def test_ref_resolves_to_its_commit(make_repository, publish, ref):
    source = make_repository("project", {"a": "1"})
    wanted = source.git("rev-parse", "HEAD")
    source.git("branch", "dev")
    source.git("tag", "v1")
    source.git("tag", "-a", "-m", "x", "annotated")
    source.git("update-ref", "refs/odd/one", wanted)
    source.commit({"a": "2"})

    assert publish(f"{source.url}@{ref}").commit == wanted
    assert await commit_at(f"{source.url}@{ref}") == wanted


async def test_commit_is_told_without_asking(tmp_path):
    commit = "0123456789abcdef0123456789abcdef01234567"

    assert await commit_at(f"{tmp_path}/absent@{commit.upper()}") == commit


@pytest.mark.parametrize("ref", ["", "@main"])
async def test_missing_ref_is_told_by_who_only_asks(make_repository, ref):
    with pytest.raises(UnknownRefError, match=r"project has no (default branch|branch or tag 'main')"):
        await commit_at(make_repository("project").url + ref)


async def test_who_only_asks_takes_no_option_for_a_repository():
    with pytest.raises(UsageError):
        await remote_commit(Repository("x", "--upload-pack=touch owned"), timeout_s=60, allow_local=True)


def test_full_commit_is_fetched_even_when_no_ref_names_it(make_repository, publish):
    source = make_repository("project", {"a": "1"})
    first = source.git("rev-parse", "HEAD")
    source.commit({"a": "2"})

    assert publish(f"{source.url}@{first.upper()}").commit == first


def test_id_of_annotated_tag_leads_to_its_commit(make_repository, publish):
    source = make_repository("project", {"a": "1"})
    source.git("tag", "-a", "-m", "x", "v1")

    assert publish(f"{source.url}@{source.git('rev-parse', 'v1')}").commit == source.git("rev-parse", "HEAD")


async def test_tag_wins_over_branch_of_the_same_name_as_in_git(make_repository, publish):
    source = make_repository("project", {"a": "1"})
    source.git("tag", "both")
    source.git("branch", "both")
    source.git("checkout", "--quiet", "heads/both")
    source.commit({"a": "2"})
    source.git("branch", "--force", "both", "HEAD")

    assert publish(f"{source.url}@both").commit == source.git("rev-parse", "refs/tags/both")
    assert await commit_at(f"{source.url}@both") == source.git("rev-parse", "refs/tags/both")


def test_history_stays_behind(make_repository, publish, workspace):
    source = make_repository("project", {"old.bin": os.urandom(200_000)})
    source.commit({"old.bin": None, "a": "1"})

    snapshot = publish(source.url)

    assert snapshot.bytes < 50_000
    with open_snapshot(snapshot, workspace=workspace) as bare:
        assert git(bare, "rev-list", "--count", snapshot.commit).strip() == "1"


def test_archive_holds_objects_only(make_repository, publish, workspace, tmp_path):
    source = make_repository("project", {"a": "1"})
    source.commit({"a": "2"})

    workspace.download(publish(source.url).archive, tmp_path / "archive.tar")

    with tarfile.open(tmp_path / "archive.tar") as tar:
        names = [member.name for member in tar]
        assert {(member.mtime, member.uid, member.mode) for member in tar} == {(0, 0, 0o444)}
    assert [name.split("-")[0] for name in names] == ["HEAD", "objects/pack/pack", "objects/pack/pack", "shallow"]


def test_shallow_source_can_be_cloned(make_repository, publish, tmp_path):
    source = make_repository("project", {"a": "1"})
    commit = source.commit({"a": "2"})
    git(tmp_path, "clone", "--quiet", "--depth=1", source.url, "shallow copy")

    assert publish(str(tmp_path / "shallow copy")).commit == commit


def test_published_commit_is_not_fetched_again(make_repository, publish, workspace):
    source = make_repository("project", {"a": "1"})
    first = publish(source.url)
    workspace.write(first.archive, b"kept")

    again = publish(f"{source.url}@main")

    assert workspace.read(first.archive) == b"kept"
    assert (again.commit, again.archive, again.ref) == (first.commit, first.archive, "main")


def packs(snapshot, workspace) -> list[int]:
    """Sizes of the packs in a snapshot's archive."""
    with open_snapshot(snapshot, workspace=workspace) as bare:
        return [pack.stat().st_size for pack in bare.glob("objects/pack/*.pack")]


def shown(snapshot, workspace) -> dict[str, str]:
    """Contents by path."""
    with open_snapshot(snapshot, workspace=workspace) as bare:
        paths = git(bare, "ls-tree", "-r", "--name-only", snapshot.commit).split()
        return {path: git(bare, "show", f"{snapshot.commit}:{path}") for path in paths}


def test_only_the_difference_to_an_earlier_snapshot_is_fetched(make_repository, publish, serve, workspace):
    large = random.Random(0).randbytes(200_000).hex()
    source = make_repository("project", {"large": large, "a": "1", "b": "1"})
    url = f"{serve().url}/project"
    [whole] = packs(publish(url), workspace)

    source.commit({"a": "2", "b": None})
    second = publish(url)

    assert sorted(packs(second, workspace))[1:] == [whole]
    assert min(packs(second, workspace)) < 2_000
    assert shown(second, workspace) == {"large": large, "a": "2"}


def test_rewritten_history_is_fetched_onto_the_old_one(make_repository, publish, workspace):
    source = make_repository("project", {"a": "1"})
    publish(source.url)
    source.git("checkout", "--quiet", "--orphan", "other")
    source.commit({"a": "2"})
    source.git("branch", "--force", "main")

    assert shown(publish(f"{source.url}@main"), workspace) == {"a": "2"}


@pytest.mark.parametrize("content", [b"no archive", None], ids=["damaged", "missing"])
def test_snapshot_that_cannot_be_built_upon_is_left_aside(make_repository, publish, workspace, content):
    source = make_repository("project", {"a": "1"})
    first = publish(source.url)
    if content is None:
        workspace.delete(first.archive)
    else:
        workspace.write(first.archive, content)
    source.commit({"a": "2"})
    second = publish(source.url)

    assert len(packs(second, workspace)) == 1
    assert shown(second, workspace) == {"a": "2"}


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}"])
def test_description_that_cannot_be_read_is_left_aside(make_repository, publish, workspace, content):
    source = make_repository("project", {"a": "1"})
    workspace.write(publish(source.url).archive.replace(".tar", ".json"), content)
    source.commit({"a": "2"})

    assert shown(publish(source.url), workspace) == {"a": "2"}


def test_packs_that_no_commit_needs_do_not_pile_up(make_repository, publish, workspace, monkeypatch):
    monkeypatch.setattr(clone, "MAX_PACKS", 3)
    source = make_repository("project", {"a": "0"})
    counts = []
    for number in range(5):
        monkeypatch.setitem(GIT_ENVIRONMENT, "GIT_COMMITTER_DATE", f"2026-01-0{number + 1}T00:00:00Z")
        source.commit({"a": str(number)})
        counts.append(len(packs(publish(source.url), workspace)))

    assert counts == [1, 2, 3, 1, 2]


def test_snapshot_without_archive_is_fetched_again(make_repository, publish, workspace):
    source = make_repository("project", {"a": "1"})
    first = publish(source.url)
    workspace.delete(first.archive)

    assert publish(source.url) == first
    assert workspace.exists(first.archive)


def test_nothing_is_left_behind_in_the_temporary_folder(make_repository, publish, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    source = make_repository("project", {"a": "1"})

    publish(source.url)
    with pytest.raises(UnknownRefError):
        publish(f"{source.url}@none")

    assert list((tmp_path / "temporary").iterdir()) == []


def test_unknown_ref_names_refs_that_come_close(make_repository, publish):
    source = make_repository("project", {"a": "1"})
    source.git("branch", "develop")

    with pytest.raises(UnknownRefError, match="no branch, tag or commit 'devlop': some of its refs: develop"):
        publish(f"{source.url}@devlop")


def test_abbreviated_commit_is_explained(make_repository, publish):
    source = make_repository("project", {"a": "1"})

    with pytest.raises(UnknownRefError, match="all digits"):
        publish(f"{source.url}@{source.git('rev-parse', 'HEAD')[:10]}")


def test_unknown_commit_is_no_ref(make_repository, publish):
    source = make_repository("project", {"a": "1"})

    with pytest.raises(UnknownRefError):
        publish(f"{source.url}@{'0123' * 10}")


def test_ref_must_name_a_commit(make_repository, publish):
    source = make_repository("project", {"a": "1"})
    source.git("tag", "blob", source.git("rev-parse", "HEAD:a"))

    with pytest.raises(RepositoryError, match="no commit"):
        publish(f"{source.url}@blob")


@pytest.mark.parametrize("ref", ["", "@main"])
def test_empty_repository_has_no_commits(make_repository, publish, ref):
    source = make_repository("project")

    with pytest.raises(RepositoryError, match="has no commits"):
        publish(source.url + ref)


def test_missing_default_branch_is_explained(make_repository, publish):
    source = make_repository("project", {"a": "1"})
    source.git("symbolic-ref", "HEAD", "refs/heads/gone")

    with pytest.raises(UnknownRefError, match=r"no default branch.*@main"):
        publish(source.url)


def test_folder_that_is_no_repository_is_refused(publish, tmp_path):
    (tmp_path / "plain").mkdir()

    for path in ("plain", "absent"):
        with pytest.raises(RepositoryError, match="check the URL"):
            publish(str(tmp_path / path))


def test_local_repository_needs_the_setting(make_repository, publish):
    source = make_repository("project", {"a": "1"})

    with pytest.raises(UsageError, match="ASKREPO_ALLOW_LOCAL"):
        publish(source.url, allow_local=False)


@pytest.mark.parametrize(
    "hostile",
    [
        Repository("x", "--upload-pack=touch owned"),
        Repository("x", "-x"),
        Repository("x", "ext::sh -c touch% owned"),
        Repository("x", "ssh://-oProxyCommand=touch owned/x"),
        Repository("x", "file:///x", "--upload-pack=touch owned"),
        Repository("x", "file:///x", "-x"),
    ],
    ids=lambda repository: repository.ref or repository.url,
)
def test_nothing_can_pass_as_an_option_or_a_command(hostile, workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError):
        clone_repository(hostile, workspace=workspace, timeout_s=60, max_bytes=10**8, allow_local=True)

    assert not (tmp_path / "owned").exists()


def test_hooks_and_filters_of_the_source_do_not_run(make_repository, publish, tmp_path):
    source = make_repository("project", {"a": "1", ".gitattributes": "* filter=evil\n"})
    evil = f"touch {tmp_path}/owned"
    for name in ("post-checkout", "pre-receive", "post-update", "reference-transaction", "pre-auto-gc"):
        hook = source.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{evil}\n")
        hook.chmod(0o755)
    source.git("config", "filter.evil.smudge", evil)
    source.git("config", "core.fsmonitor", evil)
    source.git("config", "uploadpack.packObjectsHook", evil)

    publish(source.url)

    assert not (tmp_path / "owned").exists()


def test_too_large_repository_is_refused(make_repository, publish, workspace):
    source = make_repository("project", {"big.bin": os.urandom(3_000_000)})

    with pytest.raises(LimitExceededError, match=r"larger than 1\.0 MiB"):
        publish(source.url, max_bytes=1024**2)

    assert workspace.list_keys("snapshots") == []


def test_time_limit_covers_all_calls(make_repository, publish):
    source = make_repository("project", {"a": "1"})

    with pytest.raises(LimitExceededError):
        publish(source.url, timeout_s=0)


def test_token_opens_a_private_repository(make_repository, publish, serve):
    source = make_repository("project", {"a": "1"})
    server = serve(password=TOKEN)
    url = f"{server.url}/project/.git"

    snapshot = publish(url, git_environment=token_environment(url, "bot", TOKEN))

    assert snapshot.commit == source.git("rev-parse", "HEAD")
    assert b"ls-remote" in server.command_lines
    assert TOKEN.encode() not in server.command_lines


@pytest.mark.parametrize(
    "credentials", [{}, token_environment("http://127.0.0.1", "bot", "wrong-" + TOKEN)], ids=["none", "other-host"]
)
def test_missing_credentials_are_told(make_repository, publish, serve, credentials):
    make_repository("project", {"a": "1"})
    server = serve(password=TOKEN)

    with pytest.raises(CredentialsError, match="could not read Username"):
        publish(f"{server.url}/project/.git", git_environment=credentials)


def test_refused_token_is_told_without_repeating_it(make_repository, publish, serve):
    make_repository("project", {"a": "1"})
    server = serve(password=TOKEN)
    url = f"{server.url}/project/.git"

    with pytest.raises(CredentialsError) as failure:
        publish(url, git_environment=token_environment(url, "bot", "wrong-secret"))

    assert "Authentication failed" in str(failure.value)
    assert "wrong-secret" not in str(failure.value)
    assert b"wrong-secret" not in server.command_lines


@pytest.mark.parametrize(
    ("status", "error_class"),
    [(403, CredentialsError), (404, RepositoryError), (429, RemoteUnavailableError), (503, RemoteUnavailableError)],
)
def test_status_of_the_server_tells_whether_to_retry(make_repository, publish, serve, status, error_class):
    server = serve()
    server.status = status

    with pytest.raises(error_class):
        publish(f"{server.url}/project/.git")


def test_ref_that_moves_during_the_run_changes_nothing(make_repository, publish, serve):
    source = make_repository("project", {"a": "1"})
    resolved = source.git("rev-parse", "HEAD")
    server = serve()
    server.before_request = lambda connection: source.commit({"a": "2"}) if connection == 2 else None

    assert publish(f"{server.url}/project/.git@main").commit == resolved


def test_ref_whose_old_commit_is_gone_is_taken_as_it_is_now(make_repository, publish, serve, workspace):
    source = make_repository("project", {"a": "1"})
    dropped = source.git("rev-parse", "HEAD")
    server = serve()

    def force_push(connection: int) -> None:
        if connection == 2 and source.git("rev-parse", "HEAD") == dropped:
            source.git("commit", "--quiet", "--amend", "-m", "another")
            source.git("reflog", "expire", "--expire=now", "--all")
            source.git("gc", "--quiet", "--prune=now")

    server.before_request = force_push
    snapshot = publish(f"{server.url}/project/.git@main")

    assert snapshot.commit == source.git("rev-parse", "HEAD") != dropped
    with open_snapshot(snapshot, workspace=workspace) as bare:
        assert git(bare, "show", f"{snapshot.commit}:a") == "1"


def test_unusable_temporary_folder_is_told(make_repository, publish, tmp_path, monkeypatch):
    source = make_repository("project", {"a": "1"})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))

    with pytest.raises(StorageError, match=r"cannot work in .*absent: No such file.*TMPDIR"):
        publish(source.url)


def test_missing_archive_is_told(make_repository, publish, workspace):
    snapshot = publish(make_repository("project", {"a": "1"}).url)
    workspace.delete(snapshot.archive)

    with pytest.raises(ObjectMissingError), open_snapshot(snapshot, workspace=workspace):
        pass


@pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "other", "cut"])
def test_damaged_archive_is_told(make_repository, publish, workspace, content):
    snapshot = publish(make_repository("project", {"a": "1" * 5000}).url)
    damaged = workspace.read(snapshot.archive)[:700] if content is None else content
    workspace.write(snapshot.archive, damaged)

    with pytest.raises(StorageError, match="damaged"), open_snapshot(snapshot, workspace=workspace):
        pass


@pytest.mark.parametrize("name", ["../owned", "/owned", "config", "hooks/post-checkout", "objects/../config"])
def test_archive_member_that_no_snapshot_has_is_refused(make_repository, publish, workspace, tmp_path, name):
    snapshot = publish(make_repository("project", {"a": "1"}).url)
    with tarfile.open(tmp_path / "hostile.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    workspace.upload(snapshot.archive, tmp_path / "hostile.tar")

    with pytest.raises(StorageError, match="no snapshot has"), open_snapshot(snapshot, workspace=workspace):
        pass


@pytest.mark.parametrize(
    ("chatter", "told"), [(b"wait\n", "messages without end"), (b"x" * 60_000, "memory")], ids=["lines", "no-line-end"]
)
def test_server_that_talks_without_end_is_cut_off(
    make_repository, publish, serve, tmp_path, monkeypatch, chatter, told
):
    monkeypatch.setattr("askrepo.git.process.MEMORY_BYTES", 256 * 1024**2)
    make_repository("project", {"a": "1\n"})
    server = serve()
    server.chatter = chatter
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    with pytest.raises(LimitExceededError, match=told):
        publish(f"{server.url}/project/.git")

    assert list((tmp_path / "temporary").iterdir()) == []


def test_old_http_protocol_is_told(make_repository, publish, serve):
    source = make_repository("project", {"a": "1\n"})
    source.git("update-server-info")
    server = serve()
    server.is_dumb = True

    with pytest.raises(RepositoryError, match=r"old \('dumb'\) HTTP protocol.*give the folder"):
        publish(f"{server.url}/project/.git")


def test_partial_clone_is_told_and_runs_nothing(make_repository, publish, tmp_path):
    source = make_repository("project", {"a": "1\n" * 100})
    source.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "repositories" / "partial"
    git(tmp_path, "clone", "--quiet", "--bare", "--filter=blob:none", source.url, str(partial))
    git(partial, "config", "remote.origin.uploadpack", f"touch {tmp_path}/owned; git-upload-pack")

    with pytest.raises(RepositoryError, match=r"partial clone.*give the URL that it was cloned from"):
        publish(partial.as_uri())

    assert not (tmp_path / "owned").exists()


def test_repository_with_sha256_ids_is_read_and_refreshed(tmp_path, workspace, publish):
    path = tmp_path / "repositories" / "project"
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    source = GitRepository.existing(path.as_uri())
    first = source.commit({"a.py": "x = 1\n"})

    snapshot = publish(source.url)
    second = source.commit({"b.py": "y = 1\n"})
    refreshed = publish(f"{source.url}@{second}")

    assert (snapshot.commit, refreshed.commit) == (first, second)
    with open_snapshot(refreshed, workspace=workspace) as bare:
        assert git(bare, "ls-tree", "--name-only", "HEAD").split() == ["a.py", "b.py"]


@pytest.mark.parametrize(
    ("committer", "expected"),
    [
        ("", "1970-01-01T00:00:00Z"),
        ("committer A <a@b> -5 +0000\n", "1970-01-01T00:00:00Z"),
        ("committer A <a@b> 99999999999999999 +0000\n", "9999-12-31T23:59:59Z"),
        ("committer A <a@b> 999999999999 +0000\n", "9999-12-31T23:59:59Z"),
    ],
    ids=["none", "before", "never", "far"],
)
def test_odd_commit_times_cost_nothing(make_repository, publish, committer, expected):
    source = make_repository("project", {"a": "1\n"})
    tree = source.git("rev-parse", "HEAD^{tree}")
    content = f"tree {tree}\nauthor A <a@b> 1 +0000\n{committer}\nm\n"
    source.git("update-ref", "refs/heads/main", write_object(source, "commit", content.encode()))

    assert publish(source.url).committed_at == expected


def test_what_a_killed_clone_left_goes_with_the_next(make_repository, publish, tmp_path, monkeypatch):
    source = make_repository("project", {"a": "1\n"})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "askrepo-clone-left"
    left.mkdir()
    (left / "in-use").touch()

    publish(source.url)

    assert not left.exists()

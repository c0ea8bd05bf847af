"""git asks one origin, whatever its server answers: two real servers on loopback, one that redirects to the other."""

import re
from typing import Any

import pytest

from askrepo.errors import AskrepoError, CredentialsError, RepositoryError
from askrepo.git.process import RedirectedError
from askrepo.git.redirects import MAX_REDIRECTS, Address
from askrepo.git.remote_refs import remote_commit
from askrepo.git.repository_urls import parse_repository
from askrepo.git.snapshots import open_snapshot
from askrepo.pipeline.clone import clone_repository
from tests.git_server import token_environment

TOKEN = "tok-0123456789abcdef"
STATUSES = (301, 302, 303, 307, 308)


@pytest.fixture
def project(make_repository):
    return make_repository("project", {"a": "1\n"})


@pytest.fixture
def clone(workspace):
    def clone(url: str, **options):
        limits: dict[str, Any] = {"timeout_s": 120, "max_bytes": 10**8, "allow_local": True}
        return clone_repository(parse_repository(url, allow_local=True), workspace=workspace, **limits, **options)

    return clone


async def ask(url: str, **options) -> str:
    return await remote_commit(parse_repository(url, allow_local=True), timeout_s=60, allow_local=True, **options)


def moved(old: str, new: str, method: str | None = None):
    """A server's answer to what is asked below one path: the same below another, perhaps on another host."""

    def redirect(asked_by: str, path: str) -> str | None:
        is_asked = path.startswith(f"{old}/") and method in (None, asked_by)
        return new + path.removeprefix(old) if is_asked else None

    return redirect


@pytest.mark.parametrize(
    ("status", "new"),
    [(status, "{url}/project/.git") for status in STATUSES]
    + [(302, "/project/.git"), (302, "//{host}/project/.git"), (302, "../../project/.git")],
)
async def test_move_within_the_origin_is_followed(project, serve, clone, workspace, status, new):
    server = serve()
    server.redirect_status = status
    server.redirect = moved("/old.git", new.format(url=server.url, host=server.url.partition("//")[2]))
    url = f"{server.url}/old.git"

    snapshot = clone(url)

    assert (snapshot.commit, snapshot.url) == (project.git("rev-parse", "HEAD"), url)
    assert await ask(url) == snapshot.commit
    with open_snapshot(snapshot, workspace=workspace) as bare:
        assert (bare / "objects").is_dir()


@pytest.mark.parametrize(("status", "ref"), [(status, None) for status in STATUSES] + [(302, "main"), (302, "commit")])
def test_clone_is_not_led_to_another_origin(project, serve, clone, status, ref):
    server, other = serve(), serve()
    server.redirect_status = status
    server.redirect = moved("/old", f"{other.url}/project/.git")
    commit = project.git("rev-parse", "HEAD")
    url = f"{server.url}/old" + ("" if ref is None else f"@{commit if ref == 'commit' else ref}")

    with pytest.raises(RepositoryError) as failure:
        clone(url)

    assert str(failure.value) == (f"{server.url}/old has moved to {other.url}/project/.git; write that address instead")
    assert other.requests == []


async def test_question_about_a_ref_is_not_led_to_another_origin(project, serve):
    server, other = serve(), serve()
    server.redirect = moved("/old", f"{other.url}/project/.git")

    with pytest.raises(RepositoryError, match="has moved to"):
        await ask(f"{server.url}/old")

    assert other.requests == []


@pytest.mark.parametrize("status", STATUSES)
async def test_second_request_is_not_led_to_another_origin(project, serve, clone, status):
    server, other = serve(), serve()
    server.redirect_status = status
    server.redirect = moved("/project/.git", f"{other.url}/project/.git", "POST")
    url = f"{server.url}/project/.git"

    for asking in (lambda: clone(url), lambda: clone(f"{url}@{project.git('rev-parse', 'HEAD')}")):
        with pytest.raises(RepositoryError, match=f"has moved to {other.url}/project/.git; write"):
            asking()
    with pytest.raises(RepositoryError, match="has moved to"):
        await ask(url)

    assert other.requests == []


def test_fetch_alone_is_not_led_to_another_origin(project, serve, clone):
    server, other = serve(), serve()

    def redirect(method: str, path: str) -> str | None:
        is_fetch = method == "POST" and server.requests.count(path) > 1
        return other.url + path if is_fetch else None

    server.redirect = redirect

    with pytest.raises(RepositoryError, match="has moved to"):
        clone(f"{server.url}/project/.git")

    assert other.requests == []


def test_move_of_the_second_request_within_the_origin_is_followed(project, serve, clone):
    server = serve()
    (server.root / "old").symlink_to(server.root / "project")
    server.redirect = moved("/old/.git", "/project/.git", "POST")

    assert clone(f"{server.url}/old/.git").commit == project.git("rev-parse", "HEAD")


def test_credentials_stay_with_the_server_that_redirects(project, serve, clone):
    server, other = serve(password=TOKEN), serve(password=TOKEN)
    server.redirect = moved("/old", f"{other.url}/project/.git")
    url = f"{server.url}/old"
    askpass = server.root / "askpass"  # as Airflow's GitHook gives them: to whichever host asks
    askpass.write_text(f"#!/bin/sh\necho {TOKEN}\n")
    askpass.chmod(0o755)

    for credentials in (token_environment(url, "bot", TOKEN), {"GIT_ASKPASS": str(askpass)}):
        with pytest.raises(RepositoryError) as failure:
            clone(url, git_environment=credentials)
        assert TOKEN not in str(failure.value)

    assert other.requests == []


def test_credentials_go_with_a_move_within_the_origin(project, serve, clone):
    server = serve(password=TOKEN)
    server.redirect = moved("/old", "/project/.git")
    url = f"{server.url}/old"

    assert clone(url, git_environment=token_environment(url, "bot", TOKEN)).url == url

    with pytest.raises(CredentialsError):
        clone(f"{url}@main", git_environment=token_environment(url, "bot", "wrong-secret"))


def test_redirects_without_end_are_cut_off(serve, clone):
    server = serve()
    server.redirect = lambda method, path: path.replace("/a", "/aa")

    with pytest.raises(RepositoryError, match=f"redirects more than {MAX_REDIRECTS} times: check the URL"):
        clone(f"{server.url}/a/x")

    assert len(server.requests) == MAX_REDIRECTS + 2  # the first is asked again, with the headers shown


def test_last_of_the_allowed_redirects_is_followed(project, serve, clone):
    server = serve()
    names = [f"/old{number}" for number in range(MAX_REDIRECTS)] + ["/project/.git"]

    def redirect(method: str, path: str) -> str | None:
        old = next((name for name in names[:-1] if path.startswith(f"{name}/")), None)
        return old and names[names.index(old) + 1] + path.removeprefix(old)

    server.redirect = redirect

    assert clone(f"{server.url}/old0").name == "old0"


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("file:///{root}/project/.git/info/refs", "redirects to file://, where git is not sent"),
        ("ssh://git@host.example/x/info/refs", "redirects to ssh://host.example, where git is not sent"),
        ("ssh://-oProxyCommand=touch%20{root}/owned/x/info/refs", "where git is not sent"),
        ("ext::sh -c touch% {root}/owned", "does not say to which address"),
        ("https://host.example:99999/x/info/refs", "does not say to which address"),
        ("https://host.example/" + "x" * 5000 + "/info/refs", "does not say to which address"),
        ("http://[x/info/refs", "does not say to which address"),
        ("https://host.example/\x1b[2J/x/info/refs", "does not say to which address"),
        ("https://host.example/x%0aHost:y/info/refs", "an address of https://host.example that is not supported"),
        ("https://host.example/-/users/sign_in", "a page of https://host.example instead of a repository"),
        ("/users/sign_in?from=x", "a page of {url} instead of a repository"),
        ("https://me:tok-secret@host.example/x/y/info/refs", "moved to https://host.example/x/y; write"),
        ("https://host.example/x/ghp_0123456789abcdef/info/refs", "an address of https://host.example that"),
        ("https://host.example/x/y@z/info/refs", "an address of https://host.example that is not supported"),
        ("http://host.example/x/y/info/refs", "an address of http://host.example that is not supported"),
        ("HTTPS://Host.Example:443/x/y.git/info/refs?service=git-upload-pack", "https://host.example/x/y.git; write"),
    ],
)
def test_strange_redirect_is_one_clear_line(serve, clone, tmp_path, location, told):
    server = serve()
    root = tmp_path / "repositories"
    server.redirect = lambda method, path: location.format(root=root)

    with pytest.raises(RepositoryError) as failure:
        clone(f"{server.url}/x/y")

    assert told.format(url=server.url) in str(failure.value)
    assert not re.search(r"secret|ghp_|[\x00-\x1f]", str(failure.value))
    assert not (root / "owned").exists()


def test_redirect_without_a_location_is_told(serve, clone):
    server = serve()
    server.status = 302

    with pytest.raises(RepositoryError, match="redirects, and does not say to which address"):
        clone(f"{server.url}/x/y")


def test_ordinary_clone_makes_no_request_more(project, serve, clone):
    server = serve()

    clone(f"{server.url}/project/.git")

    assert [path.rpartition("/")[2] for path in server.requests] == [
        "refs?service=git-upload-pack",
        "git-upload-pack",
    ] * 2


def test_redirect_is_asked_through_the_proxy(project, serve, clone, monkeypatch):
    proxy = serve()  # it answers for every host
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "")
    asked = "http://127.0.0.1:9"
    proxy.redirect = moved(f"{asked}/old", f"{asked}/project/.git")

    assert clone(f"{asked}/old").commit == project.git("rev-parse", "HEAD")


def test_alternate_that_a_server_of_files_names_is_not_asked(project, serve, clone):
    server, other = serve(), serve()
    server.is_dumb = other.is_dumb = True
    project.git("update-server-info")
    (server.root / "project/.git/objects/info").mkdir(exist_ok=True)
    (server.root / "project/.git/objects/info/http-alternates").write_text(f"{other.url}/project/.git/objects\n")

    with pytest.raises(AskrepoError):
        clone(f"{server.url}/project/.git")

    assert other.requests == []


def headers(asked: str, location: str) -> list[str]:
    return [
        f"01:02:03.000001 http.c:684              => Send header: GET {asked} HTTP/2",
        "01:02:03.000002 http.c:684              <= Recv header: HTTP/2 301",
        f"01:02:03.000003 http.c:684              <= Recv header: location: {location}",
    ]


def followed(url: str, location: str) -> str:
    """Where git asks next when the server of a URL answers with a redirect."""
    address = Address(url)
    asked = f"{url.partition('//')[2].partition('/')[2]}/info/refs?service=git-upload-pack"
    for _ in range(2):
        address.follow(RedirectedError("moved", headers=headers(f"/{asked}", location)))
    return address.url


@pytest.mark.parametrize(
    ("url", "location", "now"),
    [
        ("http://127.0.0.1/x", "https://127.0.0.1/y/info/refs", "https://127.0.0.1/y"),
        ("https://github.com/old/x", "https://github.com/new/x/info/refs?service=y", "https://github.com/new/x"),
        ("https://github.com/old/x.git", "https://github.com/new/x.git/info/refs", "https://github.com/new/x.git"),
        ("https://host.example/x", "https://host.example:443/y/info/refs", "https://host.example/y"),
        ("https://host.example:443/x", "https://HOST.example/y/info/refs", "https://host.example/y"),
        ("https://host.example:8443/x", "/y/info/refs", "https://host.example:8443/y"),
        ("https://host.example/a/x", "../../../b/x/info/refs", "https://host.example/b/x"),
        ("https://[::1]:81/x", "https://[::1]:81/y/info/refs", "https://[::1]:81/y"),
        ("https://host.example/x", "https://u:p@host.example/y/info/refs", "https://host.example/y"),
    ],
)
def test_same_origin_is_followed(url, location, now):
    assert followed(url, location) == now


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://host.example/x", "http://host.example/y/info/refs"),
        ("https://host.example/x", "https://host.example:444/y/info/refs"),
        ("https://host.example/x", "https://www.host.example/y/info/refs"),
        ("https://host.example/x", "https://host.example.evil.example/y/info/refs"),
        ("https://host.example/x", "https://host.example@evil.example/y/info/refs"),
        ("https://host.example/x", "https://host.example\\@evil.example/y/info/refs"),
        ("https://host.example/x", "//evil.example/y/info/refs"),
        ("https://host.example/x", "http://127.0.0.1/y/info/refs"),
        ("http://127.0.0.1:81/x", "https://127.0.0.1/y/info/refs"),
        ("http://127.0.0.1:81/x", "https://127.0.0.1:81/y/info/refs"),
        ("http://127.0.0.1/x", "http://localhost/y/info/refs"),
    ],
)
def test_another_origin_is_not_followed(url, location):
    with pytest.raises(RepositoryError, match=r"has moved to .*; write that|is not supported|to which address"):
        followed(url, location)

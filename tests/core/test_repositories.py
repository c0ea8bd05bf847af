import re

import pytest

from askrepo.errors import UsageError
from askrepo.repositories import check_repository, parse_repositories, parse_repository, repository_id
from askrepo.types import Repository

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "name", "url", "ref"),
    [
        ("https://github.com/dlt-hub/dlt", "dlt-hub/dlt", "https://github.com/dlt-hub/dlt", None),
        ("https://GitHub.com/a/b.git/", "a/b", "https://github.com/a/b.git", None),
        ("https://github.com/a/b@v1.2", "a/b", "https://github.com/a/b", "v1.2"),
        ("https://github.com/a/b@feature/x", "a/b", "https://github.com/a/b", "feature/x"),
        ("https://github.com/a/b@pkg@1.0.0", "a/b", "https://github.com/a/b", "pkg@1.0.0"),
        (f"https://github.com/a/b@{COMMIT}", "a/b", "https://github.com/a/b", COMMIT),
        ("https://gitlab.com/group/sub/name", "group/sub/name", "https://gitlab.com/group/sub/name", None),
        ("ssh://git@example.org:2222/a/b.git@main", "a/b", "ssh://git@example.org:2222/a/b.git", "main"),
        ("git@github.com:a/b.git", "a/b", "ssh://git@github.com/a/b.git", None),
        ("git@github.com:a/b.git@v2", "a/b", "ssh://git@github.com/a/b.git", "v2"),
        ("  https://github.com/a/b\n", "a/b", "https://github.com/a/b", None),
    ],
)
def test_remote_repository_is_parsed(text, name, url, ref):
    assert parse_repository(text, allow_local=False) == Repository(name=name, url=url, ref=ref)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-x",
        "--upload-pack=touch x",
        "ext::sh -c touch% x",
        "fd::17",
        "git://example.org/a/b",
        "http://github.com/a/b",
        "ftp://example.org/a/b",
        "https://",
        "https://github.com",
        "https://github.com/",
        "https://-oProxyCommand=touch/x",
        "ssh://-oProxyCommand=touch x/y",
        "ssh://-l@example.org/y",
        "https://example.org:port/a",
        "https://example.org/a?x=1",
        "https://example.org/a#x",
        "https://example.org/a b",
        "https://example.org/a\x1b[31m",
        "https://example.org/a\nb",
        "owner/name",
        "github.com/owner/name",
    ],
)
def test_anything_else_is_refused_in_one_line(text):
    with pytest.raises(UsageError) as refusal:
        parse_repository(text, allow_local=True)

    assert re.fullmatch(r"[^\x00-\x1f]+", str(refusal.value))


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "-x",
        "--upload-pack=touch x",
        "a..b",
        "a b",
        "a:b",
        "refs/heads/*",
        "a^",
        "a~1",
        "@{u}",
        "x.lock",
        "/a",
        "a\\b",
    ],
)
def test_ref_that_git_could_misread_is_refused(ref):
    with pytest.raises(UsageError, match="is not a ref"):
        parse_repository(f"https://github.com/a/b@{ref}", allow_local=False)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:s3cret@github.com/a/b",
        "https://s3cret@github.com/a/b",
        "ssh://git:s3cret@github.com/a/b",
        "https://user:s3/cret@github.com/a/b",
        "https://user:s3cret@github.com:bad/a/b",
        "https://user:s3cret@git hub.com/a/b",
        "gopher://user:s3cret@github.com/a/b",
        "user:s3cret@github.com/a/b",
        "user:s3cret@github.com:a/b",
    ],
)
def test_credentials_in_url_are_refused_without_repeating_them(text):
    with pytest.raises(UsageError) as refusal:
        parse_repository(text, allow_local=False)

    assert "s3" not in str(refusal.value)


def test_refusal_of_credentials_says_where_they_belong():
    with pytest.raises(UsageError, match="connection or the environment"):
        parse_repository("https://user:token@github.com/a/b", allow_local=False)


def test_local_path_becomes_absolute_url(tmp_path, monkeypatch):
    (tmp_path / "my project").mkdir()
    monkeypatch.chdir(tmp_path)

    repository = parse_repository("./my project@v1", allow_local=True)

    assert repository == Repository("my project", (tmp_path / "my project").as_uri(), "v1")
    assert parse_repository(f"{repository.url}@v1", allow_local=True) == repository


def test_existing_directory_with_at_sign_is_no_ref(tmp_path):
    (tmp_path / "a@b").mkdir()

    assert parse_repository(str(tmp_path / "a@b"), allow_local=True).ref is None


@pytest.mark.parametrize("text", ["/srv/project", "./project", "~/project", "file:///srv/project"])
def test_local_repository_needs_the_setting(text):
    with pytest.raises(UsageError, match="ASKREPO_ALLOW_LOCAL"):
        parse_repository(text, allow_local=False)


def test_plain_http_only_reaches_this_machine():
    url = "http://127.0.0.1:8080/a/b"

    assert parse_repository(url, allow_local=True).url == url
    with pytest.raises(UsageError, match="http:// is not supported"):
        parse_repository(url, allow_local=False)


def test_equal_names_on_two_hosts_get_their_host():
    texts = ["https://github.com/a/b", "https://gitlab.com/a/b", "https://github.com/a/c"]

    names = [repository.name for repository in parse_repositories(texts, allow_local=False)]

    assert names == ["github.com/a/b", "gitlab.com/a/b", "a/c"]


def test_one_repository_at_two_refs_gets_its_refs():
    texts = ["https://github.com/a/b", "https://github.com/a/b@v1"]

    names = [repository.name for repository in parse_repositories(texts, allow_local=False)]

    assert names == ["a/b", "a/b@v1"]


@pytest.mark.parametrize(
    "texts",
    [
        ["https://github.com/a/b", "https://github.com/a/b"],
        ["https://github.com/a/b", "https://github.com/a/b.git/"],
        ["https://github.com/a/b@v1", "git@github.com:a/b.git@v1"],
    ],
    ids=["same-text", "same-url", "same-repository"],
)
def test_duplicate_is_refused(texts):
    with pytest.raises(UsageError, match=r"a/b.*2 times"):
        parse_repositories(texts, allow_local=False)


def test_directories_of_one_name_get_their_path(tmp_path):
    texts = [str(tmp_path / "x" / "lib"), str(tmp_path / "y" / "lib")]

    names = [repository.name for repository in parse_repositories(texts, allow_local=True)]

    assert names == [text.lstrip("/") for text in texts]


def test_repository_that_was_not_parsed_is_refused():
    for hostile in (
        Repository("x", "--upload-pack=touch x"),
        Repository("x", "ext::sh -c x"),
        Repository("x", "https://github.com/a/b", "--upload-pack=touch x"),
        Repository("x", "https://github.com/a/b@v1"),
        Repository("x", "file:///etc"),
    ):
        with pytest.raises(UsageError):
            check_repository(hostile, allow_local=False)


def test_repository_id_is_a_folder_name_of_its_own():
    ids = {
        repository_id("https://github.com/a/b"),
        repository_id("https://gitlab.com/a/b"),
        repository_id("https://github.com/a/b", "v1"),
        repository_id("file:///" + "long/" * 50),
        repository_id("file:///"),
    }

    assert len(ids) == 5
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", folder) for folder in ids)

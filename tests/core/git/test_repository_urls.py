import re
from functools import partial

import pytest

from askrepo.errors import UsageError
from askrepo.git.repository_urls import check_repository, parse_repositories, parse_repository, repository_id
from askrepo.types import Repository
from tests.growth import is_linear

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
        ("https://www.github.com/a/b", "a/b", "https://github.com/a/b", None),
        ("https://github.com/a/b,", "a/b", "https://github.com/a/b", None),
        ('"https://github.com/a/b",', "a/b", "https://github.com/a/b", None),
        ("<https://github.com/a/b>", "a/b", "https://github.com/a/b", None),
        ("(https://github.com/a/b)", "a/b", "https://github.com/a/b", None),
        ("(<https://github.com/a/b.git>).", "a/b", "https://github.com/a/b.git", None),
        ("[https://github.com/a/b@v1.2]:", "a/b", "https://github.com/a/b", "v1.2"),
        ("https://github.com/a/b.", "a/b", "https://github.com/a/b", None),
        ("https://github.com/a/b).", "a/b", "https://github.com/a/b", None),
        ("https://x.org/a/b_(old)", "a/b_(old)", "https://x.org/a/b_(old)", None),
        ("https://[::1]/a", "a", "https://[::1]/a", None),
        ("(git@github.com:a/b.git).", "a/b", "ssh://git@github.com/a/b.git", None),
        ("https://git.x.org/pub/tree/a.git", "pub/tree/a", "https://git.x.org/pub/tree/a.git", None),
        ("https://gist.github.com/0123", "0123", "https://gist.github.com/0123", None),
        ("https://github.com/a/b?tab=readme-ov-file#readme", "a/b", "https://github.com/a/b", None),
        ("https://github.com/a/b/#readme", "a/b", "https://github.com/a/b", None),
        ("https://gitlab.com/group/sub/src/lib", "group/sub/src/lib", "https://gitlab.com/group/sub/src/lib", None),
        ("https://bitbucket.x.com/scm/p/r.git", "scm/p/r", "https://bitbucket.x.com/scm/p/r.git", None),
        ("https://dev.azure.com/o/p/_git/r", "o/p/_git/r", "https://dev.azure.com/o/p/_git/r", None),
        ("https://o@dev.azure.com/o/p%20q/_git/r", "o/p q/_git/r", "https://dev.azure.com/o/p%20q/_git/r", None),
        ("git@ssh.dev.azure.com:v3/o/p/r", "v3/o/p/r", "ssh://git@ssh.dev.azure.com/v3/o/p/r", None),
        ("https://github.com/golang/oauth2@v0.1", "golang/oauth2", "https://github.com/golang/oauth2", "v0.1"),
        (
            "https://github.com/a/sk-learn-utilities",
            "a/sk-learn-utilities",
            "https://github.com/a/sk-learn-utilities",
            None,
        ),
        ("ssh://jane@example.org/x", "x", "ssh://jane@example.org/x", None),
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
    ("text", "instead"),
    [
        ("https://github.com/a/b/tree/main", "https://github.com/a/b@main"),
        ("https://www.github.com/a/b/blob/v1/src/x.py#L3", "https://github.com/a/b@v1"),
        (f"https://github.com/a/b/commit/{COMMIT}", f"https://github.com/a/b@{COMMIT}"),
        ("https://github.com/a/b/releases/tag/v1", "https://github.com/a/b@v1"),
        ("https://github.com/a/b/pull/5", "https://github.com/a/b"),
        ("https://raw.githubusercontent.com/a/b/main/README.md", "https://github.com/a/b@main"),
        ("https://gitlab.com/g/s/n/-/tree/main/docs?ref_type=heads", "https://gitlab.com/g/s/n@main"),
        ("https://gitlab.com/g/n/blob/main/x", "https://gitlab.com/g/n@main"),
        ("https://bitbucket.org/a/b/src/main/x.py?at=main", "https://bitbucket.org/a/b@main"),
        ("https://bitbucket.x.com/projects/P/repos/r/browse", "https://bitbucket.x.com/scm/p/r.git"),
        ("https://codeberg.org/a/b/src/branch/main/x", "https://codeberg.org/a/b@main"),
        ("https://git.x.com/a/b/src/tag/v1", "https://git.x.com/a/b@v1"),
        ("https://dev.azure.com/o/p/_git/r?version=GBmain&path=/x", "https://dev.azure.com/o/p/_git/r@main"),
        ("https://dev.azure.com/o/p/_git/r/pullrequests", "https://dev.azure.com/o/p/_git/r"),
        ("https://git.kernel.org/pub/scm/git/git.git/tree/?h=next", "https://git.kernel.org/pub/scm/git/git.git@next"),
        ("https://git.kernel.org/pub/scm/git/git.git/?h=next", "https://git.kernel.org/pub/scm/git/git.git@next"),
        ("https://git.kernel.org/pub/scm/git/git.git/log/Makefile", "https://git.kernel.org/pub/scm/git/git.git"),
        ("https://git.zx2c4.com/cgit/tree/README?h=master", "https://git.zx2c4.com/cgit@master"),
        (f"https://git.x.org/y/z.git/commit/?h=next&id={COMMIT}", f"https://git.x.org/y/z.git@{COMMIT}"),
        ("https://codeload.github.com/a/b/zip/refs/heads/main", "https://github.com/a/b@main"),
        ("https://codeload.github.com/a/b/tar.gz/v1.2", "https://github.com/a/b@v1.2"),
        ("https://github.com/a/b/archive/refs/tags/v1.2.tar.gz", "https://github.com/a/b@v1.2"),
        ("https://github.com/a/b/archive/main.zip", "https://github.com/a/b@main"),
        ("https://api.github.com/repos/a/b", "https://github.com/a/b"),
        ("https://api.github.com/repos/a/b/zipball/v1", "https://github.com/a/b@v1"),
        ("https://git.sr.ht/~a/b/tree", "https://git.sr.ht/~a/b"),
        ("https://git.sr.ht/~a/b/tree/main/item/x.c", "https://git.sr.ht/~a/b@main"),
        ("https://git.sr.ht/~a/b/log/main", "https://git.sr.ht/~a/b@main"),
        ("git+ssh://git@github.com/a/b.git", "ssh://git@github.com/a/b.git"),
        ("https://x.com/a/b?path=x", "https://x.com/a/b"),
        ("http://github.com/a/b", "https://github.com/a/b"),
        ("git://github.com/a/b", "https://github.com/a/b"),
        ("git+https://github.com/a/b", "https://github.com/a/b"),
        ("github.com/a/b", "https://github.com/a/b"),
        ("a/b", "https://github.com/a/b"),
    ],
)
def test_address_of_a_page_is_told_what_to_write(text, instead):
    with pytest.raises(UsageError, match=rf"write {re.escape(instead)}(\Z|[, ])"):
        parse_repository(text, allow_local=False)

    assert parse_repository(instead, allow_local=False)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("https://github.com/owner", "https://github.com/owner/NAME"),
        ("https://github.com/owner/?tab=repositories", "https://github.com/owner/NAME"),
        ("https://github.com/orgs/owner/repositories", "https://github.com/owner/NAME"),
        ("https://gitlab.com/group", "https://gitlab.com/group/NAME"),
        ("https://git.sr.ht/~jane", "https://git.sr.ht/~jane/NAME"),
    ],
)
def test_address_of_an_owner_is_told_what_to_write(text, instead):
    with pytest.raises(UsageError, match=rf"names an owner and no repository: write {re.escape(instead)}$"):
        parse_repository(text, allow_local=False)


def test_two_repositories_in_one_text_are_told():
    with pytest.raises(UsageError, match="more than one repository"):
        parse_repository("https://github.com/a/b,https://github.com/a/c", allow_local=False)


def test_commas_between_repositories_do_not_count():
    parsed = parse_repositories(["https://github.com/a/b,", ",", "https://github.com/a/c"], allow_local=False)

    assert [one.name for one in parsed] == ["a/b", "a/c"]


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
        "HTTPS://User:S3cret@github.com/a/b",
        "  https://user:s3cret@github.com/a/b",
        "\u200bhttps://user:s3cret@github.com/a/b",
        "-https://user:s3cret@github.com/a/b",
        "clone https://user:s3cret@github.com/a/b",
        "https://user%3As3cret%40github.com/a/b",
        "https://user:s3cret%40github.com/a/b",
        "https%3A%2F%2Fuser:s3cret@github.com/a/b",
        "https%253A%252F%252Fuser:s3cret@github.com/a/b",
        "https://user\uff1as3cret\uff20github.com/a/b",
        "git+https://user:s3cret@github.com/a/b",
        "https:/user:s3cret@github.com/a/b",
        "https:user:s3cret@github.com/a/b",
        "https:\\\\user:s3cret@github.com/a/b",
        "//user:s3cret@github.com/a/b",
        "file://user:s3cret@github.com/a/b",
        "http://user:s3cret@127.0.0.1/a/b",
        "https://:s3cret@github.com/a/b",
        "https://x-access-token:s3cret@github.com/a/b",
        "https://github.com/x-access-token:s3cret/a/b",
        "https://github.com/a/b?access_token=s3cret",
        "https://github.com/a/b?private_token=s3cret",
        "https://github.com/a/b?anything=s3cret",
        "https://github.com/a/b?tab=x&sig=s3cret",
        "git@github.com:a/b?x=s3cret",
        "https://github.com/a/b#access_token=s3cret",
        "https://github.com/a/b;token=s3cret",
        "https://github.com/ghp_s3cret/a/b",
        "https://github.com/a/b@ghp_s3cret",
        "https://gitlab.com/glpat-s3cret/a",
        "https://other@dev.azure.com/s3/p/_git/r",
        "https://github.com/s3Cret0s3Cret0s3Cret0s3Cret0s3Cret0s3Cret0/a",
    ],
)
def test_credentials_in_url_are_refused_without_repeating_them(text):
    for texts in ([text], ["https://github.com/x/y", text]):
        with pytest.raises(UsageError, match=r"carries credentials.*revoke them.*audit log") as refusal:
            parse_repositories(texts, allow_local=True)

        assert "s3" not in str(refusal.value).lower()


def test_place_in_the_list_tells_which_url_carries_credentials():
    with pytest.raises(UsageError, match="repository 2 of 2"):
        parse_repositories(["https://github.com/x/y", "https://u:tok@github.com/a/b"], allow_local=False)


LONG_PARTS = ("a:", "aA1", "%25", "a", "://", "@", "?a", "/tree", "https:", "x-access-", "a.", "sk-", ",h", "gh")


@pytest.mark.parametrize("part", LONG_PARTS)
def test_long_text_is_searched_in_linear_time(part):
    def refuse(chars, start):
        text = (start + part * chars)[:chars]
        with pytest.raises(UsageError):
            parse_repositories([text, "", "-"], allow_local=False)

    for start, chars in (("https://h.org/", 4_000), ("", 4_000), ("https://", 10**6)):
        assert is_linear(partial(refuse, start=start), chars)


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like a checkout below a root."""
    folder = tmp_path / "root" / "project"
    (folder / ".git" / "objects" / "info").mkdir(parents=True)
    (folder / "src" / "deep").mkdir(parents=True)
    return folder


def test_folder_inside_of_a_checkout_is_told_what_to_write(checkout):
    with pytest.raises(UsageError, match=rf"inside of the checkout '{checkout}'.*'src/deep/\*'"):
        parse_repository(str(checkout / "src" / "deep"), allow_local=True)


@pytest.mark.parametrize("form", ["{}", "file://{}", "{}/../project", "{}/src/.."])
def test_repository_below_the_root_is_admitted(checkout, form):
    assert parse_repository(form.format(checkout), allow_local=checkout.parent).url == checkout.as_uri()


@pytest.mark.parametrize(
    "way", ["other", "dots", "sibling", "link", "git-link", "git-file", "alternates", "objects-link"]
)
def test_repository_that_is_or_reads_outside_of_the_root_is_refused(checkout, tmp_path, way):
    outside = tmp_path / "root-of-others"
    (outside / "objects").mkdir(parents=True)
    git, text = checkout / ".git", str(checkout)
    if way in ("git-link", "git-file"):
        git.rename(tmp_path / "old")
    if way == "objects-link":
        (git / "objects").rename(tmp_path / "old")
    if way == "other":
        text = str(outside)
    elif way == "dots":
        text = f"{checkout}/../../root-of-others"
    elif way == "sibling":
        text = f"file://{outside}"
    elif way == "link":
        (checkout.parent / "link").symlink_to(outside)
        text = str(checkout.parent / "link")
    elif way == "git-link":
        git.symlink_to(outside)
    elif way == "git-file":
        git.write_text("gitdir: ../../root-of-others\n")
    elif way == "alternates":
        (git / "objects" / "info" / "alternates").write_text(f"{outside}/objects\n")
    else:
        (git / "objects").symlink_to(outside / "objects")

    with pytest.raises(UsageError, match=r"outside of .*ASKREPO_ALLOW_LOCAL"):
        parse_repository(text, allow_local=checkout.parent)


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


@pytest.mark.parametrize("text", ["/" + "a" * 3000, "~nobody-of-this-name/x", "./ring/x"])
def test_path_that_the_system_refuses_is_told_in_one_line(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ring").symlink_to("ring")

    with pytest.raises(UsageError, match="cannot be read as a repository"):
        parse_repository(text, allow_local=True)


@pytest.mark.parametrize("text", ["https://example.org/o/n%00", "https://example.org/o/n%0a", "git@example.org:o/n%1b"])
def test_control_character_that_is_escaped_is_refused(text):
    with pytest.raises(UsageError, match="contains a control character"):
        parse_repository(text, allow_local=False)

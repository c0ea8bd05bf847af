from __future__ import annotations

import pytest

from askrepo.search.candidates import Candidate
from askrepo.search.signals.home import AWAY, home_factors
from tests.core.pools import chunk_at


def factors(
    *paths: str, repository: str = "pallets/flask", kind: str = "source", terms: tuple[str, ...] = ()
) -> list[float]:
    return home_factors([Candidate(0, chunk_at(path, repository=repository, kind=kind)) for path in paths], terms)


@pytest.mark.parametrize(
    ("repository", "home"),
    [
        ("pallets/flask", "src/flask/app.py"),
        ("tokio-rs/tokio", "tokio/src/runtime/mod.rs"),
        ("dlt-hub/dlt", "dlt/pipeline/pipeline.py"),
        ("encode/django-rest", "django_rest/views.py"),
        ("square/OkHttp", "okhttp/src/Call.kt"),
        ("expressjs/body.parser", "lib/bodyparser/index.js"),
    ],
)
def test_source_outside_of_the_folder_named_like_the_repository_is_lowered(repository, home):
    assert factors(home, "tools/build.py", "setup.py", repository=repository) == [1, AWAY, AWAY]
    assert AWAY < 1


@pytest.mark.parametrize(
    ("repository", "path"), [("App-vNext/Polly", "src/Polly.Core/Retry.cs"), ("tokio-rs/axum", "axum-core/src/body.rs")]
)
def test_the_core_of_the_package_is_at_home_too(repository, path):
    assert factors(path, "tools/build.py", repository=repository) == [1, AWAY]


def test_public_headers_are_no_home():
    assert factors("include/uv/unix.h", "src/unix/tcp.c", repository="libuv/uv") == [1, 1]


def test_a_package_that_the_question_names_is_not_lowered():
    paths = "axum/src/lib.rs", "axum-extra/src/cookie.rs", "axum-macros/src/lib.rs"
    assert factors(*paths, repository="tokio-rs/axum", terms=("cooki", "extra")) == [1, 1, AWAY]
    assert factors(*paths, repository="tokio-rs/axum", terms=("axum", "src")) == [1, AWAY, AWAY]


def test_without_a_home_folder_nothing_is_lowered():
    assert factors("lib/app.py", "tools/build.py", "setup.py") == [1, 1, 1]


def test_a_file_named_like_the_repository_is_no_home():
    assert factors("flask.py", "tools/build.py") == [1, 1]


def test_deep_folders_of_the_name_are_namespaces():
    assert factors("gson/src/main/java/flask/Json.java", "tools/build.py") == [1, 1]


@pytest.mark.parametrize("kind", ["doc", "test", "example", "config"])
def test_only_source_is_lowered(kind):
    home = Candidate(0, chunk_at("src/flask/app.py", repository="pallets/flask"))
    other = Candidate(0, chunk_at("tools/page", repository="pallets/flask", kind=kind))
    assert home_factors([home, other]) == [1, 1]


def test_each_repository_has_a_home_of_its_own():
    candidates = [
        Candidate(0, chunk_at("src/flask/app.py", repository="pallets/flask")),
        Candidate(0, chunk_at("tools/a.py", repository="pallets/flask")),
        Candidate(1, chunk_at("tools/a.py", repository="psf/requests")),
    ]
    assert home_factors(candidates) == [1, AWAY, 1]


def test_nothing_has_no_factors():
    assert home_factors([]) == []

from __future__ import annotations

import pytest

from askrepo.search.candidates import Candidate
from askrepo.search.editions import (
    ARCHIVE_FACTOR,
    COPY_FACTOR,
    TRANSLATION_FACTOR,
    edition_factor,
    editions_named,
    is_english,
    superseded,
)
from askrepo.search.order.orders import decayed
from askrepo.search.question.question import Question
from askrepo.search.ranking import pooled
from askrepo.search.signals.prior import TERMS_PRIOR, kind_prior
from tests.core.pools import USAGE, chunk_at, ranked_chunks


def prior(path: str, question: str) -> float:
    return kind_prior(chunk_at(path, kind="doc"), Question.parse(question), USAGE)


@pytest.mark.parametrize(
    "path",
    [
        *("README.zh-CN.md", "README_JA.md", "README.fr.md", "docs/ja/routing.md", "docs/zh-hans/guide/routing.md"),
        *("translations/README-JP.md", "docs/cs-CZ/index.md", "i18n/cs/index.md"),
        *("docs/pt_BR/index.md", "i18n/uk/docs/routing.md", "website/content/routing.ko.md", "docs/routing_zh-CN.md"),
    ],
)
def test_a_translation_stands_behind_the_page_in_the_language_of_the_question(path):
    assert edition_factor(path) == TRANSLATION_FACTOR < 1
    assert prior(path, "how do I add a route?") < prior("docs/routing.md", "how do I add a route?")
    assert prior(path, "路由怎么添加?") == prior("docs/routing.md", "路由怎么添加?")


@pytest.mark.parametrize(
    "path",
    [
        *("README.md", "docs/id.md", "docs/it.rst", "docs/routing.md", "docs/to-do.md", "docs/sign-in.md"),
        *(
            "docs/en/routing.md",
            "README.en.md",
            "docs/internals/no-std.md",
            "guides/old-clients.md",
            "docs/version.md",
            "docs/v3/a.md",
            "guides/how-to-set-it-up.md",
            "guides/user-id-type.md",
            "docs/topics/i18n/translation.txt",
            "docs/locale/formats.md",
            "docs/cs/quickstart.md",
        ),
    ],
)
def test_a_page_is_no_translation_and_no_archive(path):
    assert edition_factor(path) == 1


@pytest.mark.parametrize(
    "path",
    [
        *("docs/archive/routing.md", "versioned_docs/version-2.1/routing.md"),
        *("website/docs/old/1.x/routing.md", "docs/legacy/routing.md"),
    ],
)
def test_a_page_of_an_earlier_version_stands_behind(path):
    assert edition_factor(path) == ARCHIVE_FACTOR < 1


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("how do I add a route?", True),
        ("connection pool", True),
        ("wie füge ich eine Route hinzu?", False),
        ("hoe voeg ik routes toe", False),
        ("what\u2019s needed to install it \u2026 on \u201cWindows\u201d", True),
        ("Wie installiere ich es in Windows", False),
        ("Wie lange werden Messwerte in tidelog aufbewahrt?", False),
        ("Windows Installation", True),
        ("ルートを追加", False),
    ],
)
def test_a_question_is_english_by_its_letters_and_small_words(text, english):
    assert is_english(text) is english


def test_of_a_page_in_several_versions_the_second_counts_as_a_copy():
    pages = [(chunk_at(f"docs/{edition}/faq.md", kind="doc", text=edition), 1.0) for edition in ("latest", "next")]
    assert [each.score for each in decayed(ranked_chunks(*pages))] == [1.0, COPY_FACTOR]


@pytest.mark.parametrize("path", ["doc/licenses/commons-license.txt", "internal/LICENSE", "packages/cli/COPYING.txt"])
def test_the_licence_of_bundled_code_stands_behind_the_root_s(path):
    assert prior(path, "which licence is it under?") < prior("LICENSE", "which licence is it under?")
    assert prior("docs/license_server.md", "which licence?") == prior("docs/server.md", "which licence?")


@pytest.mark.parametrize("path", ["LICENSE", "LICENSE-APACHE", "NOTICE"])
def test_a_licence_answers_only_what_is_asked_of_terms(path):
    asked, other = "may I use it in a commercial product?", "how do I give a default?"
    assert prior(path, other) == pytest.approx(TERMS_PRIOR * prior(path, asked))
    assert prior("docs/license_server.md", other) == prior("docs/server.md", other)


@pytest.mark.parametrize(
    ("question", "path", "is_spared"),
    [
        ("configuration of version 1", "versioned_docs/version-1.2/configuration.md", True),
        ("how was retry set in v2.1.0?", "versioned_docs/version-2.1/retry.md", True),
        ("configuration of version 2", "versioned_docs/version-1.2/configuration.md", False),
        ("what did the old API do", "docs/legacy/api.md", True),
        ("how do I set a retry", "docs/legacy/api.md", False),
    ],
)
def test_a_version_that_the_question_names_is_not_ranked_lower(question, path, is_spared):
    assert edition_factor(path, editions_named(question)) == (1 if is_spared else ARCHIVE_FACTOR)


NUMBERED = ("docs/v1/flags.md", "docs/v2/flags.md", "docs/v10/flags.md", "docs/faq.md", "api/v1/users.md")


@pytest.mark.parametrize(
    ("question", "earlier"),
    [
        ("how do I require a flag", {"docs/v1/flags.md", "docs/v2/flags.md"}),
        ("how do I require a flag in version 2", {"docs/v1/flags.md"}),
        ("what did the old flags do", set()),
        ("flags of an older version", set()),
        ("how do I delete old flags", {"docs/v1/flags.md", "docs/v2/flags.md"}),
    ],
)
def test_of_numbered_folders_side_by_side_the_highest_is_current(question, earlier):
    assert superseded(NUMBERED, editions_named(question)) == earlier


@pytest.mark.parametrize(
    ("paths", "behind"),
    [
        (("docs/v2/flags.md", "docs/flags.md", "docs/faq.md"), {"docs/v2/flags.md"}),
        (("site/1.0/a.md", "site/next/a.md", "site/latest/a.md"), {"site/1.0/a.md", "site/next/a.md"}),
        (("site/1.0/a.md", "site/next/a.md"), {"site/next/a.md"}),
        (("site/next/a.md",), set()),
        (("manual/dev/a.md", "manual/v1.8/a.md"), {"manual/dev/a.md"}),
        (("docs/dev/a.md", "docs/faq.md"), set()),
        (("api/v1/users.md", "docs/users.md"), set()),
    ],
)
def test_an_earlier_or_coming_version_stands_behind_the_page_of_today(paths, behind):
    assert superseded(paths) == behind


@pytest.mark.parametrize(
    "paths",
    [
        ("docs/1/setup.md", "docs/2/run.md"),
        ("posts/2023/news.md", "posts/2024/news.md"),
        ("a/v1/x.md", "b/v2/x.md"),
        ("docs/v2.md", "docs/v3.md"),
    ],
    ids=["chapters", "years", "other folders", "files"],
)
def test_other_numbers_are_no_versions(paths):
    assert superseded(paths) == frozenset()


def test_an_earlier_version_that_was_found_stands_behind_in_the_pool():
    question = Question.parse("how do I require a flag")
    found = [Candidate(0, chunk_at(path, kind="doc"), bm25=5.0) for path in ("docs/v2/flags.md", "docs/v3/flags.md")]
    pool = pooled(question, found, shares=USAGE, terms=question.terms, rarity={})
    assert pool.priors == (ARCHIVE_FACTOR, 1.0)
    assert pool.fused[1] == 1.0 > pool.fused[0]

"""Pages that by custom answer a topic: `SECURITY.md`, `CONTRIBUTING.md`, `LICENSE`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from askrepo.search.candidates import KindShares, Pool
from askrepo.search.editions import edition_factor
from askrepo.search.signals.customs import ANY_KIND_OF_FILE, TOPICS, Names
from askrepo.search.signals.home import is_named_after
from askrepo.types import Chunk

_PAGES = frozenset({"doc", "config"})
_NO_HOME = re.compile(r"(?:^|/)(?:issue_template|examples?|samples?|tests?|specs?)/", re.IGNORECASE)

USAGE_WEIGHT = 0.5
"""Of a question about use: "whom do I tell of a hole" asks for such a page, "how do I migrate a table" for another.
With 1 a question of 57 loses its page among the first three, with 0 one about the project does (measured 2026-11)."""

MIN_ABOUT_PROJECT = 0.5
"""How much a question must be about the project to have a place for the page of its topic."""


def topic_page(pool: Pool) -> list[float]:
    """For each page of a topic that the question touches how much it asks about the project; 0 for others."""
    about = about_project(pool.shares)
    pages = TopicPages(pool.question.text if about else "")
    wanted = pages.among(candidate.chunk for candidate in pool.candidates)
    return [about if page_file(candidate.chunk) in wanted else 0.0 for candidate in pool.candidates]


def about_project(shares: KindShares) -> float:
    """How much a question may be after such a page, in [0, 1]."""
    return shares.get("overview", 0.0) + USAGE_WEIGHT * shares.get("usage", 0.0)


def may_want_topic_page(shares: KindShares) -> bool:
    """Whether the page of a topic that the question touches is looked up, and has a place."""
    return about_project(shares) >= MIN_ABOUT_PROJECT


PageFile = tuple[str, str]
"""Repository and path."""


def page_file(chunk: Chunk) -> PageFile:
    """The file that a chunk is of."""
    return chunk.repository, chunk.path


class TopicPages:
    """The pages that by custom answer a question: most questions touch no topic of theirs."""

    def __init__(self, question: str) -> None:
        self._topics = [choices for words, choices in TOPICS if words.search(question)]

    def __bool__(self) -> bool:
        return bool(self._topics)

    def among(self, chunks: Iterable[Chunk]) -> frozenset[PageFile]:
        """The files of the chunks that are such pages: of each topic the surest that a repository has."""
        files = {page_file(chunk) for chunk in chunks if _may_be_page(chunk)} if self else frozenset[PageFile]()
        found: set[PageFile] = set()
        for repository in {repository for repository, _ in files}:
            of_it = {file for file in files if file[0] == repository}
            for choices in self._topics:
                of_choices = ({file for file in of_it if _is_called(file, [names])} for names in choices)
                found |= next(filter(None, of_choices), set())
        return frozenset(found)

    def nearest_to_root(self, files: Iterable[PageFile], *, limit: int) -> list[str]:
        """The paths that may be such pages, as far as a path tells, the outermost first."""
        choices = [names for choices in self._topics for names in choices]
        paths = {file[1] for file in files if _is_called(file, choices)}
        return sorted(paths, key=lambda path: (path.count("/"), path))[:limit]


def _may_be_page(chunk: Chunk) -> bool:
    """Whether the chunk is of a page, or of a manifest or the like, whatever it is written in."""
    return chunk.kind in _PAGES or ANY_KIND_OF_FILE.fullmatch(_path_at_home(page_file(chunk))) is not None


def _is_called(file: PageFile, choices: Sequence[Names]) -> bool:
    """Whether a page has one of the names; examples, translations and old versions are none."""
    path = _path_at_home(file)
    folder, _, name = path.rpartition("/")
    if not any(names.begins.match(name) for names in choices if not (folder and names.at_root)):
        return False
    return not _NO_HOME.search(file[1]) and edition_factor(file[1]) == 1


def _path_at_home(file: PageFile) -> str:
    """The path from the root, or from the folder that the repository is named after: `Dapper/Dapper.csproj`."""
    repository, path = file
    folder, _, name = path.rpartition("/")
    return name if folder and is_named_after(repository, folder) else path

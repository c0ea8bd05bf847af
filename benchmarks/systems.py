"""What is compared: the origin's recipe, every strategy, and the default with one ingredient left out at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from askrepo.aliases.readers import AliasReader
from askrepo.answer.context import Source, StoredFiles, context_for, number_sources
from askrepo.answer.passages import Stretch
from askrepo.search.candidates import Pool, Ranked
from askrepo.search.evaluation import CUT, Retrieved
from askrepo.search.folding import files, folded
from askrepo.search.gather import gather
from askrepo.search.order.exact_first import exact_first
from askrepo.search.order.nearness import by_nearness
from askrepo.search.order.opening import with_opening
from askrepo.search.order.orders import context, decayed
from askrepo.search.order.slots import with_slots
from askrepo.search.ranking import CONTEXT_SIGNALS, SIGNALS, Prior, Signals, ranked
from askrepo.search.request import SearchRequest
from askrepo.search.search import EVERYTHING, MAX_K, absent_names, search_files, search_files_with, search_with
from askrepo.search.signals.prior import kind_prior
from askrepo.search.strategies import Order, Ranking, by_alias, pool_for
from askrepo.types import Chunk, Hit
from benchmarks.origin_recipe import OriginRecipe

CONTEXT_TOKENS = 8000

ORIGIN = "origin's recipe"
COSINE_PIECES = f"{ORIGIN}, cosine alone"
RRF = "RRF alone"
NO_VECTORS = "signals (no vectors)"
DEFAULT = "hybrid (default)"
STRATEGIES = {"cosine": "cosine", "cosine, MMR": "mmr", "BM25": "bm25"}
WITHOUT = "without "


@dataclass(frozen=True)
class System:
    """A way of answering questions about one repository.

    :ivar listing: ten hits, best first. :ivar context: the sources within CONTEXT_TOKENS.
    :ivar absent: the question's names of which it says that they stand nowhere.
    """

    listing: Callable[[str], Sequence[Hit]]
    context: Callable[[str], Sequence[Source]]
    absent: Callable[[str], Collection[str]] = lambda _: ()

    def retrieve(self, question: str, *, with_context: bool) -> Retrieved:
        """What a question brings."""
        context = self.context(question) if with_context else ()
        hits = self.listing(question)
        sources = [source.citation for source in context]
        return Retrieved([hit.chunk for hit in hits], sources, [hit.more for hit in hits])


def no_prior(_chunk: Chunk, _question: object, _shares: object) -> float:
    """Every kind of file alike."""
    return 1.0


def as_ranked(ranked: Sequence[Ranked], _pool: Pool) -> Sequence[Ranked]:
    """No order but the ranking's own: no decay within a file, no slots."""
    return ranked


def without_slots(ranked: Sequence[Ranked], pool: Pool) -> Sequence[Ranked]:
    """The listing without the places kept for documentation."""
    return folded(by_nearness(decayed(ranked), pool), ranked)


def without_nearness(ranked: Sequence[Ranked], pool: Pool) -> Sequence[Ranked]:
    """The listing with every file in the place that the ranking gives it."""
    return folded(with_opening(with_slots(exact_first(decayed(ranked), pool), pool), pool), ranked)


@dataclass(frozen=True)
class Recipe:
    """The default ranking, or less of it."""

    signals: Signals = field(default_factory=lambda: SIGNALS)
    prior: Prior = kind_prior
    listing_order: Order = files
    context_order: Order = context

    def listing(self, requests: Sequence[SearchRequest]) -> list[Ranking]:
        """The order for a person."""
        return self._ranked(requests, self.listing_order, self.signals)

    def context(self, requests: Sequence[SearchRequest]) -> list[Ranking]:
        """The order for a chat model."""
        signals = {name: signal for name, signal in self.signals.items() if name in CONTEXT_SIGNALS}
        return self._ranked(requests, self.context_order, signals)

    def _ranked(self, requests: Sequence[SearchRequest], order: Order, signals: Signals) -> list[Ranking]:
        """What `askrepo.search.strategies` does, with what is left of it; `check_recipe` compares the two."""
        gathered = gather(requests, use_vectors=True)
        pool = pool_for(requests, gathered, prior=self.prior)
        return by_alias(order(ranked(pool, signals=signals), pool), len(requests))


LEFT_OUT: Mapping[str, Recipe] = {
    **{name: Recipe(signals={key: SIGNALS[key] for key in SIGNALS if key != name}) for name in SIGNALS},
    "prior": Recipe(prior=no_prior),
    "slots": Recipe(listing_order=without_slots),
    "nearness": Recipe(listing_order=without_nearness),
    "decay": Recipe(listing_order=as_ranked, context_order=as_ranked),
}


SHORT: Mapping[str, str] = {
    "origin": ORIGIN,
    "cosine": "cosine",
    "bm25": "BM25",
    "rrf": RRF,
    "signals": NO_VECTORS,
    "default": DEFAULT,
}
"""The systems that can be measured alone, by a word for each."""

ORDER = (ORIGIN, COSINE_PIECES, *STRATEGIES, RRF, NO_VECTORS, DEFAULT, *(f"{WITHOUT}{name}" for name in LEFT_OUT))
"""All systems, as the tables list them."""

BASELINES = (ORIGIN, "BM25", NO_VECTORS, DEFAULT)
"""What answers the many questions about names and commits."""


def systems(
    reader: AliasReader, origin: Callable[[], OriginRecipe], *, only: Collection[str] = ()
) -> dict[str, System]:
    """Every system by name, in the order of the tables.

    :param origin: the recipe's pieces and vectors, made only if they are wanted. :param only: names; none: all.
    """
    files = StoredFiles([reader])  # shared, since it remembers the files it read
    recipe = origin() if not only or ORIGIN in only else None
    known: dict[str, System] = {
        **(_of_origin(recipe, reader) if recipe else {}),
        **{name: _strategy(strategy, reader) for name, strategy in STRATEGIES.items()},
        RRF: _of_recipe(Recipe({}, no_prior, as_ranked, as_ranked), reader, files),
        NO_VECTORS: _strategy("signals", reader),
        DEFAULT: _strategy("hybrid", reader),
        **{f"{WITHOUT}{name}": _of_recipe(recipe, reader, files) for name, recipe in LEFT_OUT.items()},
    }
    return {name: system for name, system in known.items() if not only or name in only}


def check_recipe(reader: AliasReader, question: str) -> None:
    """Make sure that the whole recipe is what the default does, or leaving a part out would say nothing about it.

    :raises AssertionError: it is not.
    """
    ours, theirs = _of_recipe(Recipe(), reader, StoredFiles([reader])), _strategy("hybrid", reader)
    if [hit.chunk.id for hit in ours.listing(question)] != [hit.chunk.id for hit in theirs.listing(question)]:
        raise AssertionError(f"benchmarks.systems.Recipe ranks {question!r} otherwise than search does")
    shown = [source.citation for source in theirs.context(question)]
    if shown and shown != [source.citation for source in ours.context(question)]:
        raise AssertionError(f"benchmarks.systems.Recipe shows other passages for {question!r} than context_for does")


def _strategy(strategy: str, reader: AliasReader) -> System:
    """A strategy as `askrepo search` and `askrepo ask` use it."""
    return System(
        lambda question: search_files(question, readers=[reader], k=CUT, strategy=strategy),
        lambda question: context_for(question, readers=[reader], max_tokens=CONTEXT_TOKENS, strategy=strategy),
        lambda question: {each.name for each in absent_names(question, readers=[reader])},
    )


def _of_origin(recipe: OriginRecipe, reader: AliasReader) -> dict[str, System]:
    return {ORIGIN: _of_pieces(recipe.mmr, reader), COSINE_PIECES: _of_pieces(recipe.cosine, reader)}


def _of_recipe(recipe: Recipe, reader: AliasReader, stored: StoredFiles) -> System:
    readers = [reader]

    def context(question: str) -> Sequence[Source]:
        hits = search_with(recipe.context, question, readers=readers, k=MAX_K, where=EVERYTHING)
        return number_sources(hits, files=stored, max_tokens=CONTEXT_TOKENS)

    return System(lambda question: search_files_with(recipe.listing, question, readers=readers, k=CUT), context)


def _of_pieces(pieces_of: Callable[[str], Sequence[Chunk]], reader: AliasReader) -> System:
    """The origin's recipe; its pieces fill the context one by one."""

    def hits(question: str) -> list[Hit]:
        commit = reader.entry.manifest.snapshots[0].commit
        pieces = pieces_of(question)
        return [Hit(rank, 1 / rank, reader.alias, commit, "", piece) for rank, piece in enumerate(pieces, start=1)]

    def context(question: str) -> Sequence[Source]:
        return number_sources(hits(question), files=_Pieces(), max_tokens=CONTEXT_TOKENS)

    return System(lambda question: hits(question)[:CUT], context)


class _Pieces:
    """Stands for stored files where a piece has no neighbours."""

    def stretches_of(self, hit: Hit) -> Sequence[Stretch]:
        return [(hit.chunk,)]

    def url_of(self, hit: Hit, start_line: int, end_line: int) -> str:  # noqa: ARG002
        return ""

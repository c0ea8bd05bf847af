"""What moves a candidate beyond the fused ranking. One function per signal, applied in the order of `SIGNALS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from askrepo.search import prior
from askrepo.search.candidates import Candidate
from askrepo.search.request import SearchRequest

Signal = Callable[[Sequence[Candidate], SearchRequest], list[Candidate]]
"""From candidates to candidates with other scores; may add chunks that fusion did not find, never drops one."""


def kind_prior(candidates: Sequence[Candidate], request: SearchRequest) -> list[Candidate]:
    """Each score times the prior of the file's kind for the question's kind."""
    return [candidate.scaled(prior.kind_prior(candidate.chunk, request.question)) for candidate in candidates]


SIGNALS: tuple[Signal, ...] = (
    # signals that add to a score (definition of a named symbol, path words, file-level match, coherence) come first,
    # those that multiply it last, so that a prior weighs everything said for a chunk
    kind_prior,
)


def moved(candidates: Sequence[Candidate], request: SearchRequest) -> list[Candidate]:
    """The candidates after every signal."""
    current = list(candidates)
    for signal in SIGNALS:
        current = signal(current, request)
    return current

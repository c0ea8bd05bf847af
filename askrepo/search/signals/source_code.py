"""Source, for a question about code."""

from __future__ import annotations

from askrepo.search.candidates import Pool


def source_code(pool: Pool) -> list[float]:
    """For each candidate that is source how much the question is about code; 0 for others.

    Nothing for a question that names another kind of file, as "how is it tested" does.

    The prior multiplies: it cannot lift source that words and vectors hardly found; this does.
    """
    about_code = 0.0 if pool.question.names else pool.shares.get("code", 0.0)
    return [about_code if candidate.chunk.kind == "source" else 0.0 for candidate in pool.candidates]

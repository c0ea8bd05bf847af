"""Search: from a question to the chunks of one or more aliases that answer it, best first."""

__all__ = [
    "account",
    "candidates",
    "definition_lines",
    "evaluation",
    "excerpts",
    "links",
    "mmr",
    "nowhere",
    "occurrences",
    "outline",
    "question",
    "reading",
    "request",
    "search",
    "strategies",
    "verbatim",
]

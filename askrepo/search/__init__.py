"""Search: from a question to the chunks of one or more aliases that answer it, best first."""

__all__ = ["evaluation", "mmr", "question", "request", "search", "strategies"]

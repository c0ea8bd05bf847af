"""What speaks for a candidate beyond the fused ranking: one module per signal, each a pure function over the pool."""

__all__ = [
    "coherence",
    "definition",
    "file_match",
    "home",
    "named_path",
    "names",
    "namesake",
    "path_words",
    "prior",
    "source_code",
    "topic_page",
]

"""Files: what one file is, its language, its kind, its encoding, and what its path matches."""

__all__ = ["comments", "data_pages", "decode", "globs", "kinds", "languages"]

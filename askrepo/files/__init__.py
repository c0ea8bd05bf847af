"""Files: what one file is, its language, its kind, its encoding, and what its path matches."""

__all__ = ["comments", "decode", "globs", "kinds", "languages"]

"""Symbols: the names that a part of a text defines, and those around it."""

__all__ = ["names"]

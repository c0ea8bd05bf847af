"""Chunking: where a text can be cut; nothing here reads or writes anything."""

__all__ = ["cuts", "headings", "parser_process", "rows", "symbols", "syntax"]

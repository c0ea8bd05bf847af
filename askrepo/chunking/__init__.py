"""Chunking: where a text can be cut; nothing here reads or writes anything."""

__all__ = ["headings", "parser_process", "spans"]

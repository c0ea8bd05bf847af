"""Chunking: where a text can be cut; nothing here reads or writes anything."""

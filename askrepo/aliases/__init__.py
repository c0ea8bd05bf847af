"""Aliases: which dataset a name means, who may move or remove it, and how its readers follow."""

__all__ = [
    "catalogue",
    "claims",
    "definition_store",
    "definitions_file",
    "entry_at",
    "following",
    "kept",
    "publish",
    "readers",
    "removal",
    "rollback",
    "watch",
]

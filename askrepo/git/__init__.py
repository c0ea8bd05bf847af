"""Git: repositories as users name them, reached, read and linked to without running anything of theirs."""

__all__ = [
    "checkouts",
    "linked_pages",
    "local_repositories",
    "permalinks",
    "process",
    "redirects",
    "remote_refs",
    "repository_urls",
    "scratch",
    "snapshots",
    "tree",
]

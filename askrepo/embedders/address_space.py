"""Refuses to start what would end the process for want of address space."""

from __future__ import annotations

import resource

from askrepo.errors import DatasetUnreadableError


def check_address_space(needed_bytes: int, *, user: str) -> None:
    """Refuse where native threads would end the process, with or without a word.

    :param user: what needs so much.
    :raises DatasetUnreadableError: the process may use less.
    """
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit not in (resource.RLIM_INFINITY, -1) and limit < needed_bytes:
        raise DatasetUnreadableError(
            f"no dataset can be read: this process may use {limit / 1024**2:,.0f} MiB of address space, and {user} "
            f"needs {needed_bytes / 1024**2:,.0f}: raise the limit (`ulimit -v`)"
        )

"""Claims on datasets: whoever moves an alias to a dataset, or removes one, holds it first, so that never both happen.

A claim is one object, created only if absent. Who removes a dataset that somebody else is publishing leaves it alone;
who publishes one that is being removed is refused. Readers never look at claims.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from askrepo.errors import AskrepoError, UnavailableError
from askrepo.types import canonical_json
from askrepo.workspace.keys import claim_key
from askrepo.workspace.objects import ObjectExistsError, ObjectMissingError, Workspace

STALE_AFTER = timedelta(days=1)
"""A claim to publish, which takes minutes, was left by a killed process when it is as old as this."""

Purpose = Literal["publish", "remove"]

logger = logging.getLogger(__name__)


class DatasetClaimedError(UnavailableError):
    """Somebody else publishes or removes the dataset at this moment."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A dataset that is held.

    :ivar content: what the claim's object holds while nobody has taken it over.
    """

    dataset: str
    content: bytes
    key: str
    workspace: Workspace

    def check(self) -> None:
        """Make sure that the claim still is ours.

        :raises DatasetClaimedError: it was taken over.
        """
        if _read(self.key, self.workspace) != self.content:
            raise DatasetClaimedError(f"somebody else began to publish or to remove dataset {self.dataset}: try again")


@contextmanager
def claimed(
    alias: str, dataset: str, purpose: Purpose, *, workspace: Workspace, now: datetime | None = None
) -> Iterator[Claim]:
    """Hold a dataset for as long as the block takes.

    What a killed process of the same purpose left is taken over. A removal that fails keeps its claim, since it may
    have deleted something: nobody can publish what is left, until a later removal finishes the work.

    :raises DatasetClaimedError: the other purpose holds it.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    values = {"purpose": purpose, "at": now.isoformat(timespec="seconds"), "token": secrets.token_hex(16)}
    content = canonical_json(values).encode("utf-8")
    claim = Claim(dataset, content, claim_key(alias, dataset), workspace)
    _take(claim, purpose, now)
    try:
        yield claim
    except BaseException:
        if purpose == "publish":
            _release(claim)
        raise
    _release(claim)


def is_being_removed(alias: str, dataset: str, *, workspace: Workspace) -> bool:
    """Whether a removal of the dataset has begun, however long ago."""
    return _purpose(_read(claim_key(alias, dataset), workspace)) == "remove"


def _take(claim: Claim, purpose: Purpose, now: datetime) -> None:
    try:
        claim.workspace.create(claim.key, claim.content)
    except ObjectExistsError:
        found = _read(claim.key, claim.workspace)
        # The store may have taken an answer that got lost for a second try of ours.
        if found == claim.content:
            return
        if found is not None and not _may_take_over(found, purpose, now):
            doing = {"publish": "moving its alias to it", "remove": "removing it", None: "holding it"}[_purpose(found)]
            raise DatasetClaimedError(f"dataset {claim.dataset}: somebody is {doing}") from None
        claim.workspace.write(claim.key, claim.content)


def _may_take_over(found: bytes, purpose: Purpose, now: datetime) -> bool:
    """Whether the claim serves the same purpose, or is one to publish that nobody holds any more."""
    return _purpose(found) == purpose or (_purpose(found) != "remove" and _taken_at(found) < now - STALE_AFTER)


def _release(claim: Claim) -> None:
    """Delete the claim if nobody took it over; one that stays keeps a removal away for a day, and harms nothing."""
    try:
        if _read(claim.key, claim.workspace) == claim.content:
            claim.workspace.delete(claim.key)
    except AskrepoError as error:
        logger.warning("could not release the claim on dataset %s: %s", claim.dataset, error)


def _read(key: str, workspace: Workspace) -> bytes | None:
    try:
        return workspace.read_document(key)
    except ObjectMissingError:
        return None


def _purpose(content: bytes | None) -> Purpose | None:
    """What a claim is for; None for none, and for one that cannot be read."""
    values = _values(content)
    return values.get("purpose") if values.get("purpose") in ("publish", "remove") else None  # type: ignore[return-value]


def _taken_at(content: bytes) -> datetime:
    try:
        return datetime.fromisoformat(_values(content)["at"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def _values(content: bytes | None) -> dict[str, str]:
    try:
        values = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}

"""What maintenance found, for a person to read: storage used per alias, what would go and why, what stays and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from askrepo.housekeeping.maintenance import KINDS, Item, Plan
from askrepo.text.display import plain_line

SHARED = "(shared)"
_COLUMNS = ("dataset", "run", "snapshot")
# Of each kind; a workspace that was never cleaned has thousands of runs.
_SHOWN = 20
_FIRST = 3


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one kind is stored.

    :ivar count: datasets, runs, …; objects: of all of them together.
    """

    count: int = 0
    objects: int = 0
    bytes: int = 0

    @classmethod
    def of(cls, items: Iterable[Item]) -> Usage:
        """The sum of some items."""
        listed = list(items)
        return cls(len(listed), sum(item.objects for item in listed), sum(item.bytes for item in listed))


def usage_by_alias(plan: Plan) -> dict[str, dict[str, Usage]]:
    """What is stored, by alias and kind; `SHARED` has what no alias has for itself, so that all add up."""
    owners = sorted({item.alias for item in plan.items}, key=lambda alias: (not alias, alias))
    return {
        alias or SHARED: {kind: Usage.of(i for i in plan.items if (i.alias, i.kind) == (alias, kind)) for kind in KINDS}
        for alias in owners
    }


def plan_lines(plan: Plan, place: str) -> Iterator[str]:
    """The plan as text.

    :param place: the workspace's URL.
    """
    total = Usage.of(plan.items)
    yield plain_line(f"stored in {place}: {_amount(total)}, as of {plan.as_of:%Y-%m-%d %H:%M} UTC")
    yield from _table(usage_by_alias(plan))
    yield from _listed("would be removed", plan.removals)
    yield from _listed("stays", plan.kept)
    yield from (plain_line(f"could not be judged, so nothing of it is removed: {problem}") for problem in plan.problems)


def summary(items: Iterable[Item]) -> dict[str, dict[str, Any]]:
    """Counts, sizes and the first names by kind, small enough to pass between tasks."""
    listed = list(items)
    found: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        of_kind = [item for item in listed if item.kind == kind]
        if of_kind:
            total = Usage.of(of_kind)
            first = [item.name for item in of_kind[:_FIRST]]
            found[kind] = {"count": total.count, "objects": total.objects, "bytes": total.bytes, "first": first}
    return found


def shown_bytes(count: int) -> str:
    """A size as a person reads it."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{count} B" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"


def _table(usage: Mapping[str, Mapping[str, Usage]]) -> Iterator[str]:
    width = max(map(len, (*usage, "alias")))
    yield "".join([f"  {'alias':<{width}}", *(f"{kind + 's':>22}" for kind in _COLUMNS), f"{'other':>22}"])
    for alias, kinds in usage.items():
        others = [found for kind, found in kinds.items() if kind not in _COLUMNS]
        other = Usage(*(sum(values) for values in zip(*((u.count, u.objects, u.bytes) for u in others), strict=True)))
        cells = [*(kinds[kind] for kind in _COLUMNS), other]
        yield plain_line("".join([f"  {alias:<{width}}", *(f"{_cell(found):>22}" for found in cells)]))


def _cell(found: Usage) -> str:
    return f"{found.count:,}: {shown_bytes(found.bytes)}" if found.count else "-"


def _listed(what: str, items: Iterable[Item]) -> Iterator[str]:
    listed = list(items)
    yield f"{what}: {_amount(Usage.of(listed))}" if listed else f"{what}: nothing"
    for kind in KINDS:
        of_kind = [item for item in listed if item.kind == kind]
        for item in of_kind[:_SHOWN]:
            yield plain_line(f"  {shown_bytes(item.bytes):>10}  {kind} {item.name}: {item.verdict.why}")
        if len(of_kind) > _SHOWN:
            rest = Usage.of(of_kind[_SHOWN:])
            yield f"  {shown_bytes(rest.bytes):>10}  and {rest.count:,} more of these: {kind}"


def _amount(total: Usage) -> str:
    return f"{shown_bytes(total.bytes)} in {total.objects:,} objects"

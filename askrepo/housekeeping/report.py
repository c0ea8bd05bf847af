"""What maintenance found, for a person to read: storage used per alias, what would go and why, what stays and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

from askrepo.housekeeping.maintenance import Plan
from askrepo.housekeeping.stored import KINDS, Item
from askrepo.text.display import plain_line

SHARED = "(shared)"
_COLUMNS = ("dataset", "run", "snapshot")
# Of each kind; a workspace that was never cleaned has thousands of runs.
_SHOWN = 20
_FIRST = 3


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one kind is stored: so many datasets, runs, …, and the objects of all of them together."""

    count: int
    objects: int
    bytes: int

    @classmethod
    def of(cls, items: Iterable[Item]) -> Usage:
        """The sum of some items."""
        listed = list(items)
        return cls(len(listed), sum(item.objects for item in listed), sum(item.bytes for item in listed))

    def __str__(self) -> str:
        return f"{shown_bytes(self.bytes)} in {self.objects:,} objects"


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
    yield plain_line(f"stored in {place}: {Usage.of(plan.items)}, as of {plan.as_of:%Y-%m-%d %H:%M} UTC")
    yield from _table(usage_by_alias(plan))
    yield from _listed("would be removed", plan.removals)
    yield from _listed("stays", plan.kept)
    yield from (plain_line(f"could not be judged, so nothing of it is removed: {problem}") for problem in plan.problems)


def summary(items: Iterable[Item]) -> dict[str, dict[str, Any]]:
    """Counts, sizes and the first names by kind, small enough to pass between tasks."""
    return {
        kind: {**asdict(Usage.of(found)), "first": [item.name for item in found[:_FIRST]]}
        for kind, found in _by_kind(items).items()
    }


def shown_bytes(count: int) -> str:
    """A size as a person reads it."""
    size, units = float(count), ["B", "KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{count} B" if units[0] == "B" else f"{size:,.1f} {units[0]}"


def _table(usage: Mapping[str, Mapping[str, Usage]]) -> Iterator[str]:
    width = max(map(len, (*usage, "alias")))
    yield "".join([f"  {'alias':<{width}}", *(f"{kind + 's':>22}" for kind in _COLUMNS), f"{'other':>22}"])
    for alias, kinds in usage.items():
        others = [astuple(used) for kind, used in kinds.items() if kind not in _COLUMNS]
        used = [*(kinds[kind] for kind in _COLUMNS), Usage(*map(sum, zip(*others, strict=True)))]
        cells = (f"{each.count:,}: {shown_bytes(each.bytes)}" if each.count else "-" for each in used)
        yield plain_line("".join([f"  {alias:<{width}}", *(f"{cell:>22}" for cell in cells)]))


def _listed(what: str, items: Iterable[Item]) -> Iterator[str]:
    found = _by_kind(items)
    yield f"{what}: {Usage.of(item for each in found.values() for item in each) if found else 'nothing'}"
    for kind, of_kind in found.items():
        for item in of_kind[:_SHOWN]:
            yield plain_line(f"  {shown_bytes(item.bytes):>10}  {kind} {item.name}: {item.why}")
        if rest := of_kind[_SHOWN:]:
            yield f"  {shown_bytes(Usage.of(rest).bytes):>10}  and {len(rest):,} more of these: {kind}"


def _by_kind(items: Iterable[Item]) -> dict[str, list[Item]]:
    """The items of each kind that there are any of."""
    listed = list(items)
    found = {kind: [item for item in listed if item.kind == kind] for kind in KINDS}
    return {kind: of_kind for kind, of_kind in found.items() if of_kind}

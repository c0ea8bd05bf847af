"""Housekeeping: what of a workspace nobody needs any more, and the removal of that.

`stored` lists what there is, `retention` decides of each item whether it stays, `removal` removes one that does not;
`maintenance` does all three for a workspace, and after a swap for the datasets of its alias. Whatever happens:

- What readers may hold stays: the current dataset of any alias, the newest ones of each, and one that was left lately.
  A clock that jumped makes things stay longer, never shorter.
- What a run may be working on stays: runs, snapshots, and datasets that wait for their swap, until they are old.
- Nobody else's files are touched: names that askrepo does not give, what links lead to, datasets of other workspaces.
- Where an alias's log cannot be read, no dataset and no snapshot of anybody goes.
- A plan changes nothing. Each removal looks again: what was taken up, published or named since the plan is spared.
- A swap or rollback to a dataset and its removal exclude each other (`aliases.claims`).
- A removal that is killed leaves nothing that could be taken for a dataset, and goes on next time.
"""

__all__ = ["maintenance", "report", "retention"]

"""Where datasets live: writing, opening, reading and verifying them.

Only this package knows Deep Lake. `deeplake` is pinned exactly, because the rules that the modules rely on were
measured, not documented; `tests/core/store/test_store_contract.py` holds each of them.
"""

__all__ = [
    "ahead",
    "deeplake",
    "deletion",
    "inventory",
    "local_copy",
    "location",
    "opening",
    "proof",
    "reader",
    "schema",
    "verification",
    "writer",
]

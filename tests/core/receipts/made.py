"""Receipts made up for tests."""

from __future__ import annotations

from typing import Any

from askrepo.receipts.receipt import DatasetRead, KeptSource, Receipt, new_id
from askrepo.receipts.spans import span_of
from askrepo.types import Citation

FILE = [f"line {number}" for number in range(1, 21)]


def made(**values: Any) -> Receipt:
    """A receipt of one source, lines 5 to 7 of `a.py`."""
    citation = Citation("project", "c" * 40, "a.py", 5, 7)
    source = KeptSource(1, citation, "", True, "5\tline 5\n6\tline 6\n7\tline 7", span_of(citation, FILE))
    return Receipt(
        **{
            "id": new_id(),
            "conversation": new_id(),
            "asked_at": "2026-11-28T10:00:00+00:00",
            "question": "how?",
            "standalone_question": "how?",
            "datasets": (DatasetRead("main", 3, "20261128t000000z-abcdef", "d" * 64, {"project": "c" * 40}),),
            "settings": {"k": None},
            "model": "fake-model",
            "host": "127.0.0.1:1",
            "messages": ({"role": "system", "content": "Rules."}, {"role": "user", "content": "5\tline 5\n\nhow?"}),
            "schema": None,
            "sources": (source,),
            "steps": (),
            "answer": "So [1].",
            "finish_reason": "stop",
            "statements": (),
            "unresolved": (),
            "tokens_in": 100,
            "tokens_out": 10,
            "seconds": 1.5,
            **values,
        }
    )

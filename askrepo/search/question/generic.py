"""Words of questions about any project: "what problem does it solve", "is it the right tool for me"."""

from __future__ import annotations

from askrepo.text.terms import query_terms

GENERIC = frozenset(
    query_terms(
        "about aim application audience codebase contain description do does exist explain framework general give goal"
        " good idea intend intro introduce introduction kind know library main makes mean meant need overview package"
        " people point problem product program project purpose readme repo repository right short should solve software"
        " someone stuff summarise summarize summary tell thing tool understand use useful user what why want worth"
    )
)
"""Their terms: a page or section that has them answers no better than another."""

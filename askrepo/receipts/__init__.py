"""Receipts: answers kept with everything they rested on, sent again, and compared with what is stored now."""

__all__ = ["current", "receipt", "recheck", "replay", "spans", "store", "watched"]

"""The order: which of the ranked chunks are shown, and in which places."""

__all__ = ["orders", "slots"]

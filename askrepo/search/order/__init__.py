"""The order: which of the ranked chunks are shown, and in which places."""

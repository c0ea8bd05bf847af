"""Answers: from hits to passages, and from a chat model's text to citations that hold."""

__all__ = ["answer", "chat_models", "citations", "context", "stored_lines"]

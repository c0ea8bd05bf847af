"""Answers: from hits to passages, and from a chat model's text to citations that hold."""

__all__ = [
    "answer",
    "chat_models",
    "citations",
    "context",
    "dataset_lines",
    "form_memory",
    "reading_loop",
    "stored_lines",
    "verification",
    "verified_answer",
]

"""Answers: from hits to passages, and from a chat model's text to citations that hold."""

__all__ = [
    "answer",
    "answer_form",
    "chat_models",
    "citations",
    "context",
    "dataset_lines",
    "form_memory",
    "reading_loop",
    "reading_tools",
    "source_lines",
    "stored_lines",
    "verification",
    "verified_answer",
]

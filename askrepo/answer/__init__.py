"""Answers: from hits to passages, and from a chat model's text to citations that hold."""

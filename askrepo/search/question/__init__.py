"""The question: what its words ask for, before any dataset is looked at."""

__all__ = ["generic", "kinds", "mentions", "question"]

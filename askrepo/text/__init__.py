"""Text: counted in tokens, cut into terms, made safe to show."""

__all__ = ["display", "suggestions", "terms", "tokens"]

"""Text: counted in tokens, cut into terms, made safe to show."""

__all__ = ["counting", "display", "suggestions", "terms", "tokens"]

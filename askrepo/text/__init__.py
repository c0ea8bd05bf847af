"""Text: counted in tokens, cut into terms, made safe to show."""

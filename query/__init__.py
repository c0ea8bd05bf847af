"""The askrepo command: arguments in, one call of the core, text or JSON out."""

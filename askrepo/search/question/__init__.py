"""The question: what its words ask for, before any dataset is looked at."""

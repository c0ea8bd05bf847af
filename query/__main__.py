"""`python -m query`: the askrepo command without its script."""

from query.start import run

run()

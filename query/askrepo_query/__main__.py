"""`python -m askrepo_query`: the askrepo command without its script."""

from askrepo_query.start import run

run()

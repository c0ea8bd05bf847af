"""`python -m query`: the askrepo command without its script."""

from query.cli import main

main(prog_name="askrepo")

"""The pipeline: one module for each stage from clone to swap, and the run that joins them."""

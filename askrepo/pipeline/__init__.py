"""The pipeline: one module for each stage from clone to swap, and the run that joins them."""

__all__ = ["dataset_diff", "embed", "file_stage", "file_table", "plan", "run", "swap_report"]

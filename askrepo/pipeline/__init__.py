"""The pipeline: one module for each stage from clone to swap, and the run that joins them."""

__all__ = [
    "build",
    "clone",
    "compare",
    "dataset_diff",
    "embed",
    "file_stage",
    "in_process",
    "incumbent",
    "known_files",
    "load",
    "plan",
    "split",
    "swap",
]

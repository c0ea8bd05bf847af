"""Housekeeping: what of a workspace nobody needs any more, and the removal of that."""

__all__ = ["maintenance", "retention", "storage_report", "sweep"]

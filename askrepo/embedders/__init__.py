"""Embedders: what makes vectors of texts, on this machine or at an endpoint."""

__all__ = ["address_space", "embedder", "endpoints", "remote_errors", "spot_check"]

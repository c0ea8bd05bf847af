"""Embedders: what makes vectors of texts, on this machine or at an endpoint."""

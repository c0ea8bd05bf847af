"""The workspace: objects under keys in one store, local or remote, and the tables among them."""

__all__ = ["durable", "listing", "objects", "places", "s3_access", "stores", "tables"]

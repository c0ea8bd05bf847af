"""The workspace: objects under keys in one store, local or remote, and the tables among them."""

__all__ = ["durable", "keys", "listing", "objects", "places", "s3_access", "stores", "tables"]

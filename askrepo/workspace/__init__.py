"""The workspace: objects under keys in one store, local or remote, and the tables among them."""

"""LangChain: a retriever and a vector store over an alias."""

__all__ = ["retriever"]

"""A small embedding model in process: ``modelmesh.local-embeddings.v1``."""

from modelmesh_connector_local_embeddings.provider import LocalEmbeddingsProvider

__all__ = ["LocalEmbeddingsProvider"]

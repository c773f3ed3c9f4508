"""The clients: OpenAI's interface over a mesh, for threads and for asyncio."""

from modelmesh.client.aio import AsyncMeshClient, OpenAIClient
from modelmesh.client.sync import MeshClient

__all__ = ["AsyncMeshClient", "MeshClient", "OpenAIClient"]

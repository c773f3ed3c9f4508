"""The clients: OpenAI's interface over a mesh, for threads and for asyncio."""

from modelmesh.client.clients import AsyncMeshClient, MeshClient, ModelMesh, OpenAIClient

__all__ = ["AsyncMeshClient", "MeshClient", "ModelMesh", "OpenAIClient"]

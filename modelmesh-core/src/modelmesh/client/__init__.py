"""OpenAI's interface over a mesh: clients for threads and for asyncio, and the types of their replies and parameters."""

from modelmesh.client.clients import AsyncMeshClient, MeshClient, ModelMesh, OpenAIClient
from modelmesh.client.misspelling import MisspelledParameterWarning
from modelmesh.client.parameters import (
    CallExtras,
    ChatParameters,
    EmbeddingParameters,
    InputParam,
    MessageParam,
    ResponseFormatParam,
    ToolParam,
)
from modelmesh.client.raw import RawResponse
from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse
from modelmesh.client.shapes import (
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Delta,
    Embedding,
    Function,
    Message,
    ModelCard,
    ModelList,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.client.strict import StrictMeshClient, StrictOpenAIClient

__all__ = [
    "AsyncMeshClient",
    "AsyncStream",
    "CallExtras",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatParameters",
    "Choice",
    "ChunkChoice",
    "CreateEmbeddingResponse",
    "Delta",
    "Embedding",
    "EmbeddingParameters",
    "Function",
    "InputParam",
    "MeshClient",
    "Message",
    "MessageParam",
    "MisspelledParameterWarning",
    "ModelCard",
    "ModelList",
    "ModelMesh",
    "OpenAIClient",
    "RawResponse",
    "ResponseFormatParam",
    "Stream",
    "StrictMeshClient",
    "StrictOpenAIClient",
    "ToolCall",
    "ToolCallDelta",
    "ToolParam",
    "Usage",
]

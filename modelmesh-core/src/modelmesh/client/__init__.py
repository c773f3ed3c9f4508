"""OpenAI's interface over a mesh: clients for threads and for asyncio, and the types of their arguments and results.

Types of results that only annotations need are loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from modelmesh.client.clients import AsyncMeshClient, MeshClient, ModelMesh, OpenAIClient
from modelmesh.client.misspelling import MisspelledParameterWarning
from modelmesh.client.parameters import (
    CallExtras,
    ChatParameters,
    EmbeddingParameters,
    InputParam,
    MessageParam,
    ResponseFormatParam,
    TimeoutParam,
    ToolParam,
)
from modelmesh.client.raw import Headers, RawResponse
from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse
from modelmesh.client.shapes import (
    Annotation,
    Audio,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    CompletionTokensDetails,
    CustomTool,
    Delta,
    Embedding,
    Function,
    FunctionDelta,
    Logprobs,
    Message,
    ModelCard,
    ModelList,
    PromptTokensDetails,
    TokenLogprob,
    ToolCall,
    ToolCallDelta,
    TopLogprob,
    URLCitation,
    Usage,
)
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.client.strict import StrictMeshClient, StrictOpenAIClient

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt as Attempt
    from modelmesh._engine.foundation.attempts import AttemptOutcome as AttemptOutcome
    from modelmesh._engine.routing.explain import CandidateInfo as CandidateInfo
    from modelmesh._engine.routing.explain import Explanation as Explanation
    from modelmesh._engine.telemetry.budget_status import BudgetStatus as BudgetStatus
    from modelmesh._engine.telemetry.statistics import StatisticsCollector as StatisticsCollector
    from modelmesh._engine.telemetry.statistics import StatisticsScope as StatisticsScope
    from modelmesh._engine.telemetry.status import PoolInfo as PoolInfo
    from modelmesh._engine.telemetry.usage import UsageTracker as UsageTracker
    from modelmesh._engine.telemetry.usage_entry import UsageEntry as UsageEntry

_HOMES = {
    "Attempt": "modelmesh._engine.foundation.attempts",
    "AttemptOutcome": "modelmesh._engine.foundation.attempts",
    "BudgetStatus": "modelmesh._engine.telemetry.budget_status",
    "CandidateInfo": "modelmesh._engine.routing.explain",
    "Explanation": "modelmesh._engine.routing.explain",
    "PoolInfo": "modelmesh._engine.telemetry.status",
    "StatisticsCollector": "modelmesh._engine.telemetry.statistics",
    "StatisticsScope": "modelmesh._engine.telemetry.statistics",
    "UsageEntry": "modelmesh._engine.telemetry.usage_entry",
    "UsageTracker": "modelmesh._engine.telemetry.usage",
}

__all__ = [
    "Annotation",
    "AsyncMeshClient",
    "AsyncStream",
    "Attempt",
    "AttemptOutcome",
    "Audio",
    "BudgetStatus",
    "CallExtras",
    "CandidateInfo",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatParameters",
    "Choice",
    "ChunkChoice",
    "CompletionTokensDetails",
    "CreateEmbeddingResponse",
    "CustomTool",
    "Delta",
    "Embedding",
    "EmbeddingParameters",
    "Explanation",
    "Function",
    "FunctionDelta",
    "Headers",
    "InputParam",
    "Logprobs",
    "MeshClient",
    "Message",
    "MessageParam",
    "MisspelledParameterWarning",
    "ModelCard",
    "ModelList",
    "ModelMesh",
    "OpenAIClient",
    "PoolInfo",
    "PromptTokensDetails",
    "RawResponse",
    "ResponseFormatParam",
    "StatisticsCollector",
    "StatisticsScope",
    "Stream",
    "StrictMeshClient",
    "StrictOpenAIClient",
    "TimeoutParam",
    "TokenLogprob",
    "ToolCall",
    "ToolCallDelta",
    "ToolParam",
    "TopLogprob",
    "URLCitation",
    "Usage",
    "UsageEntry",
    "UsageTracker",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)

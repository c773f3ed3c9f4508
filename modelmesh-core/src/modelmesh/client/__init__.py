"""OpenAI's interface over a mesh: clients for threads and for asyncio, and the types of their arguments and results.

Names are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.lazy_import import lazy_names

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
    from modelmesh.client.clients import AsyncMeshClient as AsyncMeshClient
    from modelmesh.client.clients import MeshClient as MeshClient
    from modelmesh.client.clients import ModelMesh as ModelMesh
    from modelmesh.client.clients import OpenAIClient as OpenAIClient
    from modelmesh.client.misspelling import MisspelledParameterWarning as MisspelledParameterWarning
    from modelmesh.client.parameters import CallExtras as CallExtras
    from modelmesh.client.parameters import ChatParameters as ChatParameters
    from modelmesh.client.parameters import EmbeddingParameters as EmbeddingParameters
    from modelmesh.client.parameters import InputParam as InputParam
    from modelmesh.client.parameters import MessageParam as MessageParam
    from modelmesh.client.parameters import ResponseFormatParam as ResponseFormatParam
    from modelmesh.client.parameters import TimeoutParam as TimeoutParam
    from modelmesh.client.parameters import ToolParam as ToolParam
    from modelmesh.client.raw import Headers as Headers
    from modelmesh.client.raw import RawResponse as RawResponse
    from modelmesh.client.replies import ChatCompletion as ChatCompletion
    from modelmesh.client.replies import CreateEmbeddingResponse as CreateEmbeddingResponse
    from modelmesh.client.shapes import Annotation as Annotation
    from modelmesh.client.shapes import Audio as Audio
    from modelmesh.client.shapes import ChatCompletionChunk as ChatCompletionChunk
    from modelmesh.client.shapes import Choice as Choice
    from modelmesh.client.shapes import ChunkChoice as ChunkChoice
    from modelmesh.client.shapes import CompletionTokensDetails as CompletionTokensDetails
    from modelmesh.client.shapes import CustomTool as CustomTool
    from modelmesh.client.shapes import Delta as Delta
    from modelmesh.client.shapes import Embedding as Embedding
    from modelmesh.client.shapes import Function as Function
    from modelmesh.client.shapes import FunctionDelta as FunctionDelta
    from modelmesh.client.shapes import Logprobs as Logprobs
    from modelmesh.client.shapes import Message as Message
    from modelmesh.client.shapes import ModelCard as ModelCard
    from modelmesh.client.shapes import ModelList as ModelList
    from modelmesh.client.shapes import PromptTokensDetails as PromptTokensDetails
    from modelmesh.client.shapes import TokenLogprob as TokenLogprob
    from modelmesh.client.shapes import ToolCall as ToolCall
    from modelmesh.client.shapes import ToolCallDelta as ToolCallDelta
    from modelmesh.client.shapes import TopLogprob as TopLogprob
    from modelmesh.client.shapes import URLCitation as URLCitation
    from modelmesh.client.shapes import Usage as Usage
    from modelmesh.client.streams import AsyncStream as AsyncStream
    from modelmesh.client.streams import Stream as Stream
    from modelmesh.client.strict import StrictMeshClient as StrictMeshClient
    from modelmesh.client.strict import StrictOpenAIClient as StrictOpenAIClient

_HOMES = {
    "Annotation": "modelmesh.client.shapes",
    "AsyncMeshClient": "modelmesh.client.clients",
    "AsyncStream": "modelmesh.client.streams",
    "Attempt": "modelmesh._engine.foundation.attempts",
    "AttemptOutcome": "modelmesh._engine.foundation.attempts",
    "Audio": "modelmesh.client.shapes",
    "BudgetStatus": "modelmesh._engine.telemetry.budget_status",
    "CallExtras": "modelmesh.client.parameters",
    "CandidateInfo": "modelmesh._engine.routing.explain",
    "ChatCompletion": "modelmesh.client.replies",
    "ChatCompletionChunk": "modelmesh.client.shapes",
    "ChatParameters": "modelmesh.client.parameters",
    "Choice": "modelmesh.client.shapes",
    "ChunkChoice": "modelmesh.client.shapes",
    "CompletionTokensDetails": "modelmesh.client.shapes",
    "CreateEmbeddingResponse": "modelmesh.client.replies",
    "CustomTool": "modelmesh.client.shapes",
    "Delta": "modelmesh.client.shapes",
    "Embedding": "modelmesh.client.shapes",
    "EmbeddingParameters": "modelmesh.client.parameters",
    "Explanation": "modelmesh._engine.routing.explain",
    "Function": "modelmesh.client.shapes",
    "FunctionDelta": "modelmesh.client.shapes",
    "Headers": "modelmesh.client.raw",
    "InputParam": "modelmesh.client.parameters",
    "Logprobs": "modelmesh.client.shapes",
    "MeshClient": "modelmesh.client.clients",
    "Message": "modelmesh.client.shapes",
    "MessageParam": "modelmesh.client.parameters",
    "MisspelledParameterWarning": "modelmesh.client.misspelling",
    "ModelCard": "modelmesh.client.shapes",
    "ModelList": "modelmesh.client.shapes",
    "ModelMesh": "modelmesh.client.clients",
    "OpenAIClient": "modelmesh.client.clients",
    "PoolInfo": "modelmesh._engine.telemetry.status",
    "PromptTokensDetails": "modelmesh.client.shapes",
    "RawResponse": "modelmesh.client.raw",
    "ResponseFormatParam": "modelmesh.client.parameters",
    "StatisticsCollector": "modelmesh._engine.telemetry.statistics",
    "StatisticsScope": "modelmesh._engine.telemetry.statistics",
    "Stream": "modelmesh.client.streams",
    "StrictMeshClient": "modelmesh.client.strict",
    "StrictOpenAIClient": "modelmesh.client.strict",
    "TimeoutParam": "modelmesh.client.parameters",
    "TokenLogprob": "modelmesh.client.shapes",
    "ToolCall": "modelmesh.client.shapes",
    "ToolCallDelta": "modelmesh.client.shapes",
    "ToolParam": "modelmesh.client.parameters",
    "TopLogprob": "modelmesh.client.shapes",
    "URLCitation": "modelmesh.client.shapes",
    "Usage": "modelmesh.client.shapes",
    "UsageEntry": "modelmesh._engine.telemetry.usage_entry",
    "UsageTracker": "modelmesh._engine.telemetry.usage",
}

__all__ = [*_HOMES]

__getattr__ = lazy_names(globals(), _HOMES)


def __dir__() -> list[str]:
    return list(__all__)

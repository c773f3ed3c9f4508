"""OpenAI's interface over a mesh: clients for threads and for asyncio, and the types of their arguments and results.

Names are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.lazy_import import lazy_names

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt as Attempt
    from modelmesh._engine.foundation.attempts import AttemptOutcome as AttemptOutcome
    from modelmesh._engine.mesh.file_arguments import FileParam as FileParam
    from modelmesh._engine.routing.explain import CandidateInfo as CandidateInfo
    from modelmesh._engine.routing.explain import Explanation as Explanation
    from modelmesh._engine.telemetry.budget_status import BudgetStatus as BudgetStatus
    from modelmesh._engine.telemetry.statistics import StatisticsCollector as StatisticsCollector
    from modelmesh._engine.telemetry.statistics import StatisticsScope as StatisticsScope
    from modelmesh._engine.telemetry.status import PoolInfo as PoolInfo
    from modelmesh._engine.telemetry.usage import UsageTracker as UsageTracker
    from modelmesh._engine.telemetry.usage_entry import UsageEntry as UsageEntry
    from modelmesh.client.assembled_streams import AssembledStream as AssembledStream
    from modelmesh.client.assembled_streams import AsyncAssembledStream as AsyncAssembledStream
    from modelmesh.client.assembled_streams import AsyncStreamManager as AsyncStreamManager
    from modelmesh.client.assembled_streams import StreamManager as StreamManager
    from modelmesh.client.assemblers import ChatStreamEvent as ChatStreamEvent
    from modelmesh.client.attribute_dict import AttributeDict as AttributeDict
    from modelmesh.client.binary import BinaryReply as BinaryReply
    from modelmesh.client.binary import TextReply as TextReply
    from modelmesh.client.clients import AsyncMeshClient as AsyncMeshClient
    from modelmesh.client.clients import MeshClient as MeshClient
    from modelmesh.client.clients import ModelMesh as ModelMesh
    from modelmesh.client.clients import OpenAIClient as OpenAIClient
    from modelmesh.client.misspelling import MisspelledParameterWarning as MisspelledParameterWarning
    from modelmesh.client.pages import AsyncCursorPage as AsyncCursorPage
    from modelmesh.client.pages import AsyncPaginator as AsyncPaginator
    from modelmesh.client.pages import CursorPage as CursorPage
    from modelmesh.client.parameters import CallExtras as CallExtras
    from modelmesh.client.parameters import ChatParameters as ChatParameters
    from modelmesh.client.parameters import EmbeddingParameters as EmbeddingParameters
    from modelmesh.client.parameters import InputParam as InputParam
    from modelmesh.client.parameters import MessageParam as MessageParam
    from modelmesh.client.parameters import ResponseFormatParam as ResponseFormatParam
    from modelmesh.client.parameters import TimeoutParam as TimeoutParam
    from modelmesh.client.parameters import ToolParam as ToolParam
    from modelmesh.client.raw import AsyncStreamedResponse as AsyncStreamedResponse
    from modelmesh.client.raw import Headers as Headers
    from modelmesh.client.raw import RawResponse as RawResponse
    from modelmesh.client.raw import StreamedResponse as StreamedResponse
    from modelmesh.client.replies import ChatCompletion as ChatCompletion
    from modelmesh.client.replies import CompletionResponse as CompletionResponse
    from modelmesh.client.replies import CreateEmbeddingResponse as CreateEmbeddingResponse
    from modelmesh.client.replies import EmbeddingResponse as EmbeddingResponse
    from modelmesh.client.replies import Reply as Reply
    from modelmesh.client.resources.audio import SpeechParameters as SpeechParameters
    from modelmesh.client.resources.audio import TranscriptionParameters as TranscriptionParameters
    from modelmesh.client.resources.audio import TranslationParameters as TranslationParameters
    from modelmesh.client.resources.batches import BatchParameters as BatchParameters
    from modelmesh.client.resources.capability import Capability as Capability
    from modelmesh.client.resources.completions import CompletionParameters as CompletionParameters
    from modelmesh.client.resources.files import FileParameters as FileParameters
    from modelmesh.client.resources.images import ImageEditParameters as ImageEditParameters
    from modelmesh.client.resources.images import ImageParameters as ImageParameters
    from modelmesh.client.resources.moderations import ModerationParameters as ModerationParameters
    from modelmesh.client.resources.rerank import RerankParameters as RerankParameters
    from modelmesh.client.resources.responses import ResponseParameters as ResponseParameters
    from modelmesh.client.resources.search import SearchParameters as SearchParameters
    from modelmesh.client.resources.uploads import UploadParameters as UploadParameters
    from modelmesh.client.shapes.audio import AudioUsage as AudioUsage
    from modelmesh.client.shapes.audio import SpeechEvent as SpeechEvent
    from modelmesh.client.shapes.audio import Transcription as Transcription
    from modelmesh.client.shapes.audio import TranscriptionEvent as TranscriptionEvent
    from modelmesh.client.shapes.audio import TranscriptionResponse as TranscriptionResponse
    from modelmesh.client.shapes.audio import TranscriptionSegment as TranscriptionSegment
    from modelmesh.client.shapes.audio import TranscriptionWord as TranscriptionWord
    from modelmesh.client.shapes.audio import Translation as Translation
    from modelmesh.client.shapes.chat import Annotation as Annotation
    from modelmesh.client.shapes.chat import Audio as Audio
    from modelmesh.client.shapes.chat import ChatCompletionChunk as ChatCompletionChunk
    from modelmesh.client.shapes.chat import Choice as Choice
    from modelmesh.client.shapes.chat import ChunkChoice as ChunkChoice
    from modelmesh.client.shapes.chat import CompletionTokensDetails as CompletionTokensDetails
    from modelmesh.client.shapes.chat import CustomTool as CustomTool
    from modelmesh.client.shapes.chat import Delta as Delta
    from modelmesh.client.shapes.chat import Function as Function
    from modelmesh.client.shapes.chat import FunctionDelta as FunctionDelta
    from modelmesh.client.shapes.chat import Logprobs as Logprobs
    from modelmesh.client.shapes.chat import Message as Message
    from modelmesh.client.shapes.chat import PromptTokensDetails as PromptTokensDetails
    from modelmesh.client.shapes.chat import TokenLogprob as TokenLogprob
    from modelmesh.client.shapes.chat import ToolCall as ToolCall
    from modelmesh.client.shapes.chat import ToolCallDelta as ToolCallDelta
    from modelmesh.client.shapes.chat import TopLogprob as TopLogprob
    from modelmesh.client.shapes.chat import URLCitation as URLCitation
    from modelmesh.client.shapes.chat import Usage as Usage
    from modelmesh.client.shapes.completions import Completion as Completion
    from modelmesh.client.shapes.completions import CompletionChoice as CompletionChoice
    from modelmesh.client.shapes.completions import CompletionChunk as CompletionChunk
    from modelmesh.client.shapes.embeddings import Embedding as Embedding
    from modelmesh.client.shapes.files import Batch as Batch
    from modelmesh.client.shapes.files import BatchError as BatchError
    from modelmesh.client.shapes.files import BatchErrors as BatchErrors
    from modelmesh.client.shapes.files import BatchRequestCounts as BatchRequestCounts
    from modelmesh.client.shapes.files import FileDeleted as FileDeleted
    from modelmesh.client.shapes.files import FileObject as FileObject
    from modelmesh.client.shapes.files import Upload as Upload
    from modelmesh.client.shapes.files import UploadedFile as UploadedFile
    from modelmesh.client.shapes.files import UploadPart as UploadPart
    from modelmesh.client.shapes.images import Image as Image
    from modelmesh.client.shapes.images import ImageEvent as ImageEvent
    from modelmesh.client.shapes.images import ImageResponse as ImageResponse
    from modelmesh.client.shapes.images import ImagesResponse as ImagesResponse
    from modelmesh.client.shapes.images import ImageUsage as ImageUsage
    from modelmesh.client.shapes.models import ModelCard as ModelCard
    from modelmesh.client.shapes.models import ModelList as ModelList
    from modelmesh.client.shapes.moderations import Moderation as Moderation
    from modelmesh.client.shapes.moderations import ModerationCategories as ModerationCategories
    from modelmesh.client.shapes.moderations import ModerationCreateResponse as ModerationCreateResponse
    from modelmesh.client.shapes.responses import IncompleteDetails as IncompleteDetails
    from modelmesh.client.shapes.responses import InputTokensDetails as InputTokensDetails
    from modelmesh.client.shapes.responses import OutputTokensDetails as OutputTokensDetails
    from modelmesh.client.shapes.responses import Response as Response
    from modelmesh.client.shapes.responses import ResponseBody as ResponseBody
    from modelmesh.client.shapes.responses import ResponseContent as ResponseContent
    from modelmesh.client.shapes.responses import ResponseError as ResponseError
    from modelmesh.client.shapes.responses import ResponseEvent as ResponseEvent
    from modelmesh.client.shapes.responses import ResponseItem as ResponseItem
    from modelmesh.client.shapes.responses import ResponseUsage as ResponseUsage
    from modelmesh.client.shapes.search import RerankResponse as RerankResponse
    from modelmesh.client.shapes.search import RerankResult as RerankResult
    from modelmesh.client.shapes.search import SearchResponse as SearchResponse
    from modelmesh.client.shapes.search import SearchResult as SearchResult
    from modelmesh.client.streams import AsyncStream as AsyncStream
    from modelmesh.client.streams import Stream as Stream
    from modelmesh.client.strict import StrictMeshClient as StrictMeshClient
    from modelmesh.client.strict import StrictOpenAIClient as StrictOpenAIClient

_HOMES = {
    "Annotation": "modelmesh.client.shapes.chat",
    "AssembledStream": "modelmesh.client.assembled_streams",
    "AsyncAssembledStream": "modelmesh.client.assembled_streams",
    "AsyncCursorPage": "modelmesh.client.pages",
    "AsyncMeshClient": "modelmesh.client.clients",
    "AsyncPaginator": "modelmesh.client.pages",
    "AsyncStream": "modelmesh.client.streams",
    "AsyncStreamManager": "modelmesh.client.assembled_streams",
    "AsyncStreamedResponse": "modelmesh.client.raw",
    "Attempt": "modelmesh._engine.foundation.attempts",
    "AttemptOutcome": "modelmesh._engine.foundation.attempts",
    "AttributeDict": "modelmesh.client.attribute_dict",
    "Audio": "modelmesh.client.shapes.chat",
    "AudioUsage": "modelmesh.client.shapes.audio",
    "Batch": "modelmesh.client.shapes.files",
    "BatchError": "modelmesh.client.shapes.files",
    "BatchErrors": "modelmesh.client.shapes.files",
    "BatchParameters": "modelmesh.client.resources.batches",
    "BatchRequestCounts": "modelmesh.client.shapes.files",
    "BinaryReply": "modelmesh.client.binary",
    "BudgetStatus": "modelmesh._engine.telemetry.budget_status",
    "CallExtras": "modelmesh.client.parameters",
    "CandidateInfo": "modelmesh._engine.routing.explain",
    "Capability": "modelmesh.client.resources.capability",
    "ChatCompletion": "modelmesh.client.replies",
    "ChatCompletionChunk": "modelmesh.client.shapes.chat",
    "ChatParameters": "modelmesh.client.parameters",
    "ChatStreamEvent": "modelmesh.client.assemblers",
    "Choice": "modelmesh.client.shapes.chat",
    "ChunkChoice": "modelmesh.client.shapes.chat",
    "Completion": "modelmesh.client.shapes.completions",
    "CompletionChoice": "modelmesh.client.shapes.completions",
    "CompletionChunk": "modelmesh.client.shapes.completions",
    "CompletionParameters": "modelmesh.client.resources.completions",
    "CompletionResponse": "modelmesh.client.replies",
    "CompletionTokensDetails": "modelmesh.client.shapes.chat",
    "CreateEmbeddingResponse": "modelmesh.client.replies",
    "CursorPage": "modelmesh.client.pages",
    "CustomTool": "modelmesh.client.shapes.chat",
    "Delta": "modelmesh.client.shapes.chat",
    "Embedding": "modelmesh.client.shapes.embeddings",
    "EmbeddingParameters": "modelmesh.client.parameters",
    "EmbeddingResponse": "modelmesh.client.replies",
    "Explanation": "modelmesh._engine.routing.explain",
    "FileDeleted": "modelmesh.client.shapes.files",
    "FileObject": "modelmesh.client.shapes.files",
    "FileParam": "modelmesh._engine.mesh.file_arguments",
    "FileParameters": "modelmesh.client.resources.files",
    "Function": "modelmesh.client.shapes.chat",
    "FunctionDelta": "modelmesh.client.shapes.chat",
    "Headers": "modelmesh.client.raw",
    "Image": "modelmesh.client.shapes.images",
    "ImageEditParameters": "modelmesh.client.resources.images",
    "ImageEvent": "modelmesh.client.shapes.images",
    "ImageParameters": "modelmesh.client.resources.images",
    "ImageResponse": "modelmesh.client.shapes.images",
    "ImageUsage": "modelmesh.client.shapes.images",
    "ImagesResponse": "modelmesh.client.shapes.images",
    "IncompleteDetails": "modelmesh.client.shapes.responses",
    "InputParam": "modelmesh.client.parameters",
    "InputTokensDetails": "modelmesh.client.shapes.responses",
    "Logprobs": "modelmesh.client.shapes.chat",
    "MeshClient": "modelmesh.client.clients",
    "Message": "modelmesh.client.shapes.chat",
    "MessageParam": "modelmesh.client.parameters",
    "MisspelledParameterWarning": "modelmesh.client.misspelling",
    "ModelCard": "modelmesh.client.shapes.models",
    "ModelList": "modelmesh.client.shapes.models",
    "ModelMesh": "modelmesh.client.clients",
    "Moderation": "modelmesh.client.shapes.moderations",
    "ModerationCategories": "modelmesh.client.shapes.moderations",
    "ModerationCreateResponse": "modelmesh.client.shapes.moderations",
    "ModerationParameters": "modelmesh.client.resources.moderations",
    "OpenAIClient": "modelmesh.client.clients",
    "OutputTokensDetails": "modelmesh.client.shapes.responses",
    "PoolInfo": "modelmesh._engine.telemetry.status",
    "PromptTokensDetails": "modelmesh.client.shapes.chat",
    "RawResponse": "modelmesh.client.raw",
    "Reply": "modelmesh.client.replies",
    "RerankParameters": "modelmesh.client.resources.rerank",
    "RerankResponse": "modelmesh.client.shapes.search",
    "RerankResult": "modelmesh.client.shapes.search",
    "Response": "modelmesh.client.shapes.responses",
    "ResponseBody": "modelmesh.client.shapes.responses",
    "ResponseContent": "modelmesh.client.shapes.responses",
    "ResponseError": "modelmesh.client.shapes.responses",
    "ResponseEvent": "modelmesh.client.shapes.responses",
    "ResponseFormatParam": "modelmesh.client.parameters",
    "ResponseItem": "modelmesh.client.shapes.responses",
    "ResponseParameters": "modelmesh.client.resources.responses",
    "ResponseUsage": "modelmesh.client.shapes.responses",
    "SearchParameters": "modelmesh.client.resources.search",
    "SearchResponse": "modelmesh.client.shapes.search",
    "SearchResult": "modelmesh.client.shapes.search",
    "SpeechEvent": "modelmesh.client.shapes.audio",
    "SpeechParameters": "modelmesh.client.resources.audio",
    "StatisticsCollector": "modelmesh._engine.telemetry.statistics",
    "StatisticsScope": "modelmesh._engine.telemetry.statistics",
    "Stream": "modelmesh.client.streams",
    "StreamManager": "modelmesh.client.assembled_streams",
    "StreamedResponse": "modelmesh.client.raw",
    "StrictMeshClient": "modelmesh.client.strict",
    "StrictOpenAIClient": "modelmesh.client.strict",
    "TextReply": "modelmesh.client.binary",
    "TimeoutParam": "modelmesh.client.parameters",
    "TokenLogprob": "modelmesh.client.shapes.chat",
    "ToolCall": "modelmesh.client.shapes.chat",
    "ToolCallDelta": "modelmesh.client.shapes.chat",
    "ToolParam": "modelmesh.client.parameters",
    "TopLogprob": "modelmesh.client.shapes.chat",
    "Transcription": "modelmesh.client.shapes.audio",
    "TranscriptionEvent": "modelmesh.client.shapes.audio",
    "TranscriptionParameters": "modelmesh.client.resources.audio",
    "TranscriptionResponse": "modelmesh.client.shapes.audio",
    "TranscriptionSegment": "modelmesh.client.shapes.audio",
    "TranscriptionWord": "modelmesh.client.shapes.audio",
    "Translation": "modelmesh.client.shapes.audio",
    "TranslationParameters": "modelmesh.client.resources.audio",
    "URLCitation": "modelmesh.client.shapes.chat",
    "Upload": "modelmesh.client.shapes.files",
    "UploadParameters": "modelmesh.client.resources.uploads",
    "UploadPart": "modelmesh.client.shapes.files",
    "UploadedFile": "modelmesh.client.shapes.files",
    "Usage": "modelmesh.client.shapes.chat",
    "UsageEntry": "modelmesh._engine.telemetry.usage_entry",
    "UsageTracker": "modelmesh._engine.telemetry.usage",
}

__all__ = [*_HOMES]

__getattr__ = lazy_names(globals(), _HOMES)


def __dir__() -> list[str]:
    return list(__all__)

"""``client.completions``: OpenAI's legacy completions. A vendor without them receives a chat completion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypedDict, TypeVar, Unpack, overload

from modelmesh.client.parameters import CallExtras, InputParam
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.completions import Completion, CompletionChunk
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.contracts.operations import COMPLETIONS

if TYPE_CHECKING:
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
StreamT_co = TypeVar("StreamT_co", covariant=True)
ReplyT = TypeVar("ReplyT")
StreamT = TypeVar("StreamT")


class _RequiredOfCompletions(TypedDict):
    model: str
    prompt: InputParam


class CompletionParameters(_RequiredOfCompletions, CallExtras, total=False):
    """Parameters of ``completions.create``, except ``stream``."""

    best_of: int | None
    echo: bool | None
    frequency_penalty: float | None
    logit_bias: Mapping[str, int] | None
    logprobs: int | None
    max_tokens: int | None
    n: int | None
    presence_penalty: float | None
    seed: int | None
    stop: str | Sequence[str] | None
    stream_options: Mapping[str, Any] | None
    suffix: str | None
    temperature: float | None
    top_p: float | None
    user: str | None


class CompletionsCreate(Protocol[ReplyT_co, StreamT_co]):
    """Signature of ``completions.create``: a reply, a stream with ``stream=True``, either of them with a ``bool``."""

    @overload
    def __call__(self, *, stream: Literal[False] | None = None, **parameters: Unpack[CompletionParameters]) -> ReplyT_co: ...

    @overload
    def __call__(self, *, stream: Literal[True], **parameters: Unpack[CompletionParameters]) -> StreamT_co: ...

    @overload
    def __call__(self, *, stream: bool | None, **parameters: Unpack[CompletionParameters]) -> ReplyT_co | StreamT_co: ...

    def __call__(self, **parameters: Any) -> Any:
        """Continue a prompt.

        Returns:
            A completion, or a stream of chunks with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class LegacyCompletionsMethods(Generic[ReplyT, StreamT]):
    """Methods of ``client.completions``."""

    create: CompletionsCreate[ReplyT, StreamT] = method(
        COMPLETIONS, CompletionsCreate, CompletionParameters, reply=Completion, item=CompletionChunk
    )


class LegacyCompletions(SyncResource, LegacyCompletionsMethods[Completion, Stream[CompletionChunk]]):
    """``client.completions``."""

    _prefix = "completions."
    if TYPE_CHECKING:
        with_raw_response: LegacyCompletionsMethods[RawResponse[Completion], RawResponse[Stream[CompletionChunk]]]
        with_streaming_response: LegacyCompletionsMethods[StreamedCall, StreamedCall]


class AsyncLegacyCompletions(AsyncResource, LegacyCompletionsMethods[Awaited[Completion], Awaited[AsyncStream[CompletionChunk]]]):
    """``client.completions``."""

    _prefix = "completions."
    if TYPE_CHECKING:
        with_raw_response: LegacyCompletionsMethods[
            Awaited[RawResponse[Completion]], Awaited[RawResponse[AsyncStream[CompletionChunk]]]
        ]
        with_streaming_response: LegacyCompletionsMethods[AsyncStreamedCall, AsyncStreamedCall]

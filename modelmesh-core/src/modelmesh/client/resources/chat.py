"""``client.chat`` and ``client.chat.completions``."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from modelmesh.client.replies import ChatCompletion
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.chat import ChatCompletionChunk
from modelmesh.client.signatures import ChatCreate
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.contracts.operations import CHAT

if TYPE_CHECKING:
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT = TypeVar("ReplyT")
StreamT = TypeVar("StreamT")


class CompletionsMethods(Generic[ReplyT, StreamT]):
    """Methods of ``client.chat.completions``."""

    create: ChatCreate[ReplyT, StreamT] = method(CHAT, ChatCreate, reply=ChatCompletion, item=ChatCompletionChunk)


class Completions(SyncResource, CompletionsMethods[ChatCompletion, Stream[ChatCompletionChunk]]):
    """``client.chat.completions``."""

    _prefix = "chat.completions."
    if TYPE_CHECKING:
        with_raw_response: CompletionsMethods[RawResponse[ChatCompletion], RawResponse[Stream[ChatCompletionChunk]]]
        with_streaming_response: CompletionsMethods[StreamedCall, StreamedCall]


class AsyncCompletions(AsyncResource, CompletionsMethods[Awaited[ChatCompletion], Awaited[AsyncStream[ChatCompletionChunk]]]):
    """``client.chat.completions``."""

    _prefix = "chat.completions."
    if TYPE_CHECKING:
        with_raw_response: CompletionsMethods[
            Awaited[RawResponse[ChatCompletion]], Awaited[RawResponse[AsyncStream[ChatCompletionChunk]]]
        ]
        with_streaming_response: CompletionsMethods[AsyncStreamedCall, AsyncStreamedCall]


class Chat(SyncResource):
    """``client.chat``."""

    _prefix = "chat."

    @cached_property
    def completions(self) -> Completions:
        """``client.chat.completions``."""
        return Completions(self._requests, self._defaults)


class AsyncChat(AsyncResource):
    """``client.chat``."""

    _prefix = "chat."

    @cached_property
    def completions(self) -> AsyncCompletions:
        """``client.chat.completions``."""
        return AsyncCompletions(self._requests, self._defaults)

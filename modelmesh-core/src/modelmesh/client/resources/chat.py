"""``client.chat`` and ``client.chat.completions``."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.client.replies import ChatCompletion
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.chat import ChatCompletionChunk
from modelmesh.client.signatures import ChatCreate
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.contracts.operations import CHAT

if TYPE_CHECKING:
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

if TYPE_CHECKING:
    from modelmesh.client import assembled_streams, assemblers, parsing
    from modelmesh.client.assembled_streams import AsyncStreamManager, StreamManager
    from modelmesh.client.assemblers import ChatStreamEvent
    from modelmesh.client.parameters import ChatParseParameters, ResponseFormatParam
else:  # the first use imports them
    assembled_streams = LazyModule(globals(), "assembled_streams", "modelmesh.client.assembled_streams")
    assemblers = LazyModule(globals(), "assemblers", "modelmesh.client.assemblers")
    parsing = LazyModule(globals(), "parsing", "modelmesh.client.parsing")

ReplyT = TypeVar("ReplyT")
StreamT = TypeVar("StreamT")


class CompletionsMethods(Generic[ReplyT, StreamT]):
    """Methods of ``client.chat.completions``."""

    create: ChatCreate[ReplyT, StreamT] = method(CHAT, ChatCreate, reply=ChatCompletion, item=ChatCompletionChunk)


class Completions(SyncResource, CompletionsMethods[ChatCompletion, Stream[ChatCompletionChunk]]):
    """``client.chat.completions``."""

    _prefix = "chat.completions."
    _methods = ("parse",)

    def parse(
        self, *, response_format: ResponseFormatParam | None = None, **parameters: Unpack[ChatParseParameters]
    ) -> ChatCompletion:
        """Request an answer of a class, and parse it.

        Args:
            response_format: A pydantic model, another class that pydantic can validate, or a dictionary.
            **parameters: The parameters of ``create``.

        Returns:
            A chat completion with ``choices[i].message.parsed``. Strict tools have ``function.parsed_arguments``.

        Raises:
            BadUpstreamResponseError: The answer ended at the token limit or in the content filter.
            ValueError: The answer does not follow the schema.
        """
        output = parsing.output_of(response_format)
        form = response_format if output is None else output.chat_format()
        reply = self.create(**parameters, response_format=form)
        return parsing.parse_chat(reply, output, parameters.get("tools"))  # type: ignore[no-any-return]

    def stream(
        self, *, response_format: ResponseFormatParam | None = None, **parameters: Unpack[ChatParseParameters]
    ) -> StreamManager[ChatStreamEvent, ChatCompletion]:
        """Stream an answer as events, and assemble it.

        Args:
            response_format: A pydantic model, another class that pydantic can validate, or a dictionary.
            **parameters: The parameters of ``create``, except ``stream``.

        Returns:
            A context manager of a stream with ``get_final_completion()``.
        """
        output = parsing.output_of(response_format)
        form = response_format if output is None else output.chat_format()
        assembler = assemblers.ChatAssembler(output, parameters.get("tools"))
        create: Any = partial(self.create, **parameters, response_format=form, stream=True)
        return assembled_streams.StreamManager(create, assembler)

    if TYPE_CHECKING:
        with_raw_response: CompletionsMethods[RawResponse[ChatCompletion], RawResponse[Stream[ChatCompletionChunk]]]
        with_streaming_response: CompletionsMethods[StreamedCall, StreamedCall]


class AsyncCompletions(AsyncResource, CompletionsMethods[Awaited[ChatCompletion], Awaited[AsyncStream[ChatCompletionChunk]]]):
    """``client.chat.completions``."""

    _prefix = "chat.completions."
    _methods = ("parse",)

    async def parse(
        self, *, response_format: ResponseFormatParam | None = None, **parameters: Unpack[ChatParseParameters]
    ) -> ChatCompletion:
        """Request an answer of a class, and parse it.

        Args:
            response_format: A pydantic model, another class that pydantic can validate, or a dictionary.
            **parameters: The parameters of ``create``.

        Returns:
            A chat completion with ``choices[i].message.parsed``. Strict tools have ``function.parsed_arguments``.

        Raises:
            BadUpstreamResponseError: The answer ended at the token limit or in the content filter.
            ValueError: The answer does not follow the schema.
        """
        output = parsing.output_of(response_format)
        form = response_format if output is None else output.chat_format()
        reply = await self.create(**parameters, response_format=form)
        return parsing.parse_chat(reply, output, parameters.get("tools"))  # type: ignore[no-any-return]

    def stream(
        self, *, response_format: ResponseFormatParam | None = None, **parameters: Unpack[ChatParseParameters]
    ) -> AsyncStreamManager[ChatStreamEvent, ChatCompletion]:
        """Stream an answer as events, and assemble it.

        Args:
            response_format: A pydantic model, another class that pydantic can validate, or a dictionary.
            **parameters: The parameters of ``create``, except ``stream``.

        Returns:
            A context manager of a stream with ``get_final_completion()``.
        """
        output = parsing.output_of(response_format)
        form = response_format if output is None else output.chat_format()
        assembler = assemblers.ChatAssembler(output, parameters.get("tools"))
        create: Any = partial(self.create, **parameters, response_format=form, stream=True)
        return assembled_streams.AsyncStreamManager(create, assembler)

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

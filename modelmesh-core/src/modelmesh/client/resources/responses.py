"""``client.responses``: OpenAI's Responses API. A vendor without it receives a chat completion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypedDict, TypeVar, Unpack, overload

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.client.pages import AsyncCursorPage, AsyncPaginator, CursorPage
from modelmesh.client.parameters import CallExtras, Dumpable, ToolParam
from modelmesh.client.replies import Reply
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.responses import Response, ResponseEvent, ResponseItem
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.contracts.operations import RESPONSES

if TYPE_CHECKING:
    from modelmesh.client import assembled_streams, assemblers, parsing
    from modelmesh.client.assembled_streams import AsyncStreamManager, StreamManager
    from modelmesh.client.parsing import Output
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall
else:  # the first use imports them
    assembled_streams = LazyModule(globals(), "assembled_streams", "modelmesh.client.assembled_streams")
    assemblers = LazyModule(globals(), "assemblers", "modelmesh.client.assemblers")
    parsing = LazyModule(globals(), "parsing", "modelmesh.client.parsing")

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
StreamT_co = TypeVar("StreamT_co", covariant=True)
ReplyT = TypeVar("ReplyT")
StreamT = TypeVar("StreamT")
DeletedT = TypeVar("DeletedT")

ItemParam: TypeAlias = Mapping[str, Any] | Dumpable
"""One item of the input: a dictionary, or an item of the output of another response."""


class _RequiredOfResponses(TypedDict):
    model: str


class ResponseParameters(_RequiredOfResponses, CallExtras, total=False):
    """Parameters of ``responses.create``, except ``stream``."""

    access_programs: Any
    background: bool | None
    context_management: Iterable[Mapping[str, Any]] | None
    conversation: str | Mapping[str, Any] | None
    image: Mapping[str, Any] | None
    include: Sequence[str] | None
    input: str | Iterable[ItemParam] | None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: Mapping[str, str] | None
    moderation: Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    previous_response_id: str | None
    prompt: Mapping[str, Any] | None
    prompt_cache_key: str | None
    prompt_cache_options: Mapping[str, Any] | None
    prompt_cache_retention: str | None
    reasoning: Mapping[str, Any] | None
    safety_identifier: str | None
    service_tier: str | None
    store: bool | None
    stream_options: Mapping[str, Any] | None
    temperature: float | None
    text: Mapping[str, Any] | None
    tool_choice: str | Mapping[str, Any] | None
    tools: Iterable[ToolParam] | None
    top_logprobs: int | None
    top_p: float | None
    truncation: str | None
    user: str | None


class ResponseRetrievalParameters(CallExtras, total=False):
    """Parameters of ``responses.retrieve``."""

    include: Sequence[str] | None
    include_obfuscation: bool | None
    starting_after: int | None


class InputItemListParameters(CallExtras, total=False):
    """Parameters of ``responses.input_items.list``."""

    after: str | None
    include: Sequence[str] | None
    limit: int | None
    order: Literal["asc", "desc"] | None


class ResponsesCreate(Protocol[ReplyT_co, StreamT_co]):
    """Signature of ``responses.create``: a reply, a stream with ``stream=True``, either of them with a ``bool``."""

    @overload
    def __call__(self, *, stream: Literal[False] | None = None, **parameters: Unpack[ResponseParameters]) -> ReplyT_co: ...

    @overload
    def __call__(self, *, stream: Literal[True], **parameters: Unpack[ResponseParameters]) -> StreamT_co: ...

    @overload
    def __call__(self, *, stream: bool | None, **parameters: Unpack[ResponseParameters]) -> ReplyT_co | StreamT_co: ...

    def __call__(self, **parameters: Any) -> Any:
        """Request a response.

        ``previous_response_id`` and ``conversation`` send the request to the account that owns them.

        Returns:
            A response with ``output_text``, or a stream of events with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class ResponsesById(Protocol[ReplyT_co]):
    """Signature of ``responses.delete`` and ``responses.cancel``."""

    def __call__(self, response_id: str, **options: Unpack[CallExtras]) -> ReplyT_co:
        """Delete or cancel a stored response of an account."""
        ...


class ResponsesRetrieve(Protocol[ReplyT_co]):
    """Signature of ``responses.retrieve``."""

    def __call__(self, response_id: str, **parameters: Unpack[ResponseRetrievalParameters]) -> ReplyT_co:
        """Read a stored response of an account."""
        ...


class InputItemsList(Protocol[ReplyT_co]):
    """Signature of ``responses.input_items.list``."""

    def __call__(self, response_id: str, **parameters: Unpack[InputItemListParameters]) -> ReplyT_co:
        """List the input of a stored response. Iteration continues on the next pages."""
        ...


class InputItemsMethods(Generic[ReplyT]):
    """Methods of ``client.responses.input_items``."""

    list: InputItemsList[ReplyT] = method(
        "responses.input_items.list", InputItemsList, InputItemListParameters, reply=Reply, page=ResponseItem
    )


class ResponsesMethods(Generic[ReplyT, StreamT, DeletedT]):
    """Methods of ``client.responses``."""

    create: ResponsesCreate[ReplyT, StreamT] = method(
        RESPONSES, ResponsesCreate, ResponseParameters, reply=Response, item=ResponseEvent
    )
    retrieve: ResponsesRetrieve[ReplyT] = method(
        "responses.retrieve", ResponsesRetrieve, ResponseRetrievalParameters, reply=Response
    )
    delete: ResponsesById[DeletedT] = method("responses.delete", ResponsesById, CallExtras, reply=Reply)
    cancel: ResponsesById[ReplyT] = method("responses.cancel", ResponsesById, CallExtras, reply=Response)


class InputItems(SyncResource, InputItemsMethods[CursorPage[ResponseItem]]):
    """``client.responses.input_items``."""

    _prefix = "responses.input_items."

    if TYPE_CHECKING:
        with_raw_response: InputItemsMethods[RawResponse[CursorPage[ResponseItem]]]
        with_streaming_response: InputItemsMethods[StreamedCall]


class AsyncInputItems(AsyncResource, InputItemsMethods[AsyncPaginator[ResponseItem]]):
    """``client.responses.input_items``."""

    _prefix = "responses.input_items."

    if TYPE_CHECKING:
        with_raw_response: InputItemsMethods[Awaited[RawResponse[AsyncCursorPage[ResponseItem]]]]
        with_streaming_response: InputItemsMethods[AsyncStreamedCall]


class Responses(SyncResource, ResponsesMethods[Response, Stream[ResponseEvent], Reply]):
    """``client.responses``."""

    _prefix = "responses."
    _methods = ("parse",)

    @cached_property
    def input_items(self) -> InputItems:
        """``client.responses.input_items``."""
        return InputItems(self._requests, self._defaults)

    def parse(self, *, text_format: Any = None, **parameters: Unpack[ResponseParameters]) -> Response:
        """Request a response of a class, and parse it.

        Args:
            text_format: A pydantic model, or another class that pydantic can validate.
            **parameters: The parameters of ``create``.

        Returns:
            A response with ``output_parsed``. Calls of strict tools have ``parsed_arguments``.

        Raises:
            BadUpstreamResponseError: The response is incomplete.
            ValueError: The text does not follow the schema.
        """
        output = parsing.output_of(text_format)
        reply = self.create(**with_format(parameters, output))
        return parsing.parse_response(reply, output, parameters.get("tools"))  # type: ignore[no-any-return]

    def stream(
        self, *, text_format: Any = None, **parameters: Unpack[ResponseParameters]
    ) -> StreamManager[ResponseEvent, Response]:
        """Stream a response as events.

        Args:
            text_format: A pydantic model, or another class that pydantic can validate.
            **parameters: The parameters of ``create``, except ``stream``.

        Returns:
            A context manager of a stream with ``get_final_response()``.
        """
        output = parsing.output_of(text_format)
        arguments = with_format(parameters, output)
        assembler = assemblers.ResponseAssembler(output, parameters.get("tools"))
        return assembled_streams.StreamManager(lambda: self.create(**arguments, stream=True), assembler)

    if TYPE_CHECKING:
        with_raw_response: ResponsesMethods[RawResponse[Response], RawResponse[Stream[ResponseEvent]], RawResponse[Reply]]
        with_streaming_response: ResponsesMethods[StreamedCall, StreamedCall, StreamedCall]


class AsyncResponses(AsyncResource, ResponsesMethods[Awaited[Response], Awaited[AsyncStream[ResponseEvent]], Awaited[Reply]]):
    """``client.responses``."""

    _prefix = "responses."
    _methods = ("parse",)

    @cached_property
    def input_items(self) -> AsyncInputItems:
        """``client.responses.input_items``."""
        return AsyncInputItems(self._requests, self._defaults)

    async def parse(self, *, text_format: Any = None, **parameters: Unpack[ResponseParameters]) -> Response:
        """Request a response of a class, and parse it.

        Args:
            text_format: A pydantic model, or another class that pydantic can validate.
            **parameters: The parameters of ``create``.

        Returns:
            A response with ``output_parsed``. Calls of strict tools have ``parsed_arguments``.

        Raises:
            BadUpstreamResponseError: The response is incomplete.
            ValueError: The text does not follow the schema.
        """
        output = parsing.output_of(text_format)
        reply = await self.create(**with_format(parameters, output))
        return parsing.parse_response(reply, output, parameters.get("tools"))  # type: ignore[no-any-return]

    def stream(
        self, *, text_format: Any = None, **parameters: Unpack[ResponseParameters]
    ) -> AsyncStreamManager[ResponseEvent, Response]:
        """Stream a response as events.

        Args:
            text_format: A pydantic model, or another class that pydantic can validate.
            **parameters: The parameters of ``create``, except ``stream``.

        Returns:
            A context manager of a stream with ``get_final_response()``.
        """
        output = parsing.output_of(text_format)
        arguments = with_format(parameters, output)
        assembler = assemblers.ResponseAssembler(output, parameters.get("tools"))
        return assembled_streams.AsyncStreamManager(lambda: self.create(**arguments, stream=True), assembler)

    if TYPE_CHECKING:
        with_raw_response: ResponsesMethods[
            Awaited[RawResponse[Response]], Awaited[RawResponse[AsyncStream[ResponseEvent]]], Awaited[RawResponse[Reply]]
        ]
        with_streaming_response: ResponsesMethods[AsyncStreamedCall, AsyncStreamedCall, AsyncStreamedCall]


def with_format(parameters: ResponseParameters, output: Output | None) -> ResponseParameters:
    """Return parameters with the schema of a class as the format of the text."""
    if output is None:
        return parameters
    return {**parameters, "text": {**(parameters.get("text") or {}), "format": output.text_format()}}

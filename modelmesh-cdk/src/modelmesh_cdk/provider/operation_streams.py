"""Streams other than those of chat completions: typed events, legacy text chunks and bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh.contracts.operations import Operation, StreamKind
from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.decoding import check_is_stream, may_be_stream
from modelmesh_cdk.provider.error_responses import is_success, transport_failure
from modelmesh_cdk.provider.hooks import ProviderHooks
from modelmesh_cdk.provider.openai_stream import ChunkDecoder, error_in, event_error
from modelmesh_cdk.provider.operation_codec import codec_of
from modelmesh_cdk.provider.operation_replies import FILE_CONTENT, check_content, media_type
from modelmesh_cdk.provider.stream_reader import StreamReader, unreadable_stream
from modelmesh_cdk.transport.interfaces import Deadline, TransportError
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.limits import Inflater
from modelmesh_cdk.wire.sse import ServerSentEvent

if TYPE_CHECKING:
    from modelmesh.contracts.call import Limits
    from modelmesh_cdk.wire.request import WireRequest

# ruff: noqa: SLF001 - hooks are protected methods of the provider

FAILED = "response.failed"


def open_stream(
    provider: ProviderHooks, request: WireRequest, response: Any, deadline: Deadline, limits: Limits
) -> StreamReader | BytesReader | None:
    """Return the reader of a response, ``None`` for one whose body is read to its end first, because it may be an error.

    Raises:
        ProviderError: The connector's decoder is unusable.
        ValueError: The response is a page in place of events, or its content encoding is unknown.
    """
    if request.call.operation.name != FILE_CONTENT:  # a file may have any media type
        if not may_be_stream(response.status, response.headers):
            return None
        check_is_stream(response.headers)
    elif not is_success(response.status):
        return None
    decoder = codec_of(provider, request).stream_decoder(provider, request)
    if decoder is None:
        return BytesReader(provider, request, response, deadline, limits)
    reader = _READERS.get(request.call.stream_kind or StreamKind.CHUNKS, StreamReader)
    return reader(provider, request, response, deadline, limits, decoder=decoder)


def openai_decoder(provider: ProviderHooks, request: WireRequest) -> Any:
    """Return the decoder of a stream in OpenAI's format, ``None`` for bytes."""
    kind, failure = request.call.stream_kind, provider._map_embedded_error
    if kind is StreamKind.BYTES:
        return None
    if kind is StreamKind.TEXTS:
        plain = type(provider)._parse_sse_chunk is ProviderHooks._parse_sse_chunk
        return ChunkDecoder(None if plain else provider._parse_sse_chunk, failure, kind="text_completion")
    if kind is StreamKind.EVENTS:
        images = request.payload.get("n")
        return EventDecoder(request.call.operation, failure, finals=images if isinstance(images, int) else 1)
    return provider._stream_decoder(request)


class EventDecoder:
    """Decoder of events with a ``type``. Events keep every field of the vendor, and unknown types pass."""

    def __init__(self, operation: Operation, failure: Callable[[Mapping[str, Any]], ProviderError], *, finals: int = 1) -> None:
        """Create a decoder.

        Args:
            operation: The operation, whose final events end the stream.
            failure: Returns the error of an error body.
            finals: Number of final events: one for each image.
        """
        self._finals = operation.final_events
        self._failure = failure
        self._left = finals
        self.done = False

    def decode(self, event: ServerSentEvent) -> Sequence[dict[str, Any]]:
        """Return the object of one event.

        Raises:
            ValueError: The event is not a JSON object, or has neither a name nor a type.
            ProviderError: The event is an error.
        """
        data = event.data
        if data.strip() == b"[DONE]":
            self.done = True
            return ()
        if event.name == "error":
            raise event_error(self._failure, error_in(data))
        body = json_codec.decode(data)
        if not isinstance(body, dict):
            message = "an event is not a JSON object"
            raise ValueError(message)  # noqa: TRY004 - of the vendor's data
        kind = body.get("type")
        if kind == "error":
            raise event_error(self._failure, body if isinstance(body.get("error"), dict) else {"error": body})
        if not isinstance(kind, str) or not kind:
            if body.get("error"):
                raise event_error(self._failure, body)
            if event.name == "message":
                message = "an event has no type"
                raise ValueError(message)
            kind = body["type"] = event.name
        if kind == FAILED:
            raise self._failed_response(body.get("response"))
        if kind in self._finals:
            self._left -= 1
            self.done = self._left <= 0
        return (body,)

    def _failed_response(self, response: Any) -> ProviderError:
        found = response if isinstance(response, dict) else {}
        error = found.get("error") or {"message": "the response failed", "code": "server_error"}
        return event_error(self._failure, {"error": error, "usage": found.get("usage")})


class EventReader(StreamReader):
    """Reader of typed events."""

    def _decode(self, events: Iterable[Any]) -> Iterator[dict[str, Any]]:
        for item in super()._decode(events):
            if not self._has_content:
                self._has_content = str(item.get("type")).startswith(self._request.call.operation.content_events)
            yield item


class TextReader(StreamReader):
    """Reader of the chunks of legacy completions."""

    def _note_choices(self, choices: list[Any]) -> None:
        super()._note_choices([{**one, "delta": {"content": one.get("text")}} for one in choices if isinstance(one, dict)])


class PiecesReader(StreamReader):
    """Reader of bytes that a vendor sends in events, which the codec of the connector decodes."""

    item_type = bytes

    def _decode(self, events: Iterable[Any]) -> Iterator[Any]:
        try:
            for event in events:
                if self.done:
                    return
                found = self._decoder.decode(event)
                self._check_chunks(found)
                yield from (piece for piece in found if piece)
        except ValueError as error:
            raise self._unreadable(error) from None


_READERS: Mapping[StreamKind, type[StreamReader]] = {
    StreamKind.EVENTS: EventReader,
    StreamKind.TEXTS: TextReader,
    StreamKind.BYTES: PiecesReader,
}


class BytesReader:
    """Reader of a body that is the content itself, such as audio. Its interface is that of :class:`StreamReader`."""

    done = False
    """Only the end of the body ends the content."""

    def __init__(self, provider: ProviderHooks, request: WireRequest, response: Any, deadline: Deadline, limits: Limits) -> None:
        """Create the reader.

        Raises:
            ProviderError: The body is not the requested content.
            ValueError: The content encoding is unknown.
        """
        self.response, self.deadline, self.headers = response, deadline, response.headers
        self.adapted: Sequence[str] = request.adapted
        self.rate_limits = provider.reported_rate_limits(self.headers)
        encoding = self.headers.get("content-encoding")
        self._inflater = Inflater(encoding) if encoding and encoding.strip().lower() != "identity" else None
        self._provider, self._request, self._limits = provider, request, limits
        self._began = False
        if request.call.operation.name != FILE_CONTENT and media_type(self.headers).startswith("text/"):
            check_content(provider, request, self.headers, b"text")

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Return the pieces of received bytes.

        Raises:
            ProviderError: The body is damaged, or is not the requested content.
        """
        if self._inflater is None:
            self._check(data)
            return (data,)
        return self._inflate(self._inflater, data)

    def _inflate(self, inflater: Inflater, data: bytes) -> Iterator[bytes]:
        try:
            for piece in inflater.feed(data):
                self._check(piece)
                yield piece
        except ValueError as error:
            raise unreadable_stream(self._provider, error) from None

    def _check(self, piece: bytes) -> None:
        if not self._began and piece:
            check_content(self._provider, self._request, self.headers, piece)
            self._began = True

    def end(self) -> Iterable[bytes]:
        """Check the end of the body.

        Raises:
            ProviderError: The body is truncated, or empty although the operation returns content.
        """
        try:
            if self._inflater is not None:
                self._inflater.end()
        except ValueError as error:
            raise unreadable_stream(self._provider, error) from None
        if not self._began:
            check_content(self._provider, self._request, self.headers, b"")
        return ()

    def check_interruption(self, error: TransportError) -> None:
        """Raise the error of an interrupted body.

        Raises:
            ProviderError: Always.
        """
        raise transport_failure(self._provider, error, self._limits) from None

    def start_draining(self) -> None:
        """Do nothing: the body was read to its end."""

"""Reading of a stream without I/O: bytes to chunks in OpenAI's format, and the deadlines of its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh._engine.plugins import attribution
from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.error_responses import describe_unreadable, transport_failure
from modelmesh_cdk.provider.provider_errors import bad_hook_result, provider_error
from modelmesh_cdk.transport.interfaces import Deadline, TransportError
from modelmesh_cdk.wire.limits import MAX_QUIET, MIB, Inflater, TooLargeError
from modelmesh_cdk.wire.sse import ServerSentEvent, SseDecoder

if TYPE_CHECKING:
    from modelmesh.contracts.call import Limits
    from modelmesh_cdk.provider.hooks import ProviderHooks
    from modelmesh_cdk.wire.request import WireRequest

DRAIN_S = 0.02
"""Wait for the end of the body after the last event, so that the connection can be reused."""

FINISH_S = 2.0
"""Wait for usage, the last event and the end of the body after the finish reason of every choice."""


Chunk = dict[str, Any]
_LISTS = (list, tuple)
_PIECE = 4096
"""Bytes that are split into events at one time."""
_TEXT = {"content": "text"}
"""Stands for a delta that adds text."""


class StreamReader:
    """One open stream.

    Attributes:
        response: The open response.
        deadline: Its deadline.
        headers: Response headers, names in lower case.
        adapted: What was dropped, renamed or converted for the vendor, one line each.
        rate_limits: Rate limits that the headers report.
    """

    item_type: type[Any] = dict
    """Type of the items that the decoder returns."""

    def __init__(
        self,
        provider: ProviderHooks,
        request: WireRequest,
        response: Any,
        deadline: Deadline,
        limits: Limits,
        *,
        decoder: Any = None,
    ) -> None:
        """Create the reader.

        Args:
            provider: The connector.
            request: The request.
            response: The open response.
            deadline: Its deadline.
            limits: Seconds that it may take.
            decoder: Decoder of the events. ``None`` for that of the connector's hook.

        Raises:
            ProviderError: The connector's decoder is unusable.
            ValueError: The content encoding is unknown.
        """
        self.response, self.deadline = response, deadline
        self.headers = response.headers
        self.adapted: Sequence[str] = request.adapted
        self.rate_limits = provider.reported_rate_limits(self.headers)
        encoding = self.headers.get("content-encoding")
        self._inflater = Inflater(encoding) if encoding and encoding.strip().lower() != "identity" else None
        self._sse = SseDecoder(provider.config.max_event)
        self._provider, self._request, self._limits = provider, request, limits
        self._decoder = provider._stream_decoder(request) if decoder is None else decoder  # noqa: SLF001 - a hook
        self._decode_text = getattr(self._decoder, "decode_text", None)
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._has_content = False
        self._quiet = 0
        if not (hasattr(self._decoder, "decode") and hasattr(self._decoder, "done")):
            raise bad_hook_result(provider, "_stream_decoder", self._decoder, "an object with decode(event) and a flag done")

    @property
    def done(self) -> bool:
        """Whether the last event was received."""
        return bool(self._decoder.done)

    def feed(self, data: bytes) -> Iterator[Any]:
        """Return the chunks of received bytes, each one decoded when it is asked for.

        Raises:
            ProviderError: The stream is broken, now or at a later chunk.
        """
        if self._inflater is not None:
            return self._inflate(self._inflater, data)
        if len(data) > _PIECE:
            return self._in_pieces(data)
        return self._decode(self._events(data))

    def end(self) -> Iterator[Any]:
        """Return the chunks that the end of the body completes.

        Raises:
            ProviderError: The stream is broken.
        """
        return self._decode(self._sse.end())

    def _events(self, data: bytes) -> list[ServerSentEvent]:
        try:
            return self._sse.feed(data)
        except ValueError as error:
            raise self._unreadable(error) from None

    def _in_pieces(self, data: bytes) -> Iterator[Any]:
        """Split many events piece by piece, so that the first ones do not wait for the others."""
        for start in range(0, len(data), _PIECE):
            yield from self._decode(self._events(data[start : start + _PIECE]))

    def _inflate(self, inflater: Inflater, data: bytes) -> Iterator[Any]:
        try:
            for piece in inflater.feed(data):
                yield from self._decode(self._sse.feed(piece))
        except ValueError as error:
            raise self._unreadable(error) from None

    def check_interruption(self, error: TransportError) -> None:
        """Check that an interrupted body lacks nothing but usage and the last event.

        Raises:
            ProviderError: The answer is incomplete.
        """
        if not (self.done or (self._ended and not self._open)):
            raise transport_failure(self._provider, error, self._limits) from None

    def start_draining(self) -> None:
        """Limit the wait for the end of the body after the last event."""
        self.deadline.expire_in(DRAIN_S)

    def _decode(self, events: Iterable[Any]) -> Iterator[Any]:
        decoder = self._decoder
        decode_text = self._decode_text
        try:
            for event in events:
                if decoder.done:
                    return
                if decode_text is not None and (text := decode_text(event)) is not None:
                    if self._ended or text.index not in self._open:
                        self._note_change(text.index, _TEXT, None)
                    yield text
                    continue
                if not self._has_content:
                    self._count_quiet(len(event.data))
                found = decoder.decode(event)
                if found.__class__ is not tuple:
                    self._check_chunks(found)
                for chunk in found:
                    self._note(chunk)
                    yield chunk
        except ValueError as error:
            raise self._unreadable(error) from None

    def _count_quiet(self, size: int) -> None:
        if self._quiet > MAX_QUIET:
            message = f"it sent {MAX_QUIET // MIB} MiB of events without any content"
            raise TooLargeError(message)
        self._quiet += size

    def _note(self, chunk: Any) -> None:
        """Record which choices are complete. The mesh checks the types of their parts."""
        if chunk.__class__ is not dict:
            self._check_chunks((chunk,))
        choices = chunk.get("choices")
        if choices.__class__ is list:
            self._note_choices(choices)

    def _note_choices(self, choices: list[Any]) -> None:
        is_steady = self._has_content and not self._ended
        for choice in choices:
            if choice.__class__ is dict:
                index, reason = choice.get("index"), choice.get("finish_reason")
                if index.__class__ is not int:
                    index = 0
                if not is_steady or reason is not None or index not in self._open:
                    self._note_change(index, choice.get("delta"), reason)

    def _note_change(self, index: int, delta: Any, reason: Any) -> None:
        """Record a choice that begins, ends or continues after its end."""
        if isinstance(reason, str) and reason.strip():
            self._has_content = True
            self._open.discard(index)
            if index not in self._ended:
                self._ended.add(index)
                if not self._open:
                    self.deadline.expire_in(FINISH_S)
        elif not self._has_content or self._ended:
            adds = isinstance(delta, dict) and any(value for name, value in delta.items() if name != "role")
            self._has_content = self._has_content or adds
            if adds or index not in self._ended:
                self._open.add(index)
                if adds and index in self._ended:
                    self._ended.discard(index)
                    self.deadline.resume()
        else:
            self._open.add(index)

    def _check_chunks(self, found: Any) -> None:
        """Check that a decoder returned a list of chunks."""
        for chunk in found if isinstance(found, _LISTS) else (None,):
            if not isinstance(chunk, self.item_type):
                kind = type(found).__name__
                if isinstance(found, _LISTS):
                    kind = f"a {kind} of {type(chunk).__name__}"
                name, items = type(self._decoder).__name__, "dicts" if self.item_type is dict else "bytes"
                rule = f"returned {kind} from {name}.decode(). It must return a list of {items}, empty to skip the event."
                raise attribution.connector_bug(self._provider, rule, attribution.locate_definition(type(self._decoder).decode))

    def _unreadable(self, error: ValueError) -> ProviderError:
        return unreadable_stream(self._provider, error)


def unreadable_stream(provider: ProviderHooks, error: ValueError) -> ProviderError:
    """Return the error of a stream that cannot be read."""
    if isinstance(error, ProviderError):
        return error
    message = f"the provider's stream cannot be read: {describe_unreadable(provider, error)}"
    return provider_error(FailureClass.PROTOCOL, message)

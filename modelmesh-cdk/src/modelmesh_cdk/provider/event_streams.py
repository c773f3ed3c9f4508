"""An open stream over HTTP as the mesh reads it: bytes in, chunks in OpenAI's shape out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh._engine.plugins import attribution
from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.failures import failure, misused
from modelmesh_cdk.transport.port import AsyncResponse, Deadline, Response, TransportError
from modelmesh_cdk.wire.limits import MAX_QUIET, MIB, Inflater, TooMuchError
from modelmesh_cdk.wire.sse import ServerSentEvent, SseDecoder

if TYPE_CHECKING:
    from modelmesh.contracts.call import Limits
    from modelmesh_cdk.provider.wire_format import WireFormat
    from modelmesh_cdk.wire.request import WireRequest

DRAIN_S = 0.02
"""After the last event, how long to wait for the end of the body, so that the connection can be used again."""

FINISH_S = 2.0
"""After the finish reason of every choice, how long to wait for usage, the last event and the end of the body."""


class Unwrapped:
    """Undoes a stream's content encoding, when it has one."""

    def __init__(self, encoding: str | None) -> None:
        self._inflater = Inflater(encoding) if encoding and encoding.strip().lower() != "identity" else None

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Return what comes of some received bytes."""
        return (data,) if self._inflater is None else self._inflater.feed(data)


class _Reading:
    """The part without I/O: bytes to chunks, and how near to its end the stream is."""

    def __init__(self, provider: WireFormat, request: WireRequest, headers: Mapping[str, str], deadline: Deadline) -> None:
        self.headers = headers
        self.adapted: Sequence[str] = request.adapted
        self.rate_limits = provider.reported_rate_limits(self.headers)
        self._unwrapped = provider.decode_pieces(headers.get("content-encoding"))
        self._sse = SseDecoder(provider.config.max_event)
        self._provider = provider
        self._deadline = deadline
        self._decoder = provider._stream_decoder(request)  # noqa: SLF001 - the kit's own hook
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._spoken = False
        self._quiet = 0
        if not (hasattr(self._decoder, "decode") and hasattr(self._decoder, "done")):
            raise misused(provider, "_stream_decoder", self._decoder, "an object with decode(event) and a flag done")

    def over(self) -> bool:
        """Whether the vendor has said its last word."""
        return bool(self._decoder.done)

    def finished(self) -> bool:
        """Whether nothing is missing but usage, perhaps, and the last word."""
        return self.over() or bool(self._ended and not self._open)

    def take(self, data: bytes) -> Iterator[dict[str, Any]]:
        decoder, feed = self._decoder, self._sse.feed
        for piece in self._unwrapped.feed(data):
            for event in feed(piece):
                if decoder.done:
                    return
                yield from self._read(event)
        if decoder.done:
            self._deadline.expire_in(DRAIN_S)

    def rest(self) -> Iterator[dict[str, Any]]:
        for event in self._sse.end():
            if self._decoder.done:
                return
            yield from self._read(event)

    def _read(self, event: ServerSentEvent) -> Iterator[dict[str, Any]]:
        if not self._spoken:
            if self._quiet > MAX_QUIET:
                message = f"it sent {MAX_QUIET // MIB} MiB of events without any content"
                raise TooMuchError(message)
            self._quiet += len(event.data)
        for chunk in self._chunks(self._decoder.decode(event)):
            choices = chunk.get("choices")
            if choices.__class__ is list:
                for choice in choices:
                    if choice.__class__ is dict:
                        self._note(choice)
            yield chunk

    def _note(self, choice: dict[str, Any]) -> None:
        """Record whether a choice ends the stream. The mesh checks the types of its parts."""
        index, delta, reason = choice.get("index"), choice.get("delta"), choice.get("finish_reason")
        if index.__class__ is not int:
            index = 0
        if isinstance(reason, str) and reason.strip():
            self._spoken = True
            self._open.discard(index)
            if index not in self._ended:
                self._ended.add(index)
                if not self._open:
                    self._deadline.expire_in(FINISH_S)
        elif not self._spoken or self._ended:
            says = isinstance(delta, dict) and any(value for name, value in delta.items() if name != "role")
            self._spoken = self._spoken or says
            if says or index not in self._ended:
                self._open.add(index)
                if says and index in self._ended:
                    self._ended.discard(index)
                    self._deadline.resume()
        else:
            self._open.add(index)

    def _chunks(self, found: Any) -> Sequence[dict[str, Any]]:
        """Return what a decoder found in one event, when it is a list of chunks."""
        for chunk in found if isinstance(found, list | tuple) else (None,):
            if not isinstance(chunk, dict):
                place = attribution.locate_definition(type(self._decoder).decode)
                kind = (
                    f"a {type(found).__name__} of {type(chunk).__name__}"
                    if isinstance(found, list | tuple)
                    else type(found).__name__
                )
                name = type(self._decoder).__name__
                rule = f"returned {kind} from {name}.decode(). It must return a list of dicts, empty to skip the event."
                raise attribution.connector_bug(self._provider, rule, place)
        return found  # type: ignore[no-any-return]


class HttpEventStream:
    """A stream for threads."""

    def __init__(
        self, provider: WireFormat, request: WireRequest, response: Response, deadline: Deadline, limits: Limits
    ) -> None:
        self._provider, self._response, self._deadline, self._limits = provider, response, deadline, limits
        try:
            self._reading = _Reading(provider, request, response.headers, deadline)
        except BaseException:
            response.close()
            raise
        self.headers, self.adapted = self._reading.headers, self._reading.adapted
        self.rate_limits = self._reading.rate_limits

    def __iter__(self) -> Iterator[dict[str, Any]]:
        reading, response = self._reading, self._response
        try:
            for data in response:
                if reading.over():
                    break  # the vendor goes on after its last word; that connection is not used again
                yield from reading.take(data)
            else:
                yield from reading.rest()
        except TransportError as error:
            if not reading.finished():
                raise self._provider._broken(error, self._limits) from None  # noqa: SLF001 - the kit's own
        except ValueError as error:
            raise _unreadable(error, self._provider) from None

    def commit(self) -> None:
        """Content has arrived: the first-content limit no longer applies."""
        self._deadline.commit()

    def interrupt(self) -> None:
        """Make a read of another thread end at once."""
        wake = getattr(self._response, "interrupt", None)
        if wake is not None:
            wake()

    def expire_in(self, seconds: float) -> None:
        """End the reading within this many seconds."""
        self._deadline.expire_in(seconds)

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        self._response.close()


class AsyncHttpEventStream:
    """A stream for asyncio."""

    def __init__(
        self, provider: WireFormat, request: WireRequest, response: AsyncResponse, deadline: Deadline, limits: Limits
    ) -> None:
        self._provider, self._response, self._deadline, self._limits = provider, response, deadline, limits
        self._reading = _Reading(provider, request, response.headers, deadline)
        self.headers, self.adapted = self._reading.headers, self._reading.adapted
        self.rate_limits = self._reading.rate_limits
        self._chunks: Any = None

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        self._chunks = self._read()
        return self._chunks  # type: ignore[no-any-return]

    async def _read(self) -> AsyncIterator[dict[str, Any]]:
        reading, response = self._reading, self._response
        try:
            async for data in response:
                if reading.over():
                    break
                for chunk in reading.take(data):
                    yield chunk
            else:
                for chunk in reading.rest():
                    yield chunk
        except TransportError as error:
            if not reading.finished():
                raise self._provider._broken(error, self._limits) from None  # noqa: SLF001 - the kit's own
        except ValueError as error:
            raise _unreadable(error, self._provider) from None

    def commit(self) -> None:
        """Content has arrived: the first-content limit no longer applies."""
        self._deadline.commit()

    def expire_in(self, seconds: float) -> None:
        """End the reading within this many seconds."""
        self._deadline.expire_in(seconds)

    async def aclose(self) -> None:
        """Close the connection, unless the body was read to its end."""
        if self._chunks is not None:
            await self._chunks.aclose()
        await self._response.aclose()


def _unreadable(error: ValueError, provider: WireFormat) -> ProviderError:
    if isinstance(error, ProviderError):
        return error
    return failure(FailureClass.PROTOCOL, f"the provider's stream cannot be read: {provider._unreadable(error)}")  # noqa: SLF001

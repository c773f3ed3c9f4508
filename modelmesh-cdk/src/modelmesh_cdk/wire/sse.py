"""Server-sent events, decoded as their bytes arrive.

The decoder follows the event stream format of the WHATWG HTML standard, section 9.2 (read 2026-11-21). Any split of the bytes
gives the same events. Two deviations: a last event with complete lines counts without a blank line after it, and an event with
blank data does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from modelmesh_cdk.wire.limits import MAX_EVENT, MIB, TooLargeError

_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event: its name (``message`` when it has none) and its data, undecoded."""

    name: str
    data: bytes


_new_event: Callable[[type[ServerSentEvent], tuple[str, bytes]], ServerSentEvent] = tuple.__new__
"""Constructor of an event without the generated ``__new__`` in Python, which takes as long as finding the event."""


class SseDecoder:
    """Decoder from bytes to events."""

    __slots__ = ("_after_cr", "_began", "_buffer", "_limit", "_mark", "_searched")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        """Create a decoder.

        Args:
            limit: Bytes of one event at most.
        """
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self._after_cr = False
        self._began = False
        self._mark = b""

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Add bytes and return the events that they complete.

        Raises:
            TooLargeError: An event is longer than the limit.
        """
        if not self._began:
            data = self._without_mark(data)
        if self._after_cr or b"\r" in data:
            data = self._unix_lines(data)
        buffer = self._buffer
        if not buffer and data[-2:] == b"\n\n":
            blocks = data[:-2].split(b"\n\n")
        else:
            buffer += data
            end = buffer.rfind(b"\n\n", self._searched)
            blocks = bytes(buffer[:end]).split(b"\n\n") if end >= 0 else []
            if end >= 0:
                del buffer[: end + 2]
            self._searched = max(len(buffer) - 1, 0)
            if len(buffer) > self._limit:
                raise self._too_long()
        events: list[ServerSentEvent] = []
        for block in blocks:
            if len(block) > self._limit:
                raise self._too_long()
            if block[:7] == b"data: {" and b"\n" not in block:  # nearly every event of nearly every vendor
                events.append(_new_event(ServerSentEvent, ("message", block[6:])))
            elif block and (event := _event(block)) is not None:
                events.append(event)
        return events

    def _too_long(self) -> TooLargeError:
        self._buffer.clear()  # frees the memory before the failure is handled
        return TooLargeError(f"an event is longer than {self._limit / MIB:g} MiB (setting: max_event)")

    def _without_mark(self, data: bytes) -> bytes:
        """Remove a byte order mark, which may arrive in pieces."""
        data = self._mark + data
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._mark = data
            return b""
        self._began = True
        return data.removeprefix(_BOM)

    def _unix_lines(self, data: bytes) -> bytes:
        """Convert line ends to newlines. A pair may be split between its two bytes."""
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def end(self) -> list[ServerSentEvent]:
        """Return the event that the end of the stream completes, if its lines are complete."""
        block = bytes(self._buffer)
        self._buffer.clear()
        whole, newline, _cut = block.rpartition(b"\n")
        event = _event(whole) if newline else None
        return [event] if event is not None else []


def _event(block: bytes) -> ServerSentEvent | None:
    """Return the event of one block of lines, ``None`` without data."""
    if block[:7] == b"event: ":
        first, _, rest = block.partition(b"\n")
        if rest[:7] == b"data: {" and b"\n" not in rest:
            return _new_event(ServerSentEvent, (first[7:].decode("utf-8", "replace") or "message", rest[6:]))
    name, data = "message", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace") or "message"
    text = b"\n".join(data)
    return ServerSentEvent(name, text) if text.strip() else None

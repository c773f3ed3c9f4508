"""Server-sent events, decoded as their bytes arrive.

The decoder follows the event stream format of the WHATWG HTML standard, section 9.2 (read 2026-11-21). Any split of the bytes
gives the same events. Two deviations: a last event with complete lines counts without a blank line after it, and an event with
blank data does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from modelmesh_cdk.wire.limits import MAX_EVENT, MIB, TooLargeError

_BOM = b"\xef\xbb\xbf"
_CR, _LF = b"\r\n"


class ServerSentEvent(NamedTuple):
    """One event: its name (``message`` when it has none) and its data, undecoded."""

    name: str
    data: bytes


_new_event: Callable[[type[ServerSentEvent], tuple[str, bytes]], ServerSentEvent] = tuple.__new__
"""Constructor of an event without the generated ``__new__`` in Python, which takes as long as finding the event."""


class SseDecoder:
    """Decoder from bytes to events."""

    __slots__ = ("_after_cr", "_began", "_buffer", "_is_between", "_limit", "_mark", "_name", "_size", "_values")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        """Create a decoder.

        Args:
            limit: Bytes of one event at most.
        """
        self._limit = limit
        self._after_cr = False
        self._began = False
        self._is_between = False  # whether the last bytes were the end of an event
        self._mark = b""
        self._buffer = bytearray()  # a line without its end
        self._size = 0  # bytes of the complete lines of an event without its end
        self._name = "message"
        self._values: list[bytes] = []

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Add bytes and return the events that they complete.

        Raises:
            TooLargeError: An event is longer than the limit.
        """
        if self._is_between and data.endswith(b"\n\n") and data.count(b"\n") == 2 and data.startswith(b"data: "):  # noqa: PLR2004
            text = data[6:-2]  # one event with one line, as nearly every chunk that arrives alone
            if len(data) <= self._limit and text and b"\r" not in text and not text.isspace():
                return [_new_event(ServerSentEvent, ("message", text))]
        return self._feed_lines(data)

    def _feed_lines(self, data: bytes) -> list[ServerSentEvent]:
        if not self._began:
            data = self._without_mark(data)
        if self._after_cr and data:  # a line end of two bytes may be split between them
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if not data:
            return []
        lines, buffer, last, cut = data.splitlines(), self._buffer, data[-1], b""
        known = self._size + len(buffer)
        if last == _CR:
            self._after_cr = True
        elif last != _LF:
            cut = lines.pop()
        if buffer and lines:
            lines[0] = bytes(buffer) + lines[0]
            buffer.clear()
        if known + len(data) > self._limit:
            self._check_sizes(lines, cut)
        if cut:
            buffer += cut
            self._is_between = False
        return self._read(lines) if lines else []

    def _read(self, lines: list[bytes]) -> list[ServerSentEvent]:
        """Return the events that lines complete."""
        events: list[ServerSentEvent] = []
        values, name = self._values, self._name
        for line in lines:
            if line[:6] == b"data: ":
                values.append(line[6:])
            elif line:
                name = _read_field(line, name, values)
            else:
                if values:
                    text = values[0] if len(values) == 1 else b"\n".join(values)
                    if text and not text.isspace():
                        events.append(_new_event(ServerSentEvent, (name, text)))
                    values.clear()
                name = "message"
        self._name = name
        self._is_between = not (lines[-1] or self._buffer or self._after_cr)
        self._size = self._pending_size(lines) if lines[-1] else 0
        return events

    def _pending_size(self, lines: Sequence[bytes]) -> int:
        """Return the bytes of the event that the last lines begin or continue."""
        size = 0
        for line in reversed(lines):
            if not line:
                return size
            size += len(line) + 1
        return self._size + size

    def _check_sizes(self, lines: Sequence[bytes], cut: bytes) -> None:
        """Check the size of each event of lines, and of the event that the next bytes continue."""
        size = self._size
        for line in lines:
            size = size + len(line) + 1 if line else 0
            if size > self._limit + 1:  # the last line end does not count
                raise self._too_long()
        if size + len(self._buffer) + len(cut) > self._limit + 1:
            raise self._too_long()

    def _too_long(self) -> TooLargeError:
        self._buffer.clear()  # frees the memory before the failure is handled
        self._values.clear()
        return TooLargeError(f"an event is longer than {self._limit / MIB:g} MiB (setting: max_event)")

    def _without_mark(self, data: bytes) -> bytes:
        """Remove a byte order mark, which may arrive in pieces."""
        data = self._mark + data
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._mark = data
            return b""
        self._began = True
        return data.removeprefix(_BOM)

    def end(self) -> list[ServerSentEvent]:
        """Return the event that the end of the stream completes, if its lines are complete."""
        self._buffer.clear()
        return self._read([b""])


def _read_field(line: bytes, name: str, values: list[bytes]) -> str:
    """Read a line other than ``data: …`` and return the name of its event."""
    field, _, value = line.partition(b":")
    value = value.removeprefix(b" ")
    if field == b"event":
        return value.decode("utf-8", "replace") or "message"
    if field == b"data":
        values.append(value)
    return name

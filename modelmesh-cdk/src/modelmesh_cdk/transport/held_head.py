"""The head of a request over httpcore2, which waits for its body. Together they need one system call and one segment."""

from __future__ import annotations

_LARGEST_TOGETHER = 65_536
"""Bytes of a body that is joined with its head. A copy of a larger body would cost more than it saves."""


class HeldHead:
    """The head that a connection has not written yet.

    httpcore2 writes the head, the body and the end of a request separately, the end even if it is empty. The head thus never
    waits for longer than that.
    """

    __slots__ = ("_head",)

    def __init__(self) -> None:
        self._head = b""

    def join(self, buffer: bytes) -> list[bytes]:
        """Return what is written now: nothing for a head, otherwise the held head and the buffer."""
        head, self._head = self._head, b""
        if not head and buffer.endswith(b"\r\n\r\n") and len(buffer) < _LARGEST_TOGETHER:
            self._head = buffer
            return []
        return [head, buffer] if head and len(buffer) > _LARGEST_TOGETHER else [head + buffer]

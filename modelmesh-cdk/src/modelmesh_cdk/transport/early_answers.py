"""Answers that arrive before the end of a large request over httpcore2, which reads nothing while it writes.

A server may refuse an upload with 401 or 413 and take no more bytes, or close the connection. Without these writers, the request
would wait for the server until its limit, or lose the answer with the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpcore2

from modelmesh_cdk.transport.waiting import WOULD_BLOCK, wait_for_either

_T = TypeVar("_T")

LARGE = 65_536
"""Bytes of a write from which on the connection is watched for an answer."""

_READ = 65_536
_MOST = 1024 * 1024  # bytes of an early answer that are held. A server that sends more gets no more of the request
_STATUS = slice(9, 10)  # first digit of the status in "HTTP/1.1 401"
_GOES_ON = (b"1", b"2", b"")


class EarlyAnswer:
    """Bytes of an answer that were received while a request was written."""

    def __init__(self) -> None:
        self._data = bytearray()

    def __bool__(self) -> bool:
        return bool(self._data)

    def take(self, most: int) -> bytes:
        """Remove and return the first bytes."""
        data = bytes(self._data[:most])
        del self._data[:most]
        return data

    def add(self, data: bytes) -> None:
        """Store received bytes.

        Raises:
            httpcore2.WriteError: The request is refused or the connection ended, so the rest of the request is not sent.
        """
        self._data += data
        if not data or self._data[_STATUS] not in _GOES_ON or len(self._data) > _MOST:
            raise httpcore2.WriteError("the server answered before the end of the request")

    def watch_write(self, stream: httpcore2.NetworkStream, data: bytes, seconds_left: Callable[[], float | None]) -> None:
        """Write bytes to a connection of a thread, and receive what the server sends meanwhile.

        Raises:
            httpcore2.WriteTimeout: The server takes no more bytes.
            httpcore2.WriteError: The server has answered, or the connection broke.
        """
        connected: Any = stream.get_extra_info("socket")
        if connected is None or isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject):  # TLS in TLS of a proxy
            stream.write(data, seconds_left())
            return
        view = memoryview(data)
        try:
            while view:
                connected.settimeout(0)  # seconds_left may raise, and the next read sets its own
                if wait_for_either(connected, seconds_left()):
                    with contextlib.suppress(*WOULD_BLOCK):  # a part of a TLS record, or a record of TLS itself
                        self.add(connected.recv(_READ))
                with contextlib.suppress(*WOULD_BLOCK):
                    view = view[connected.send(view) :]
        except TimeoutError:
            raise httpcore2.WriteTimeout("the server takes no more bytes") from None
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from None


class AsyncEarlyAnswer(EarlyAnswer):
    """The same for a connection of an event loop. A task reads while the request is written."""

    def __init__(self) -> None:
        super().__init__()
        self._reading: asyncio.Task[bytes] | None = None

    async def watch(self, stream: httpcore2.AsyncNetworkStream, data: bytes, timeout: float | None) -> None:
        """Write bytes to a connection, and receive what the server sends meanwhile. The errors are those of ``watch_write``."""
        writing = _start(stream.write(data, timeout))
        try:
            while not writing.done():
                if self._reading is None:
                    self._reading = _start(stream.read(_READ))
                await asyncio.wait({writing, self._reading}, return_when=asyncio.FIRST_COMPLETED)
                if self._reading.done() and self._reading.exception() is None:
                    done, self._reading = self._reading, None
                    self.add(done.result())
                elif self._reading.done():
                    break
            await writing
        finally:
            if not writing.done():
                writing.cancel()
                await asyncio.wait({writing})

    async def next(self, most: int, timeout: float | None) -> bytes | None:
        """Return received bytes, ``None`` if the next read of the connection returns them.

        Raises:
            httpcore2.ReadError: The connection broke.
            httpcore2.ReadTimeout: None came in time.
        """
        reading, self._reading = self._reading, None
        if reading is not None:
            try:
                await asyncio.wait({reading}, timeout=0 if self else timeout)
            finally:
                reading.cancel()  # unless it is done
            if not reading.done():
                await asyncio.wait({reading})
                if not self and reading.cancelled():
                    raise httpcore2.ReadTimeout("no bytes came")
            if not reading.cancelled() and (not self or reading.exception() is None):
                self._data += reading.result()
                return self.take(most)
        return self.take(most) if self else None

    def cancel(self) -> None:
        """Stop the task."""
        if self._reading is not None:
            self._reading.cancel()


def _start(work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
    """Start a task whose error may have no reader, because the other direction has ended the exchange."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    return task

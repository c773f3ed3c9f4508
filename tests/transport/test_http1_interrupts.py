"""An interrupt at any point of an exchange costs its connection at most, never a slot or the answer of another request.

Python raises an interrupt at the begin or end of a call, where a profile function runs.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from raw_server import RawServer, deadline, raw_server, whole

from modelmesh_cdk.transport.http1 import transport as module
from modelmesh_cdk.transport.http1.transport import Http1Transport

PACKAGE = str(Path(module.__file__).parent)


class Interrupt:
    """Raises an interrupt at one of the calls of the transport."""

    def __init__(self, place: int) -> None:
        self.left = place

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if frame.f_code.co_filename.startswith(PACKAGE):
            self.left -= 1
            if not self.left:
                sys.setprofile(None)
                raise KeyboardInterrupt


def echo(_number: int, request: bytes) -> bytes:
    body = request.partition(b"\r\n\r\n")[2]
    if body.startswith(b"chunked"):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    return whole(body)


def ask(transport: Http1Transport, server: RawServer, body: bytes, *, reads: bool = True) -> bytes:
    response = transport.send("POST", server.url, [("A", "b")], body, deadline())
    try:
        return b"".join(response) if reads else b""
    finally:
        response.close()


def interrupted(step: Callable[[], object], place: int) -> bool:
    """Return whether the step was interrupted at this place."""
    interrupt = Interrupt(place)
    sys.setprofile(interrupt)
    try:
        step()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    return interrupt.left <= 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of interrupts while a lease is collected
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # of sockets that the interrupt took from their owner
@pytest.mark.parametrize(("kind", "reads"), [(b"plain", True), (b"chunked", True), (b"chunked", False)])
@pytest.mark.parametrize("is_reused", [False, True])
def test_interrupt_at_every_call_of_an_exchange(kind: bytes, reads: bool, is_reused: bool) -> None:
    place = 0
    with raw_server(echo) as server:
        while True:
            place += 1
            transport = Http1Transport(server.url, max_connections=1)
            if is_reused:
                ask(transport, server, b"before")
            name = kind + b" interrupted at %d" % place
            hit = interrupted(lambda name=name, transport=transport: ask(transport, server, name, reads=reads), place)
            gc.collect(0)
            pools = list(transport._pools.values())
            assert [pool._held for pool in pools] == [0 for _ in pools], place
            assert all(len(pool._idle) <= 1 for pool in pools)
            assert ask(transport, server, b"after %d" % place) == b"after %d" % place
            assert ask(transport, server, b"chunked after %d" % place) == b"chunked after %d" % place
            transport.close()
            if not hit:
                break
    assert place > 100

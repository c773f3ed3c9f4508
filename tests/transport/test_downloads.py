"""Large response bodies over every transport, in threads and event loops."""

from __future__ import annotations

import gc
import socket
import tracemalloc
import zlib

import pytest
from scripted_server import Peer, scripted_server
from uploads import EVERY, MIB, OWN, calls, piece_at

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.interfaces import TransportError, TransportTimeoutError
from modelmesh_cdk.transport.selection import TRANSPORTS

LARGE = 100 * MIB
EXTRA = 2 * MIB
PIECE = piece_at(0, 256 * 1024)
HEADS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Length: %d\r\n\r\n",
}


def send_body(peer: Peer, framing: str, size: int, *, end: bool = True) -> None:
    """Send a body of ``size`` bytes, of which the end is missing if ``end`` is false."""
    peer.send(HEADS[framing] % size)
    count = size // len(PIECE)
    for _ in range(count if end else count // 2):
        peer.send(PIECE if framing == "length" else b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
    if end and framing == "chunked":
        peer.send(b"0\r\n\r\n")


@pytest.mark.parametrize(("kind", "mode", "framing"), [(*one, "length") for one in EVERY] + [(*one, "chunked") for one in OWN])
def test_large_body_needs_little_memory(kind: str, mode: str, framing: str) -> None:
    size = LARGE if framing == "length" and kind in TRANSPORTS else LARGE // 10
    sizes = [len(PIECE), size]

    def serve(peer: Peer) -> None:
        while peer.head():
            send_body(peer, framing, sizes.pop(0))

    crc = 0
    for _ in range(size // len(PIECE)):
        crc = zlib.crc32(PIECE, crc)
    with scripted_server(serve) as server, calls(kind, mode, server.url) as caller:
        caller.send(server.url, b"")
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            assert caller.send(server.url, b"") == (200, size, crc)
            extra = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
        assert server.connections == 1
    assert extra < EXTRA


@pytest.mark.parametrize(("kind", "mode"), OWN)
@pytest.mark.parametrize("framing", HEADS)
@pytest.mark.parametrize("reset", [False, True])
def test_truncated_body_is_an_error(kind: str, mode: str, framing: str, reset: bool) -> None:
    def serve(peer: Peer) -> None:
        peer.head()
        send_body(peer, framing, 16 * len(PIECE), end=False)
        if reset:
            peer.reset()
        else:
            peer.socket.shutdown(socket.SHUT_WR)

    with scripted_server(serve) as server, calls(kind, mode, server.url) as caller:
        with pytest.raises(TransportError) as caught:
            caller.send(server.url, b"")
        assert caught.value.failure is FailureClass.PROTOCOL


@pytest.mark.parametrize(("kind", "mode"), EVERY)
def test_silence_in_a_body_exceeds_the_gap(kind: str, mode: str) -> None:
    def serve(peer: Peer) -> None:
        peer.head()
        send_body(peer, "length", 4 * len(PIECE), end=False)
        peer.wait_for_end()

    with scripted_server(serve) as server, calls(kind, mode, server.url) as caller:
        with pytest.raises(TransportTimeoutError) as caught:
            caller.send(server.url, b"", gap=0.2)
        assert caught.value.phase == "gap"

"""A uvicorn server with the proxy's protocol, and raw sockets that send it odd bytes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from modelmesh._engine.config.schema import ProxyLimitsSection
from modelmesh_proxy.server.http_protocol import protocol_class


@contextmanager
def serve(app: Any, limits: ProxyLimitsSection | None = None, **settings: Any) -> Iterator[int]:
    """Serve an ASGI application and yield its port."""
    protocol = protocol_class(limits or ProxyLimitsSection())
    config = uvicorn.Config(app, port=0, http=protocol, ws="none", log_level="error", **{"lifespan": "off", **settings})
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.002)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


def connect(port: int) -> socket.socket:
    """Return a connection with a generous time limit."""
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def read_all(sock: socket.socket) -> bytes:
    """Return everything until the server closes."""
    received = bytearray()
    while True:
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            break
        if not piece:
            break
        received += piece
    return bytes(received)


def read_until(sock: socket.socket, end: bytes) -> bytes:
    """Return everything up to a text."""
    received = bytearray()
    while end not in received:
        piece = sock.recv(65536)
        assert piece, f"closed after {bytes(received)!r}"
        received += piece
    return bytes(received)


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.005)

"""Requests that arrive together begin in rounds, and probes do not wait for them."""

from __future__ import annotations

import threading
from typing import Any

from protocol_server import connect, read_all, read_until, serve
from sample_config import CONFIG

from modelmesh_proxy import ProxyServer
from modelmesh_proxy.server.start_gate import MAX_STARTS

ARRIVED = 4 * MAX_STARTS


def test_probe_begins_before_most_requests_that_arrived_earlier() -> None:
    begun: list[str] = []
    blocked, arrived = threading.Event(), threading.Event()

    async def app(scope: Any, _: Any, send: Any) -> None:
        begun.append(scope["path"])
        if scope["path"] == "/block":
            blocked.set()
            arrived.wait(20)  # the event loop sees all requests at its next look
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    with serve(app) as port:
        sockets = [connect(port) for _ in range(ARRIVED + 2)]
        for one in sockets:  # the server has accepted them
            one.sendall(b"GET /warm HTTP/1.1\r\nHost: h\r\n\r\n")
            read_until(one, b"ok")
        begun.clear()
        sockets[0].sendall(b"GET /block HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert blocked.wait(20)
        for number, one in enumerate(sockets[1:-1]):
            one.sendall(b"GET /%d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % number)
        sockets[-1].sendall(b"GET /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        arrived.set()
        for one in sockets:
            assert read_all(one).endswith(b"ok")
            one.close()
    assert begun.index("/ready") <= 2 * MAX_STARTS
    assert sorted(begun) == sorted(["/block", "/ready", *(f"/{number}" for number in range(ARRIVED))])


def test_several_connections_are_accepted_in_one_round() -> None:
    config = CONFIG
    with ProxyServer(config, port=0) as server:
        http_server: Any = server._run._server  # type: ignore[union-attr]
        blocked, opened, accepted = threading.Event(), threading.Event(), threading.Event()
        rounds = 0

        def block() -> None:
            blocked.set()
            opened.wait(20)
            look()

        def look() -> None:
            nonlocal rounds
            if len(http_server.server_state.connections) == ARRIVED:
                accepted.set()
                return
            rounds += 1
            http_server.call_soon(look)

        http_server.call_soon(block)
        assert blocked.wait(20)
        sockets = [connect(server.get_status().port) for _ in range(ARRIVED)]
        opened.set()
        assert accepted.wait(20)
        for one in sockets:
            one.close()
    assert rounds < ARRIVED // 2

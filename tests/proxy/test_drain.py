"""SIGTERM: new connections are refused, running requests finish, and what is left gets one error event."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from proxy_process import ProxyProcess, proxy
from slow_vendor import SlowVendor
from waiting import LIMIT_S, wait_for

from modelmesh_proxy.application.mesh_source import load_mesh

STREAMS = 200


@pytest.fixture
def vendor() -> Iterator[SlowVendor]:
    with SlowVendor() as one:
        yield one


def _open_stream(port: int) -> socket.socket:
    body = json.dumps({"model": "chat", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}).encode()
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    )
    caller = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
    caller.sendall(head % len(body) + body)
    return caller


def _rest(caller: socket.socket) -> bytes:
    """Return everything up to the end of the connection."""
    with caller:
        parts = []
        while part := caller.recv(65536):
            parts.append(part)
        return b"".join(parts)


def _config(directory: Path, vendor: SlowVendor, **section: Any) -> str:
    storage = {"connector": "modelmesh.local-file.v1", "path": str(directory / "state.json")}
    (directory / "modelmesh.json").write_text(json.dumps(vendor.config(proxy=section, storage=storage)))
    return str(directory / "modelmesh.json")


def _accepts(one: ProxyProcess) -> bool:
    try:
        socket.create_connection(("127.0.0.1", one.port)).close()
    except OSError:
        return False
    return True


def test_no_stream_is_cut_and_the_state_is_saved(tmp_path: Path, vendor: SlowVendor) -> None:
    with proxy(tmp_path, "-c", _config(tmp_path, vendor)) as one:
        callers = [_open_stream(one.port) for _ in range(STREAMS)]
        wait_for(lambda: vendor.waiting == STREAMS)
        health = one.json("/health")
        assert {"status": "ok", "running": True, "port": one.port, "active_connections": STREAMS}.items() <= health.items()
        one.send(signal.SIGTERM)
        wait_for(lambda: not _accepts(one))
        assert one.process.poll() is None
        vendor.release()
        replies = [_rest(caller) for caller in callers]
        assert one.process.wait(LIMIT_S) == 0
        assert sum(b"lo!" in reply and b"[DONE]" in reply and reply.endswith(b"0\r\n\r\n") for reply in replies) == STREAMS
        mesh = load_mesh(str(tmp_path / "modelmesh.json"), read_only=True)
        mesh.load_state()
        assert (mesh.usage.total_requests, mesh.usage.total_tokens) == (STREAMS, 5 * STREAMS)
        assert "ERROR" not in one.text()


def test_what_is_left_after_the_drain_gets_one_error_event(tmp_path: Path, vendor: SlowVendor) -> None:
    with proxy(tmp_path, "-c", _config(tmp_path, vendor, drain="300ms")) as one:
        caller = _open_stream(one.port)
        wait_for(lambda: vendor.waiting)
        assert one.stop() == 0
        reply = _rest(caller)
        assert reply.endswith(b"0\r\n\r\n")
        assert b"[DONE]" not in reply
        assert reply.count(b'data: {"error":') == 1
        assert b"server_shutdown" in reply
        assert "ERROR" not in one.text()


def test_a_second_signal_ends_running_requests_at_once(tmp_path: Path, vendor: SlowVendor) -> None:
    with proxy(tmp_path, "-c", _config(tmp_path, vendor)) as one:
        caller = _open_stream(one.port)
        wait_for(lambda: vendor.waiting)
        one.send(signal.SIGTERM)
        wait_for(lambda: not _accepts(one))
        assert one.stop() == 128 + signal.SIGTERM
        assert b"server_shutdown" in _rest(caller)


def test_an_idle_connection_gets_one_more_response(tmp_path: Path, vendor: SlowVendor) -> None:
    with proxy(tmp_path, "-c", _config(tmp_path, vendor)) as one:
        caller = HTTPConnection("127.0.0.1", one.port, timeout=LIMIT_S)
        caller.request("GET", "/v1/models")
        assert caller.getresponse().read()
        one.send(signal.SIGTERM)
        wait_for(lambda: not _accepts(one))
        caller.request("GET", "/v1/models")
        reply = caller.getresponse()
        assert (reply.status, reply.getheader("connection")) == (200, "close")
        assert one.process.wait(LIMIT_S) == 0

"""A caller that leaves cancels the request to the vendor on every route, and a response that breaks never looks complete."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from silent_vendor import SilentVendor
from waiting import wait_for

from modelmesh import ModelMesh
from modelmesh_proxy import ProxyServer

MODEL = {
    "provider": "vendor",
    "capabilities": ["chat-completion", "text-embeddings", "text-to-speech", "speech-to-text", "text-to-image"],
    "pricing": {"input_per_1k_tokens": 1.0, "output_per_1k_tokens": 1.0},
}
CONFIG = {
    "providers": {"vendor": {"connector": "openai.llm.v1", "api_key": "sk-test-key", "budget": {"daily_limit": 500.0}}},
    "models": {"m": MODEL},
    "pools": {"pool": {"models": ["m"], "retry": {"max_attempts": 0}}},
}
MESSAGES = [{"role": "user", "content": "Hello!"}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/completions": {"prompt": "Hello!"},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 9},
    "/v1/responses": {"input": "Hello!"},
    "/v1/embeddings": {"input": "Hello!"},
    "/v1/images/generations": {"prompt": "A fox"},
    "/v1/audio/speech": {"input": "Hello!", "voice": "alloy"},
}
STREAMED = ("/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses")


@pytest.fixture(scope="module")
def vendor() -> Iterator[SilentVendor]:
    with SilentVendor() as vendor:
        yield vendor


@pytest.fixture(autouse=True)
def _silent(vendor: SilentVendor) -> None:
    vendor.answer, vendor.cut = b"", False


@pytest.fixture(scope="module")
def mesh(vendor: SilentVendor) -> Iterator[ModelMesh]:
    CONFIG["providers"]["vendor"]["base_url"] = vendor.url
    with ModelMesh(CONFIG) as mesh:
        yield mesh


@pytest.fixture(scope="module")
def server(mesh: ModelMesh) -> Iterator[ProxyServer]:
    with ProxyServer(mesh, port=0) as server:
        yield server


def begin(server: ProxyServer, path: str, body: dict[str, Any]) -> socket.socket:
    """Send a request, and return its connection."""
    content = json.dumps({"model": "pool", **body}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    sock = socket.create_connection(("127.0.0.1", server.get_status().port), timeout=20)
    sock.sendall(head.encode() + content)
    return sock


def read_until(sock: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        piece = sock.recv(65536)
        assert piece, received
        received += piece
    return received


def nothing_runs(server: ProxyServer) -> None:
    wait_for(lambda: server.get_status().active_connections == 0)


@pytest.mark.parametrize("path", BODIES)
def test_before_the_vendor_answers(server: ProxyServer, vendor: SilentVendor, path: str) -> None:
    before = len(vendor.connections)
    with begin(server, path, BODIES[path]):
        wait_for(lambda: len(vendor.connections) > before)
    assert vendor.connections[-1].left.wait(20)
    nothing_runs(server)
    assert len(vendor.connections) == before + 1, "no other attempt follows"


def event_stream(*events: dict[str, Any]) -> bytes:
    body = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%b\r\n" % (len(body), body)


def first_events(path: str) -> bytes:
    """Return the start of a stream in the format of the vendor."""
    base = {"id": "c", "created": 1, "model": "m"}
    if path == "/v1/responses":
        response = {"id": "r", "object": "response", "status": "in_progress", "output": [], "model": "m"}
        return event_stream(
            {"type": "response.created", "response": response, "sequence_number": 0},
            {"type": "response.output_text.delta", "delta": "Hello", "item_id": "i", "output_index": 0, "content_index": 0},
        )
    chunk = {"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": None}
    return event_stream({**base, "object": "chat.completion.chunk", "choices": [chunk]})


@pytest.mark.parametrize("path", STREAMED)
def test_in_a_stream(server: ProxyServer, vendor: SilentVendor, path: str) -> None:
    vendor.answer = first_events(path)
    with begin(server, path, {**BODIES[path], "stream": True}) as sock:
        received = read_until(sock, b"Hello")
        assert b" 200 OK" in received
    assert vendor.connections[-1].left.wait(20)
    nothing_runs(server)


def test_in_an_upload(server: ProxyServer, vendor: SilentVendor) -> None:
    before = len(vendor.connections)
    head = (
        b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b"Content-Length: 900000\r\n\r\n"
    )
    part = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        + b"a" * 300_000
    )
    with socket.create_connection(("127.0.0.1", server.get_status().port), timeout=20) as sock:
        sock.sendall(head + part)
        wait_for(lambda: server.get_status().active_connections == 1)
    nothing_runs(server)
    assert len(vendor.connections) == before, "an incomplete file is not sent"


def test_after_an_upload(server: ProxyServer, vendor: SilentVendor) -> None:
    before = len(vendor.connections)
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % part
        for part in ((b"model", b"pool"), (b"prompt", b"a"))
    ]
    parts.append(
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + b"a" * 300_000 + b"\r\n--x--\r\n"
    )
    body = b"".join(parts)
    head = (
        b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    with socket.create_connection(("127.0.0.1", server.get_status().port), timeout=20) as sock:
        sock.sendall(head + body)
        wait_for(lambda: len(vendor.connections) > before)
    assert vendor.connections[-1].left.wait(20)
    nothing_runs(server)


def test_with_a_second_request_in_the_same_connection(server: ProxyServer, vendor: SilentVendor) -> None:
    before = len(vendor.connections)
    with begin(server, "/v1/chat/completions", BODIES["/v1/chat/completions"]) as sock:
        sock.sendall(b"GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n")
        wait_for(lambda: len(vendor.connections) > before)
    assert vendor.connections[-1].left.wait(20)
    nothing_runs(server)


@pytest.mark.parametrize("path", STREAMED)
def test_a_stream_that_breaks_has_one_error_and_no_end(server: ProxyServer, vendor: SilentVendor, path: str) -> None:
    vendor.answer, vendor.cut = first_events(path), True
    with begin(server, path, {**BODIES[path], "stream": True}) as sock:
        received = read_until(sock, b"0\r\n\r\n")
    events = [line for line in received.split(b"\n") if line.startswith(b"data: ")]
    errors = [event for event in events if b"error" in event]
    assert errors == events[-1:], "one error, as the last event"
    assert b"[DONE]" not in received
    assert b"message_stop" not in received
    assert b"response.completed" not in received


def test_a_body_of_bytes_that_breaks_has_no_clean_end(server: ProxyServer, vendor: SilentVendor) -> None:
    vendor.answer = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n"
    vendor.cut = True
    with begin(server, "/v1/audio/speech", BODIES["/v1/audio/speech"]) as sock:
        received = b""
        try:
            while piece := sock.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
    assert b"transfer-encoding: chunked" in received.lower() or b" 502 " in received
    if b" 200 OK" in received:
        assert not received.endswith(b"0\r\n\r\n")


def test_what_was_produced_is_counted(server: ProxyServer, vendor: SilentVendor, mesh: ModelMesh) -> None:
    def spent() -> float:
        return mesh.usage.total_cost

    before = spent()
    vendor.answer = first_events("/v1/chat/completions")
    with begin(server, "/v1/chat/completions", {**BODIES["/v1/chat/completions"], "stream": True}) as sock:
        read_until(sock, b"Hello")
    nothing_runs(server)
    wait_for(lambda: spent() > before)

"""A vendor on loopback: it keeps what it was sent and answers what it was told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

ANSWER = {
    "id": "chatcmpl-test",
    "object": "chat.completion",
    "created": 1763700000,
    "model": "as-the-vendor-calls-it",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


class Upstream(ThreadingHTTPServer):
    """Answers every POST with ``status`` and ``body``; a list is sent as server-sent events, ``[DONE]`` included."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.body: Any = ANSWER
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def last(self) -> dict[str, Any]:
        """The latest request: ``method``, ``path``, ``headers`` with names in lower case, ``json``."""
        return self.requests[-1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        upstream = self.server
        upstream.requests.append({"method": self.command, "path": self.path, "headers": headers, "json": json.loads(raw)})
        if isinstance(upstream.body, list):
            data = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in upstream.body) + b"data: [DONE]\n\n"
            kind = "text/event-stream"
        else:
            data, kind = json.dumps(upstream.body).encode(), "application/json"
        self.send_response(upstream.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-request-id", "req-test")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A server of its own for each test."""
    server = Upstream()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests must not matter."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)

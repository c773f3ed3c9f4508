"""Providers of the demonstration: small HTTP servers on the loopback address that fail or answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Any

RETRY_AFTER_S = 30
PATIENCE_S = 10.0
"""Seconds after which an idle connection is closed, so that no thread outlives the demonstration."""


class Handler(BaseHTTPRequestHandler):
    """Base of the three providers: one answer per connection, and no log."""

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S

    def do_POST(self) -> None:
        """Answer a chat completion. The standard library requires the name."""
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.close_connection = True
        self.answer(request)

    def answer(self, request: dict[str, Any]) -> None:
        """Answer one request."""
        raise NotImplementedError

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Write nothing."""

    def open_stream(self) -> None:
        """Begin a stream of events."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()

    def send_event(self, data: str) -> None:
        """Send one event."""
        payload = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(payload), payload))

    def send_delta(self, delta: dict[str, Any], finish: str | None = None) -> None:
        """Send one chunk of a chat completion, in the format of OpenAI's API (openai package 3.52.0, 2026-11-21)."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": 0, "model": "demo", "choices": [choice]}
        self.send_event(json.dumps(chunk))


class Busy(Handler):
    """Provider that answers 429 with the seconds to wait."""

    def answer(self, request: dict[str, Any]) -> None:
        """Answer with status 429."""
        _ = request
        error = {"message": "Too many requests.", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
        body = json.dumps({"error": error}).encode()
        self.send_response(429)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", str(RETRY_AFTER_S))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


class Fragile(Handler):
    """Provider that opens a stream, sends the role and disconnects before the first word."""

    def answer(self, request: dict[str, Any]) -> None:
        """Start a stream. The connection closes without the end of the body."""
        _ = request
        self.open_stream()
        self.send_delta({"role": "assistant", "content": ""})


class Echo(Handler):
    """Provider that repeats the prompt."""

    def answer(self, request: dict[str, Any]) -> None:
        """Stream the answer word by word."""
        prompt = str(request["messages"][-1]["content"])
        self.open_stream()
        self.send_delta({"role": "assistant", "content": ""})
        for place, word in enumerate(f"This is an echo, not a model. You asked: {prompt}".split(" ")):
            self.send_delta({"content": f" {word}" if place else word})
        self.send_delta({}, finish="stop")
        self.send_event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")


class Server(ThreadingHTTPServer):
    """Server of one provider. Closing it waits for its threads."""

    daemon_threads = False

    def server_bind(self) -> None:
        """Bind the address without a DNS lookup, which would use the network."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing: a disconnected client is expected."""


@contextmanager
def serving(*handlers: type[Handler]) -> Iterator[list[str]]:
    """Serve each provider on its own free port until the block ends.

    Yields:
        The addresses, in order.
    """
    running: list[tuple[Server, Thread]] = []
    try:
        for handler in handlers:
            server = Server(("127.0.0.1", 0), handler)
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name=f"demo-{handler.__name__.lower()}")
            thread.start()
            running.append((server, thread))
        yield [f"http://127.0.0.1:{server.server_port}" for server, _ in running]
    finally:
        for server, thread in running:
            server.shutdown()
            thread.join()
            server.server_close()

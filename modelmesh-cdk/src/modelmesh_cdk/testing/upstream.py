"""HTTP server on the loopback interface with scripted responses and recorded requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from threading import Event, Lock, Thread
from typing import Any, Self

from attrs import define, field, frozen

CONTINUE = b""
"""Part of a script's body that sends nothing and keeps the connection open until the server stops."""


@frozen
class Received:
    """A recorded request.

    Attributes:
        method: HTTP method.
        path: Path with its query.
        headers: Headers with names in lower case. Repeated ones are joined with a comma.
        body: Raw body.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


@define
class Script:
    """A scripted response.

    Attributes:
        status: HTTP status.
        body: Bytes in one part, or parts that are sent one by one. An empty part keeps the connection open.
        headers: Headers in addition to length and type.
        content_type: Media type.
        delay: Seconds before the headers.
        cut: Whether the connection is closed without a proper end of the body.
    """

    status: int = 200
    body: bytes | Sequence[bytes] = b""
    headers: Mapping[str, str] = field(factory=dict)
    content_type: str = "application/json"
    delay: float = 0.0
    cut: bool = False


def completion(content: str | None = "Hello!", *, model: str = "test-model", **message: Any) -> dict[str, Any]:
    """Return a chat completion in OpenAI's format."""
    finish = "tool_calls" if message.get("tool_calls") else "stop"
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }


def chunk(delta: Mapping[str, Any], *, finish: str | None = None, model: str = "test-model", **fields: Any) -> dict[str, Any]:
    """Return a chunk in OpenAI's format."""
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish}
    head = {"id": "chatcmpl-test", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model}
    return {**head, "choices": [choice], **fields}


def event(data: Any) -> bytes:
    """Return a server-sent event. Text is sent unchanged, other values as JSON."""
    text = data if isinstance(data, str) else json.dumps(data)
    return f"data: {text}\n\n".encode()


def text_stream(*words: str, model: str = "test-model", done: bool = True, finish: str | None = "stop") -> list[bytes]:
    """Return the events of a response with these deltas."""
    chunks = [chunk({"role": "assistant", "content": ""}, model=model)]
    chunks += [chunk({"content": word}, model=model) for word in words]
    if finish is not None:
        chunks.append(chunk({}, finish=finish, model=model))
    return [event(one) for one in chunks] + ([event("[DONE]")] if done else [])


POLL_S = 0.003
"""Interval in which the server checks for its shutdown. Each test of the kit stops one."""


class Upstream:
    """HTTP server with scripted responses. A context manager.

    Without a script it answers every chat with ``Hello!``, streamed if requested, lists one model, and answers every other
    operation of OpenAI's API with a sample.

    Attributes:
        received: Every request, in order.
        abandoned: Set when a client disconnects before the end of its response.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.abandoned = Event()
        self._scripts: list[Script | Callable[[Received], Script]] = []
        self._always: Script | Callable[[Received], Script] | None = None
        self._lock = Lock()
        self._stopping = Event()
        self._server = _server(self)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True)

    # -- responses ----------------------------------------------------------------------------------------------------

    def then(self, script: Script | Callable[[Received], Script]) -> Self:
        """Queue a script for the next request."""
        with self._lock:
            self._scripts.append(script)
        return self

    def always(self, script: Script | Callable[[Received], Script] | None) -> Self:
        """Set the script for requests when the queue is empty."""
        self._always = script
        return self

    def reply(self, body: Any, status: int = 200, **headers: str) -> Self:
        """Queue a JSON response."""
        return self.then(
            Script(status, json.dumps(body).encode(), {name.replace("_", "-"): value for name, value in headers.items()})
        )

    def fail(self, status: int, code: str | None = None, **headers: str) -> Self:
        """Queue an error response in OpenAI's format."""
        return self.reply(
            {"error": {"message": f"status {status}", "type": "test", "param": None, "code": code}}, status, **headers
        )

    def stream(self, pieces: Sequence[bytes], *, cut: bool = False) -> Self:
        """Queue an event stream of these parts."""
        return self.then(Script(body=list(pieces), content_type="text/event-stream", cut=cut))

    def script_for(self, request: Received) -> Script:
        """Return the next script."""
        with self._lock:
            self.received.append(request)
            script = self._scripts.pop(0) if self._scripts else self._always
        if script is None:
            return _usual(request)
        return script if isinstance(script, Script) else script(request)

    # -- requests -----------------------------------------------------------------------------------------------------

    @property
    def last(self) -> Received:
        """The latest request."""
        return self.received[-1]

    @property
    def port(self) -> int:
        """The port of the server."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The server's URL without a path."""
        return f"http://127.0.0.1:{self.port}"

    # -- life ---------------------------------------------------------------------------------------------------------

    @property
    def stopping(self) -> Event:
        """Event that is set when the server stops, for responses without an end."""
        return self._stopping

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _usual(request: Received) -> Script:
    if request.method == "GET" and request.path.partition("?")[0].endswith("/models"):
        return Script(body=json.dumps({"object": "list", "data": [{"id": "test-model", "object": "model"}]}).encode())
    from modelmesh_cdk.testing.usual_answers import usual_answer  # noqa: PLC0415 - it imports this module

    other = usual_answer(request)
    if other is not None:
        return other
    body = request.json
    model = body.get("model", "test-model")
    if body.get("stream"):
        return Script(body=text_stream("Hel", "lo!", model=model), content_type="text/event-stream")
    return Script(body=json.dumps(completion(model=model)).encode())


def _server(upstream: Upstream) -> ThreadingHTTPServer:  # noqa: C901 - two small classes
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): ", ".join(self.headers.get_all(name, ())) for name in self.headers}
            script = upstream.script_for(Received(self.command, self.path, headers, body))
            if script.delay and upstream.stopping.wait(script.delay):
                self.close_connection = True
                return
            self.send_response(script.status)
            self.send_header("Content-Type", script.content_type)
            for name, value in script.headers.items():
                self.send_header(name, value)
            try:
                self._send(script)
            except (BrokenPipeError, ConnectionResetError):
                upstream.abandoned.set()
                self.close_connection = True

        def _send(self, script: Script) -> None:
            if isinstance(script.body, bytes):
                self.send_header("Content-Length", str(len(script.body) + (1 if script.cut else 0)))
                self.end_headers()
                self.wfile.write(script.body)
                self.close_connection = self.close_connection or script.cut
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in script.body:
                if piece == CONTINUE:
                    self._wait_for_the_client()
                    continue
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            if script.cut:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")

        def _wait_for_the_client(self) -> None:
            while not upstream.stopping.is_set():
                readable, _, _ = select([self.connection], [], [], 0.02)
                if readable:  # in the middle of a response, a readable connection means a disconnect
                    upstream.abandoned.set()
                    raise BrokenPipeError

        do_GET = do_POST = do_DELETE = do_PUT = _serve  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Suppress the log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Suppress the log: many tests disconnect clients."""

    return Server(("127.0.0.1", 0), Handler)


__all__ = ["CONTINUE", "Received", "Script", "Upstream", "chunk", "completion", "event", "text_stream"]

"""One HTTP request and its response, over ASGI."""

from __future__ import annotations

import re
from random import getrandbits
from time import perf_counter
from urllib.parse import quote

from modelmesh._engine.gateway import json_codec
from modelmesh.contracts.caller import Caller
from modelmesh_proxy.application.client_connection import EXTENSION, ClientConnection
from modelmesh_proxy.asgi import JSON, Event, Header, Receive, Scope, Send
from modelmesh_proxy.services import RequestCount

LEFT = 499
"""Status of a request that its caller left before the head of the response."""

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Exchange:
    """A request and the way to answer it.

    Attributes:
        scope: The ASGI scope.
        receive: The ASGI function.
        method: HTTP method.
        path: Raw path: percent-encoded, without the query. Access and routes depend on it alone.
        headers: Headers, names in lower case. Repeated ones are joined with commas.
        peer: Address of the peer, ``None`` when unknown.
        connection: The caller's connection, ``None`` under another ASGI server.
        caller: The application that sent the request, after the guard has identified it.
        requests: The count of running requests in which this one is.
        added: Headers that every response to this request has.
        status: Status of the response, :data:`LEFT` before it.
        first_byte: Seconds from the start to the first byte of the body, ``None`` before it.
        began: Seconds of the performance counter at the start.
    """

    __slots__ = (
        "_send",
        "added",
        "began",
        "caller",
        "connection",
        "first_byte",
        "headers",
        "method",
        "path",
        "peer",
        "receive",
        "requests",
        "scope",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin an exchange.

        Args:
            scope: An ASGI scope of the type ``http``.
            receive: The ASGI function.
            send: The ASGI function.
        """
        self.began = perf_counter()
        self.scope, self.receive, self._send = scope, receive, send
        self.method: str = scope["method"]
        raw: bytes | None = scope.get("raw_path")
        self.path = quote(scope["path"]) if raw is None else raw.decode("latin-1")
        pairs = scope["headers"]
        self.headers: dict[str, str] = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        if len(self.headers) != len(pairs):
            self.headers = _join(pairs)
        client = scope.get("client")
        self.peer: str | None = client[0] if client else None
        extensions = scope.get("extensions")
        self.connection: ClientConnection | None = extensions.get(EXTENSION) if extensions else None
        self.caller: Caller | None = None
        self.requests = RequestCount()
        self.added: list[Header] = []
        self.status = LEFT
        self.first_byte: float | None = None
        given = self.headers.get("x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given) is None:
            del self.headers["x-request-id"]

    def count_in(self, requests: RequestCount) -> None:
        """Count this request as one that runs on another mesh, because a reload replaced the mesh in the meantime."""
        self.requests.running -= 1
        self.requests = requests
        requests.running += 1

    @property
    def is_started(self) -> bool:
        """Whether the head of the response was sent."""
        return self.status != LEFT

    def request_id(self) -> str:
        """Return the ID of the caller, or a new one."""
        known = self.headers.get("x-request-id")
        if known is None:
            known = self.headers["x-request-id"] = f"req_{getrandbits(128):032x}"
        return known

    async def start(self, status: int, headers: list[Header]) -> None:
        """Send the head of the response."""
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": headers + self.added})

    async def write(self, data: bytes, *, more: bool = False) -> None:
        """Send a piece of the body, and wait while the caller reads too slowly."""
        connection = self.connection
        if not (more and data and self.method != "HEAD" and connection is not None and connection.write(data)):
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
        if self.first_byte is None:
            self.first_byte = perf_counter() - self.began

    async def send_whole(self, status: int, headers: list[Header], body: bytes) -> None:
        """Send a complete response."""
        content, connection = b"" if self.method == "HEAD" else body, self.connection
        if connection is not None and not self.is_started and connection.respond(status, headers + self.added, content):
            self.status, self.first_byte = status, perf_counter() - self.began
            return
        await self.start(status, headers)
        await self.write(content)

    async def respond(self, status: int, headers: list[Header], body: bytes) -> None:
        """Send a complete response with a request ID."""
        own = [(b"x-request-id", self.request_id().encode("latin-1"))]
        if status != 204:  # noqa: PLR2004 - No Content, which has no length either
            own.append((b"content-length", b"%d" % len(body)))
        await self.send_whole(status, headers + own, body)

    async def respond_json(self, status: int, data: object, headers: list[Header] | None = None) -> None:
        """Send a complete response with a JSON body."""
        await self.respond(status, [JSON, *(headers or ())], json_codec.encode(data))

    async def send(self, event: Event) -> None:
        """Send an ASGI event of a mounted application, with a request ID."""
        if event["type"] == "http.response.start":
            headers = list(event.get("headers", ()))
            if all(name != b"x-request-id" for name, _ in headers):
                headers.append((b"x-request-id", self.request_id().encode("latin-1")))
            await self.start(event["status"], headers)
            return
        await self._send(event)
        if self.first_byte is None:
            self.first_byte = perf_counter() - self.began


def _join(pairs: list[Header]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined

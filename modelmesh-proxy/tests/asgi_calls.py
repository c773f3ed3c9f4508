"""Requests to an ASGI application without a server."""

from __future__ import annotations

import asyncio
from typing import Any

from attrs import field, frozen
from sample_config import CONFIG

from modelmesh._engine.config.schema import ProxySection
from modelmesh._engine.gateway.messages import GatewayRequest, GatewayResponse
from modelmesh_proxy.application.app import ProxyApp, create_app
from modelmesh_proxy.settings import ProxySettings


@frozen
class Reply:
    """A response.

    Attributes:
        status: Its status.
        headers: Its headers, the last one of a name.
        body: Its body.
        received: How often the application received.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    received: int


@frozen
class EchoGateway:
    """Answers every request, and records it."""

    seen: list[GatewayRequest] = field(factory=list)
    headers: list[tuple[str, str]] = field(factory=list)

    async def ahandle(self, request: GatewayRequest) -> GatewayResponse:
        if not isinstance(request.body, bytes):
            async for _ in request.body:  # type: ignore[union-attr]
                pass
        self.seen.append(request)
        return GatewayResponse(200, [("content-type", "application/json"), *self.headers], b"{}")


def make_app(token: str | None = None, **section: Any) -> ProxyApp:
    """Return an application with an :class:`EchoGateway`."""
    app = create_app(CONFIG, settings=ProxySettings(ProxySection(**section), token))
    app.services.gateway = EchoGateway()  # type: ignore[assignment]
    return app


async def acall(
    app: Any, method: str, path: str, headers: dict[str, str] | None = None, *pieces: bytes, peer: str = "127.0.0.1"
) -> Reply:
    """Send one request."""
    raw, _, query = path.partition("?")
    given = {"host": "127.0.0.1:8080", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": raw,
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": (peer, 1),
    }
    waiting = list(pieces) or [b""]
    sent: list[Any] = []
    received = 0

    async def receive() -> Any:
        nonlocal received
        received += 1
        if not waiting:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(event: Any) -> None:
        sent.append(event)

    await app(scope, receive, send)
    head = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    assert sent[-1]["type"] == "http.response.body"
    assert not sent[-1].get("more_body")
    return Reply(sent[0]["status"], head, b"".join(event["body"] for event in sent[1:]), received)


def call(
    app: Any, method: str, path: str, headers: dict[str, str] | None = None, *pieces: bytes, peer: str = "127.0.0.1"
) -> Reply:
    """Send one request and wait for its response."""
    return asyncio.run(acall(app, method, path, headers, *pieces, peer=peer))

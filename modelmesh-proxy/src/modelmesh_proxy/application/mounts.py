"""Functions that serve the routes. Parts that few processes need are imported with their first request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from modelmesh._engine.gateway import json_codec
from modelmesh._engine.gateway.messages import HttpError
from modelmesh_proxy.application.gateway_bridge import serve_gateway
from modelmesh_proxy.application.health import health_report, readiness_report
from modelmesh_proxy.asgi import JSON

if TYPE_CHECKING:
    from modelmesh_proxy.application.app import ProxyApp
    from modelmesh_proxy.application.exchange import Exchange

Serve = Callable[["Exchange"], Awaitable[None]]

RETRY = (b"retry-after", b"1")
"""Header of a proxy that is not ready."""

_TRICKS = ("//", "/../", "/./", "\\", ";", "%2f", "%5c", "%2e")


def gateway(app: ProxyApp) -> Serve:
    """Serve the interfaces of OpenAI, Anthropic and Google."""
    services = app.services

    async def serve(exchange: Exchange) -> None:
        await serve_gateway(exchange, services)

    return serve


def realtime(app: ProxyApp) -> Serve:
    """Serve realtime sessions."""
    from modelmesh_proxy.application.realtime_route import serve_realtime  # noqa: PLC0415 - most processes never get such a request

    services = app.services

    async def serve(exchange: Exchange) -> None:
        await serve_realtime(exchange, services)

    return serve


def mounted(application: Callable[..., Awaitable[Any]]) -> Serve:
    """Serve by an ASGI application, which receives the decoded path. A path that decoding changes in meaning is refused."""

    async def serve(exchange: Exchange) -> None:
        path = exchange.path.lower()
        if any(trick in path for trick in _TRICKS):
            raise _no_such(exchange)
        await application(exchange.scope, exchange.receive, exchange.send)

    return serve


def metrics(app: ProxyApp) -> Serve:
    """Serve ``/metrics``."""
    from modelmesh_proxy.metrics.endpoint import serve_metrics  # noqa: PLC0415 - most processes are not scraped

    async def serve(exchange: Exchange) -> None:
        await serve_metrics(app.metrics, exchange.scope, exchange.send)

    return serve


def health(app: ProxyApp) -> Serve:
    """Serve ``/health``."""

    async def serve(exchange: Exchange) -> None:
        await exchange.respond_json(200, health_report(app.services))

    return serve


def ready(app: ProxyApp) -> Serve:
    """Serve ``/ready``."""

    async def serve(exchange: Exchange) -> None:
        status, report = readiness_report(app.services)
        await exchange.respond_json(status, report, [] if status == 200 else [RETRY])  # noqa: PLR2004 - OK

    return serve


def admin(app: ProxyApp) -> Serve:
    """Serve ``/admin/`` and ``/ui``."""
    return mounted(app.administration)


def openapi(app: ProxyApp) -> Serve:
    """Serve ``/openapi.json``."""
    from importlib.metadata import version  # noqa: PLC0415 - most processes never get such a request

    from modelmesh_proxy.openapi.document import openapi_document  # noqa: PLC0415

    _ = app
    body = json_codec.encode(openapi_document(version("modelmesh-proxy")))

    async def serve(exchange: Exchange) -> None:
        await exchange.respond(200, [JSON], body)

    return serve


def index(app: ProxyApp) -> Serve:
    """Serve ``/``: where the interfaces are."""
    _ = app
    paths = {
        "openai": "/v1",
        "anthropic": "/v1/messages",
        "gemini": "/v1beta",
        "openapi": "/openapi.json",
        "health": "/health",
        "ui": "/ui",
    }

    async def serve(exchange: Exchange) -> None:
        await exchange.respond_json(200, {"name": "ModelMesh", "paths": paths})

    return serve


def not_found(app: ProxyApp) -> Serve:
    """Answer a request to a path that does not exist."""
    _ = app

    async def serve(exchange: Exchange) -> None:
        raise _no_such(exchange)

    return serve


def _no_such(exchange: Exchange) -> HttpError:
    return HttpError(
        404,
        f"{exchange.method} {exchange.path[:200]} does not exist. Paths start with /v1, e.g. /v1/chat/completions. "
        "In an OpenAI SDK, the base URL ends with /v1.",
    )

"""``/v1/realtime``: a WebSocket between a caller and one vendor."""

from __future__ import annotations

from asyncio import FIRST_COMPLETED, CancelledError, Task, create_task, gather, wait
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from modelmesh._engine.gateway.messages import GatewayRequest, HttpError
from modelmesh.errors import ModelMeshError
from modelmesh_proxy.application.credentials import KEY_PROTOCOL
from modelmesh_proxy.application.handshake import Handshake
from modelmesh_proxy.application.refused import with_headers
from modelmesh_proxy.application.request_bodies import CallerLeftError
from modelmesh_proxy.services import has_websockets

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange
    from modelmesh_proxy.asgi import Header
    from modelmesh_proxy.realtime.session import RealtimeSession
    from modelmesh_proxy.services import ProxyServices

_PROTOCOL = "realtime"
_OF_KEYS = (KEY_PROTOCOL, "openai-organization.", "openai-project.")
"""Beginnings of the subprotocols that stand for credentials, which the vendor does not receive."""


async def serve_realtime(exchange: Exchange, services: ProxyServices) -> None:
    """Serve one session, from its handshake to its end.

    Args:
        exchange: The handshake.
        services: State of the proxy.

    Raises:
        HttpError: The request opens no session.
        CallerLeftError: The caller left before the session was open.
    """
    if not has_websockets():
        message = "Realtime sessions need an optional package. Install it on the server: pip install 'modelmesh-proxy[realtime]'"
        raise HttpError(501, message, code="realtime_not_installed")
    if not isinstance(exchange, Handshake):
        error = HttpError(426, f"{exchange.path} is a WebSocket. Connect to it with ws:// or wss://.", code="upgrade_required")
        raise with_headers(error, upgrade="websocket", connection="upgrade")
    request = _request(exchange)
    if exchange.requests is not services.requests:
        exchange.count_in(services.requests)
    offered = [name for name in exchange.subprotocols if not name.startswith(_OF_KEYS)]
    left: Task[Any] = create_task(exchange.receive())  # type: ignore[arg-type]
    try:
        session = await _open(request, services, offered, left)
        try:
            await exchange.accept(_encoded(session.headers), session.subprotocol or _selected(offered))
        except BaseException:
            await session.discard()
            raise
        await session.run(left, exchange.receive, exchange.send)
    except ModelMeshError as error:
        if exchange.is_started:
            raise
        response = services.gateway.fail(request, error)
        await exchange.send_whole(response.status, _encoded(response.headers), bytes(response.content))  # type: ignore[arg-type]
    except OSError:
        raise CallerLeftError from None
    finally:
        left.cancel()


def _encoded(headers: list[tuple[str, str]]) -> list[Header]:
    return [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]


def _request(exchange: Exchange) -> GatewayRequest:
    query = parse_qsl(exchange.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if not dict(query).get("model"):
        message = "A realtime session needs a model. Name a pool or a model in the address: /v1/realtime?model=…"
        raise HttpError(400, message, code="missing_required_parameter", param="model")
    exchange.request_id()
    return GatewayRequest("GET", exchange.path, query, exchange.headers, caller=exchange.caller)


async def _open(request: GatewayRequest, services: ProxyServices, offered: Sequence[str], left: Task[Any]) -> RealtimeSession:
    """Open a session at a vendor, unless the caller leaves first."""
    from modelmesh_proxy.realtime.opening import open_session  # noqa: PLC0415 - an optional dependency

    opening = create_task(open_session(services, request, offered))
    try:
        await wait({opening, left}, return_when=FIRST_COMPLETED)
    except CancelledError:
        await _discard(opening)
        if not services.draining:
            raise
        error = HttpError(503, "The server is shutting down. Open the session again.", code="server_shutdown")
        raise with_headers(error, retry_after="1") from None
    if not opening.done():
        await _discard(opening)
        raise CallerLeftError
    return opening.result()


async def _discard(opening: Task[RealtimeSession]) -> None:
    """End the opening of a session, also one that has just succeeded."""
    opening.cancel()
    await gather(opening, return_exceptions=True)
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().discard()


def _selected(offered: Sequence[str]) -> str | None:
    """Return the subprotocol for a caller that offers some. A browser fails without one."""
    return _PROTOCOL if _PROTOCOL in offered else next(iter(offered), None)

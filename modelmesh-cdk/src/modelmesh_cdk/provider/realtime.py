"""Connection to a vendor's realtime sessions, over a WebSocket.

The package ``websockets`` is an optional dependency, so this module is imported with the first session. The connection follows no
redirect, which would carry the key elsewhere, and logs no event.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from modelmesh.contracts import FailureClass
from modelmesh_cdk.provider.error_responses import without_key
from modelmesh_cdk.provider.provider_errors import provider_error
from modelmesh_cdk.transport.proxies import is_loopback, proxy_for

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call, Limits
    from modelmesh_cdk.provider.openai_compatible import OpenAICompatibleProvider

# ruff: noqa: SLF001 - hooks and connections are protected members of the provider

CLOSE_S = 1.0
"""Seconds to wait for the vendor's part of the closing handshake."""

QUEUED_EVENTS = 8
"""Events that are read ahead while the caller is slow."""

_UNSENT = frozenset({"accept", "accept-encoding", "content-type"})
_NORMAL, _ABNORMAL, _FAILED = 1000, 1006, 1011

_log = logging.getLogger("modelmesh.realtime")
_log.setLevel(logging.WARNING)  # below, the library logs the content of events


class RealtimeConnection:
    """An open session at a vendor.

    Attributes:
        headers: Headers of the vendor's answer, names in lower case.
        subprotocol: The subprotocol that the vendor selected.
        adapted: Changes to the request. There are none.
        rate_limits: Rate limits that the vendor reported.
        close_code: Code with which the vendor closed the session, ``None`` while it is open.
        close_reason: The vendor's reason.
    """

    adapted: tuple[str, ...] = ()

    def __init__(self, connection: ClientConnection, headers: Mapping[str, str], rate_limits: Any) -> None:
        self._connection = connection
        self.headers, self.rate_limits = headers, rate_limits
        self.subprotocol = connection.subprotocol
        self.close_code: int | None = None
        self.close_reason = ""

    async def send(self, event: str | bytes) -> bool:
        """Send an event, and wait while the vendor reads too slowly. Return ``False`` after the end of the session."""
        try:
            await self._connection.send(event)
        except ConnectionClosed as error:
            self._note(error)
            return False
        return True

    async def receive(self) -> str | bytes | None:
        """Return the next event, ``None`` after the end of the session."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            self._note(error)
            return None

    def _note(self, error: ConnectionClosed) -> None:
        closed = error.rcvd
        self.close_code, self.close_reason = (_ABNORMAL, "") if closed is None else (closed.code, closed.reason)

    async def aclose(self, code: int = _NORMAL, reason: str = "") -> None:
        """Close the session."""
        with suppress(WebSocketException, OSError, TimeoutError):
            await self._connection.close(code, reason)


class _Opening(open_websocket):
    """Opens a WebSocket without following redirects."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Return the answer itself as the error."""
        return exc


async def connect(
    provider: OpenAICompatibleProvider, call: Call, model: str, limits: Limits, *, subprotocols: Any = (), max_size: int
) -> RealtimeConnection:
    """Open a session at a vendor.

    Args:
        provider: The account.
        call: The request. Its options are the caller's query and headers.
        model: The vendor's name of the model.
        limits: Deadlines.
        subprotocols: Subprotocols that the caller offers.
        max_size: Maximum bytes of one event of the vendor.

    Raises:
        ProviderError: The vendor refused the session or cannot be reached.
    """
    address, headers = _request(provider, call, model)
    if provider._connections._loopback_only and not is_loopback(urlsplit(address).hostname or ""):
        message = f"{provider.show_address()} is not this machine, and the API key would be sent in clear text. Nothing was sent."
        raise provider_error(FailureClass.CONNECT, message)
    options: dict[str, Any] = {}
    if address.startswith("wss:"):
        from modelmesh_cdk.transport.http1.tls import tls_context  # noqa: PLC0415 - only for other machines

        options["ssl"] = tls_context()
    try:
        connection = await _Opening(
            address,
            additional_headers=headers,
            user_agent_header=None,
            subprotocols=list(subprotocols) or None,
            compression=None,
            proxy=_proxy(provider),
            open_timeout=min(limits.connect, limits.first_content),
            close_timeout=CLOSE_S,
            max_size=max_size,
            max_queue=QUEUED_EVENTS,
            logger=_log,
            **options,
        )
    except InvalidStatus as error:
        answer = error.response
        found = {name.lower(): value for name, value in answer.headers.raw_items()}
        raise provider._map_error_response(answer.status_code, found, bytes(answer.body or b"")) from None
    except TimeoutError:
        message = f"{provider.show_address()} did not open the session within {limits.connect:g} s"
        raise provider_error(FailureClass.CONNECT, message) from None
    except (OSError, WebSocketException) as error:
        message = f"no session at {provider.show_address()}: {type(error).__name__}"
        raise provider_error(FailureClass.CONNECT, message) from None
    answered = connection.response
    assert answered is not None
    kept = {name.lower(): value for name, value in answered.headers.raw_items()}
    shown = {name: value for name, value in without_key(provider, kept).items() if not name.startswith("sec-websocket-")}
    return RealtimeConnection(connection, shown, provider.reported_rate_limits(kept))


def _request(provider: OpenAICompatibleProvider, call: Call, model: str) -> tuple[str, list[tuple[str, str]]]:
    options = call.options
    query = urlencode({"model": model, **{name: value for name, value in options.query.items() if name != "model"}}, doseq=True)
    made = provider._request_headers.of_operation(provider, options.headers, content_type="", accept="*/*")
    headers = [(name, value) for name, value in made if name.lower() not in _UNSENT]
    return f"ws{provider.api_root.removeprefix('http')}{call.operation.path}?{query}", headers


def _proxy(provider: OpenAICompatibleProvider) -> str | None:
    proxy = proxy_for(provider.api_root)
    if proxy is None or proxy.auth is None:
        return None if proxy is None else proxy.url
    scheme, _, rest = proxy.url.partition("://")
    return f"{scheme}://{quote(proxy.auth[0], safe='')}:{quote(proxy.auth[1], safe='')}@{rest}"


def broken_session(connection: RealtimeConnection) -> Any:
    """Return the error of a session that the vendor broke off, ``None`` for one that it ended in order."""
    code = connection.close_code
    if code is None or code not in (_ABNORMAL, _FAILED):
        return None
    return provider_error(FailureClass.DISCONNECT, f"the provider broke off the session (close code {code})")

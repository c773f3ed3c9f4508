"""HTTP/1.1 connections: uvicorn's httptools protocol with limits, deadlines and strict heads.

What this class adds to uvicorn:

- only the path of realtime sessions opens a WebSocket,
- the body of a request with ``Upgrade: h2c`` is read, because the parser stops after the head of such a request,
- a head that is too large gets 431, and one that is ambiguous gets 400,
- a head or body that does not arrive in time gets 408, and an idle connection closes,
- trailers never become headers,
- a refusal waits for the responses to earlier pipelined requests,
- a refused connection reads on for a moment, so that the response is not lost in a reset,
- responses of a server that ends close their connection, so that no caller sends a request into a closed one.

Names without an underscore, and ``data_received``, override uvicorn's.
"""

from __future__ import annotations

from asyncio import BaseTransport
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, cast

import httptools
from attrs import evolve
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from modelmesh._engine.config.schema import ProxyLimitsSection
from modelmesh_proxy.application.client_connection import EXTENSION
from modelmesh_proxy.server import refusals
from modelmesh_proxy.server.busy_health import HealthAnswer
from modelmesh_proxy.server.caller_connection import CallerConnection
from modelmesh_proxy.server.connection_sweep import ConnectionSweep
from modelmesh_proxy.server.open_files import most_connections
from modelmesh_proxy.server.refusals import Refusal, RefusedError
from modelmesh_proxy.server.request_head import check_head, without_upgrade
from modelmesh_proxy.server.response_writer import ResponseWriter
from modelmesh_proxy.server.start_gate import StartGate
from modelmesh_proxy.server.unframed_response import UnframedResponse
from modelmesh_proxy.services import has_websockets

_REALTIME = b"/v1/realtime"

_IDLE, _HEAD, _BODY, _SERVING, _CLOSING = range(5)

SLOWEST_BODY = 4096
"""Bytes of a body a second that extend its deadline: a large upload over a slow line is no attack."""

MOST_REFUSED = 1.25
"""Connections, refused ones included, as a multiple of their limit. Further ones close without a response."""

LINGER_S = 2.0
"""Seconds for which a refused connection discards what the peer still sends."""

PROBES = frozenset({"/health", "/ready"})
"""Paths of requests that never wait for others."""

MAX_PIPELINED = 100
"""Requests that wait for the response to an earlier one of their connection."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. :func:`protocol_class` returns a subclass with limits, which uvicorn instantiates."""

    limits: ProxyLimitsSection
    sweep: ConnectionSweep
    gate: StartGate
    health: HealthAnswer | None
    is_last = False
    deadline: float
    write_deadline: float = inf
    on_leave: Callable[[], object] | None = None
    running: RequestResponseCycle | None = None
    _stage = _IDLE
    _refusal: Refusal | None = None
    _head_size = _trailers = 0
    _offers_upgrade = _is_answered = False

    @property
    def is_read_paused(self) -> bool:
        """Whether this server does not read from the connection at present."""
        return self.flow.read_paused

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin a connection, or refuse it when there are too many."""
        super().connection_made(cast("Any", transport))
        self._extensions = {EXTENSION: CallerConnection(self)}
        self.deadline = self.loop.time() + self.limits.header_timeout
        open_now = len(self.sweep)
        self.sweep.add(self, self.loop)
        if open_now >= self.limits.connections * MOST_REFUSED:
            self.transport.abort()
        elif open_now >= self.limits.connections:
            self._refuse(refusals.TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self.sweep.discard(self)
        super().connection_lost(exc)
        if self.running is not None and not self.running.response_complete:
            self.running.disconnected = True  # uvicorn marks only the last of pipelined requests
        self._leave()

    def data_received(self, data: bytes) -> None:
        """Parse bytes of the peer."""
        if self._stage == _CLOSING or self._refusal is not None:
            return
        if self._stage == _HEAD:
            self._head_size += len(data)
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if not self._offers_upgrade:
                    self.handle_websocket_upgrade()
                    return
                data = self._without_upgrade() + data[upgrade.args[0] :]
                continue
            except httptools.HttpParserError as error:
                cause = error.__context__
                self._refuse(cause.refusal if isinstance(cause, RefusedError) else refusals.INVALID)
                return
            break
        if self._stage == _HEAD and self._head_size > self.limits.header_bytes:
            self._refuse(refusals.HEADERS_TOO_LARGE)

    def _without_upgrade(self) -> bytes:
        """Continue with a fresh parser, and return the head of the current request without its offer of another protocol."""
        parser = self.parser
        head = without_upgrade(parser.get_method(), self.url, parser.get_http_version(), self.headers)
        self._offers_upgrade = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return head

    def on_message_begin(self) -> None:
        """Begin the head of a request."""
        super().on_message_begin()
        self._stage = _HEAD
        self._head_size = self._trailers = 0
        self.deadline = self.loop.time() + self.limits.header_timeout

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request line."""
        self.url += url
        if len(self.url) > self.limits.header_bytes:
            raise RefusedError(refusals.HEADERS_TOO_LARGE)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or discard a trailer."""
        if self._stage != _HEAD:
            self._trailers += 1
            if self._trailers > self.limits.header_lines:
                raise RefusedError(refusals.HEADERS_TOO_LARGE)
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check the head and start the request."""
        parser = self.parser
        check_head(self.url, parser.get_http_version(), self.headers, self.limits)
        if len(self.pipeline) >= MAX_PIPELINED:
            raise RefusedError(refusals.TOO_MANY_PIPELINED)
        if parser.should_upgrade() and not self._should_upgrade():
            if parser.get_method() == b"CONNECT":
                raise RefusedError(refusals.INVALID)
            self._offers_upgrade = True
            return
        if self.url == b"/health" and self._answer_health():
            return
        super().on_headers_complete()
        if parser.should_upgrade():
            return
        if self.is_last:
            self.cycle.keep_alive = False
        if parser.get_http_version() == "1.0":
            self.cycle.__class__ = UnframedResponse
        self.cycle.transport = cast("Any", ResponseWriter(self.transport, self.loop))
        cast("Any", self.scope)["extensions"] = self._extensions
        if len(self.pipeline) < MAX_PIPELINED:
            self.flow.resume_reading()  # uvicorn pauses at the second request, and would not notice that the caller leaves
        self._stage = _BODY
        self.deadline = self.loop.time() + self.limits.body_timeout

    def _should_upgrade(self) -> bool:
        """Return whether the request opens a WebSocket. Other offers of an upgrade are ignored."""
        if self.url.partition(b"?")[0] != _REALTIME or self._get_upgrade() != b"websocket" or not has_websockets():
            return False
        earlier: object = self.cycle
        if earlier is not None and not self.cycle.response_complete:
            raise RefusedError(refusals.INVALID)  # a session cannot begin before the end of an earlier response
        return self.parser.get_method() == b"GET"

    def _answer_health(self) -> bool:
        """Answer a check of a busy server at once. Return whether it was answered."""
        earlier: object = self.cycle
        if self.health is None or earlier is not None or self.parser.get_method() != b"GET":
            return False  # an earlier response of the connection may not be written yet
        response = self.health(self.parser.should_keep_alive())
        if response is None:
            return False
        self._is_answered = True
        self.transport.write(response)
        return True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.running = cycle
        start = super()._start_asgi_task
        if self.gate.may_start(self.loop) or cycle.scope["path"] in PROBES:
            start(cycle, app)
        else:
            self.gate.wait(partial(start, cycle, app))

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._is_answered:
            return
        if not self.cycle.response_complete:
            self.deadline += len(body) / SLOWEST_BODY
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the body."""
        if self._offers_upgrade:
            return
        if self._is_answered:
            self._is_answered, self._stage = False, _IDLE
            self.deadline = self.loop.time() + self.limits.keep_alive
            if not self.parser.should_keep_alive():
                self.transport.close()
            return
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:
            self._stage = _IDLE
            self.deadline = self.loop.time() + self.limits.keep_alive
        else:
            self._stage, self.deadline = _SERVING, inf

    def on_response_complete(self) -> None:
        """Start the next request that waits, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal is not None:
            self._close_with(self._refusal)
        elif self._stage == _SERVING:
            self._stage = _IDLE
            self.deadline = self.loop.time() + self.limits.keep_alive

    @classmethod
    def announce_close(cls) -> None:
        """Give every response from now on ``Connection: close``, so that no caller reuses its connection."""
        cls.is_last = True

    def close_after_response(self) -> None:
        """Close the connection after the response to the current request, if there is one."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to the WebSocket protocol, which has its own deadlines."""
        self.sweep.discard(self)
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """Stop the response: the peer does not read."""
        self.write_deadline = self.loop.time() + self.limits.body_timeout
        super().pause_writing()

    def resume_writing(self) -> None:
        """Continue the response."""
        self.write_deadline = inf
        super().resume_writing()

    def expire(self) -> None:
        """Close an idle or refused connection, or refuse a late request."""
        if self._stage in (_IDLE, _CLOSING):
            self.transport.close()
        else:
            self._refuse(refusals.HEAD_TIMEOUT if self._stage == _HEAD else refusals.BODY_TIMEOUT)

    def expire_write(self) -> None:
        """Abort a connection with a peer that does not read."""
        self.transport.abort()

    def _leave(self) -> None:
        on_leave, self.on_leave = self.on_leave, None
        if on_leave is not None:
            on_leave()

    def _refuse(self, refusal: Refusal) -> None:
        """Refuse the current request: at once, or after the responses to earlier ones."""
        cycle = self.cycle
        if self._stage == _BODY and cycle.response_complete:  # the response came before the end of the body
            self.transport.close()
            return
        if self._stage == _BODY:
            if self.pipeline and self.pipeline[0][0] is cycle:  # it waits for an earlier one
                self.pipeline.popleft()
            elif cycle.response_started:
                self.transport.abort()
                return
            else:
                cycle.disconnected = True
                cycle.message_event.set()
                self._leave()
                self._close_with(refusal)
                return
        elif cycle is None or (cycle.response_complete and not self.pipeline):
            self._close_with(refusal)
            return
        self._refusal, self.deadline = refusal, inf

    def _close_with(self, refusal: Refusal) -> None:
        """Send a refusal and close, after a moment in which the peer can read it."""
        self._stage = _CLOSING
        self.deadline = self.loop.time() + LINGER_S
        self.transport.write(refusal.response(self.server_state.default_headers))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()


def protocol_class(limits: ProxyLimitsSection, health: HealthAnswer | None = None) -> type[HttpProtocol]:
    """Return the class for uvicorn's ``http``. Its instances share one table of connections, so each server needs its own class.

    Args:
        limits: The section ``proxy.limits``.
        health: Returns the response to ``GET /health`` while the server is busy.
    """
    attributes = {
        "limits": evolve(limits, connections=most_connections(limits.connections)),
        "sweep": ConnectionSweep(),
        "gate": StartGate(),
        "health": None if health is None else staticmethod(health),
    }
    return type("LimitedHttpProtocol", (HttpProtocol,), attributes)

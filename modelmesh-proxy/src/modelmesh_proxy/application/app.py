"""The ASGI application of a proxy."""

from __future__ import annotations

from asyncio import to_thread
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any

from modelmesh._engine.gateway.gateway import Gateway
from modelmesh._engine.gateway.gateway_limits import GatewayLimits
from modelmesh._engine.gateway.messages import HttpError
from modelmesh_proxy.application.credentials import REALTIME_PATH
from modelmesh_proxy.application.exchange import Exchange
from modelmesh_proxy.application.failed_attempts import FailedAttempts
from modelmesh_proxy.application.front import Front
from modelmesh_proxy.application.mesh_source import find_config, load_mesh
from modelmesh_proxy.application.mounts import Serve
from modelmesh_proxy.application.refused import send_error
from modelmesh_proxy.application.request_bodies import CallerLeftError
from modelmesh_proxy.application.routes import Route, find_route
from modelmesh_proxy.application.sign_in import offers_sign_in, serve_sign_in
from modelmesh_proxy.asgi import Receive, Scope, Send
from modelmesh_proxy.metrics.proxy_metrics import ProxyMetrics
from modelmesh_proxy.services import ProxyServices
from modelmesh_proxy.settings import ProxySettings
from modelmesh_proxy.tokens.authenticator import add_tokens

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh_proxy.admin.request_checks import RequestChecks
    from modelmesh_proxy.application.request_log import RequestLog


class ProxyApp:
    """ASGI application over one mesh. Any ASGI server can host it."""

    def __init__(self, services: ProxyServices) -> None:
        """Initialize the application.

        Args:
            services: The mesh and its settings.

        Raises:
            ConfigurationError: The settings contradict each other.
        """
        self.services = services
        self.metrics = ProxyMetrics(services)
        self.request_log: RequestLog | None = None
        services.on_replaced.append(lambda _: self.metrics.observe_mesh())
        self._mounted: dict[str, Serve] = {}
        self._failed = FailedAttempts()
        self.apply_settings()

    def apply_settings(self) -> None:
        """Apply the current settings. The next request does so by itself when they were replaced.

        Raises:
            ConfigurationError: The settings contradict each other, or a token of them is invalid.
        """
        if self.services.authenticator is not None:
            self.services.authenticator.check(self.services.settings)
        self._front = Front(self.services, self._failed)

    @cached_property
    def administration(self) -> RequestChecks:
        """The ASGI application of ``/admin/`` and ``/ui``, imported with its first request: most processes never get one."""
        from modelmesh_proxy.admin.api import create_admin  # noqa: PLC0415 - see above

        return create_admin(self.services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self._http(Exchange(scope, receive, send))
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            authenticator = self.services.authenticator
            if event["type"] == "lifespan.startup":
                if authenticator is not None:
                    await to_thread(authenticator.start)
                await send({"type": "lifespan.startup.complete"})
            else:
                self.services.draining = True
                if authenticator is not None:
                    await to_thread(authenticator.close)
                if self.services.owns_mesh:
                    await self.services.mesh.ashutdown()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the handshake of a WebSocket, and then its session, like a request. Only one path has WebSockets."""
        from modelmesh_proxy.application.handshake import Handshake  # noqa: PLC0415 - most processes never get a WebSocket

        await receive()
        handshake = Handshake(scope, receive, send)
        if handshake.path == REALTIME_PATH:
            await self._http(handshake)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, exchange: Exchange) -> None:
        """Serve an HTTP request and count it."""
        services, route = self.services, find_route(exchange.path)
        exchange.requests = services.requests
        exchange.requests.running += 1
        if self.request_log is not None:
            self.request_log.begin(exchange)
        try:
            await self._serve(exchange, route)
        except HttpError as error:
            if offers_sign_in(exchange, error):
                await serve_sign_in(exchange, error, self.administration)
            else:
                await send_error(exchange, error)
        except CallerLeftError:
            pass
        finally:
            exchange.requests.running -= 1
            services.total_requests += 1
            seconds = perf_counter() - exchange.began
            self.metrics.count_request(exchange.method, exchange.path, exchange.status, seconds, exchange.first_byte)
            if self.request_log is not None:
                self.request_log.end(exchange)

    async def _serve(self, exchange: Exchange, route: Route) -> None:
        front = self._front
        if front.settings is not self.services.settings or front.authenticator is not self.services.authenticator:
            self.apply_settings()
            front = self._front
        if front.admit(exchange, route):
            await exchange.respond(204, [], b"")
            return
        serve = self._mounted.get(route.path)
        if serve is None:
            serve = self._mounted[route.path] = route.mount(self)
        await serve(exchange)


def create_gateway(mesh: ModelMesh, settings: ProxySettings) -> Gateway:
    """Create the gateway of a mesh. The server has limited the headers already."""
    limits = settings.section.limits
    return Gateway(mesh, limits=GatewayLimits(header_bytes=None, json_bytes=limits.json_body, upload_bytes=limits.upload_body))


def create_app(config: Any = None, *, mesh: ModelMesh | None = None, settings: ProxySettings | None = None) -> ProxyApp:
    """Create the ASGI application.

    Args:
        config: Path, dictionary or :class:`~modelmesh.MeshConfig`. Without one, the configuration that
            :func:`~modelmesh_proxy.application.mesh_source.find_config` finds.
        mesh: A mesh to serve instead. The application does not close it.
        settings: Settings, by default those of the configuration.

    Raises:
        ConfigurationError: The configuration cannot be used.
    """
    owned = mesh is None
    if mesh is None:
        mesh = load_mesh(find_config() if config is None else config)
    settings = settings or ProxySettings(mesh.proxy_section)
    services = ProxyServices(mesh, create_gateway(mesh, settings), settings, owns_mesh=owned)
    try:
        add_tokens(services)
        return ProxyApp(services)
    except BaseException:
        if owned:
            mesh.shutdown()
        raise

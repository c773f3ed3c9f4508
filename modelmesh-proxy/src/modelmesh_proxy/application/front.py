"""Admission of requests by one version of the settings: tokens, hosts, origins and concurrency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.gateway.messages import HttpError
from modelmesh_proxy.application.callers import Authenticator, FlagToken
from modelmesh_proxy.application.cors import Cors
from modelmesh_proxy.application.failed_attempts import FailedAttempts
from modelmesh_proxy.application.guard import Guard
from modelmesh_proxy.application.hosts import HostPolicy
from modelmesh_proxy.application.refused import with_headers

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange
    from modelmesh_proxy.application.routes import Route
    from modelmesh_proxy.services import ProxyServices

_PROBES = frozenset({"/health", "/ready"})


class Front:
    """Admits requests. A reload of the settings creates another one.

    Attributes:
        settings: The settings that it applies.
        authenticator: The stored tokens that it accepts.
    """

    def __init__(self, services: ProxyServices, failed: FailedAttempts) -> None:
        """Initialize.

        Args:
            services: The settings, and the stored tokens.
            failed: Failed authentications, which outlive a reload.

        Raises:
            ConfigurationError: The settings contradict each other.
        """
        self.settings = services.settings
        section = self.settings.section
        authenticators: list[Authenticator] = [FlagToken(self.settings.token)] if self.settings.token is not None else []
        self.authenticator = services.authenticator
        if self.authenticator is not None:
            authenticators.append(self.authenticator)
        self._services, self._most = services, section.limits.requests
        endpoints = section.endpoints
        self._endpoints = None if endpoints is None else tuple(f"/{path.strip('/')}" for path in endpoints)
        self._cors = Cors(section.cors)
        self._hosts = HostPolicy(section.hosts, section.host)
        self._guard = Guard(authenticators, failed, enabled=section.auth.enabled)

    def admit(self, exchange: Exchange, route: Route) -> bool:
        """Identify the caller and check the request. Returns whether it is a preflight, which is answered by headers alone.

        Raises:
            HttpError: The request may not pass.
        """
        if self._cors.admit(exchange, route.access):
            return True
        guard = self._guard
        needs_token = guard.requires_tokens()
        exchange.caller = guard.admit(exchange, route.access, needs_token=needs_token)
        self._hosts.check(exchange, needs_token=needs_token, is_admin=route.access.is_internal)
        if self._endpoints is not None and not self._is_served(exchange.path):
            raise HttpError(404, f"{exchange.path[:200]} is not served here. Add it to proxy.endpoints in the configuration.")
        if route.is_bounded and self._services.in_flight > self._most:
            error = HttpError(
                503, "The proxy serves as many requests as it may. Try again in a second.", code="too_many_requests"
            )
            raise with_headers(error, retry_after="1")
        return False

    def _is_served(self, path: str) -> bool:
        """Return whether ``proxy.endpoints`` contains a path or one above it. The paths of probes are always served."""
        return path in _PROBES or any(path == one or path.startswith(f"{one}/") for one in self._endpoints or ())

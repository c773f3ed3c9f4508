"""Cross-origin requests of browsers (Fetch standard, "CORS protocol")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.config.schema import ProxyCorsSection
from modelmesh._engine.gateway.messages import HttpError
from modelmesh.errors import ConfigurationError
from modelmesh_proxy.application.access import Access

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange
    from modelmesh_proxy.asgi import Header

EXPOSED = (
    "x-request-id, request-id, x-modelmesh-model, x-modelmesh-provider, x-modelmesh-attempts, x-modelmesh-cost, "
    "x-modelmesh-adapted, retry-after, retry-after-ms, x-should-retry, x-ratelimit-limit-requests, "
    "x-ratelimit-remaining-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, "
    "x-ratelimit-reset-requests, x-ratelimit-reset-tokens"
)
"""Response headers that a page may read. ``*`` would not include them in every browser when credentials are permitted."""

METHODS = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"


class Cors:
    """Headers for other origins, for the paths of callers. Paths of administrators accept their own origin alone."""

    def __init__(self, section: ProxyCorsSection) -> None:
        """Initialize.

        Args:
            section: The section ``proxy.cors``.

        Raises:
            ConfigurationError: Every origin would be permitted with credentials.
        """
        origins = {origin.rstrip("/").lower() for origin in section.origins}
        self._every = "*" in origins
        if section.enabled and section.credentials and self._every:
            message = "proxy.cors: credentials cannot be permitted for every origin. List the origins, or set credentials: false."
            raise ConfigurationError(message)
        self._origins = frozenset(origins) if section.enabled else frozenset()
        self._every = self._every and section.enabled
        self._credentials = section.credentials
        self._max_age = b"%d" % section.max_age

    def admit(self, exchange: Exchange, access: Access) -> bool:
        """Add the headers for the origin of a request. Returns whether the request is a preflight that is now answered in full.

        Raises:
            HttpError: A page of another origin may not send the request.
        """
        origin = exchange.headers.get("origin")
        if origin is None:
            elsewhere = exchange.headers.get("sec-fetch-site") in ("cross-site", "same-site")
            if access.is_internal and elsewhere and not _follows_link(exchange):
                raise _refused(exchange)
            return False
        preflight = exchange.method == "OPTIONS" and "access-control-request-method" in exchange.headers
        if access.is_internal or not self._permits(origin):
            if not _is_same(origin, exchange.headers.get("host", "")) and access is not Access.OPEN:
                raise _refused(exchange)
            return preflight
        exchange.added += self._headers(origin)
        if preflight:
            wanted = exchange.headers.get("access-control-request-headers", "")
            exchange.added += [
                (b"access-control-allow-methods", METHODS.encode()),
                (b"access-control-allow-headers", wanted.encode("latin-1") or b"*"),
                (b"access-control-max-age", self._max_age),
            ]
        return preflight

    def _permits(self, origin: str) -> bool:
        return self._every or origin.lower() in self._origins

    def _headers(self, origin: str) -> list[Header]:
        allowed = b"*" if self._every else origin.encode("latin-1")
        headers = [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", EXPOSED.encode())]
        if self._credentials:
            headers.append((b"access-control-allow-credentials", b"true"))
        if not self._every:
            headers.append((b"vary", b"origin"))
        return headers


def _is_same(origin: str, host: str) -> bool:
    return origin.partition("://")[2].lower() == host.lower() != ""


def _follows_link(exchange: Exchange) -> bool:
    """Return whether a browser follows a link to the page of administrators, which is not shown in a frame."""
    headers = exchange.headers
    opens = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return opens and exchange.path == "/ui" and exchange.method == "GET"


def _refused(exchange: Exchange) -> HttpError:
    origin = exchange.headers.get("origin", "another site")
    message = f"Requests from {origin[:100]!r} are not allowed here. Add the origin to proxy.cors.origins in the configuration."
    return HttpError(403, message, code="origin_not_allowed")

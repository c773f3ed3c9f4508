"""The table of all routes: path, access and handler.

Every request passes through this table. Without a row, a path has no handler, so no route is open by accident.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from modelmesh_proxy.admin.page_files import PAGE_FILES
from modelmesh_proxy.application import mounts
from modelmesh_proxy.application.access import Access
from modelmesh_proxy.application.credentials import REALTIME_PATH
from modelmesh_proxy.application.mounts import Serve

if TYPE_CHECKING:
    from modelmesh_proxy.application.app import ProxyApp


@frozen
class Route:
    """A path, or every path below it.

    Attributes:
        path: Raw path. A path that ends with ``/`` stands for every path that begins with it, ``/`` for itself alone.
        access: Callers that may send a request.
        mount: Returns the function that serves a request. The application calls it with its first request.
        is_bounded: Whether the request counts against the limit of concurrent requests.
    """

    path: str
    access: Access
    mount: Callable[[ProxyApp], Serve]
    is_bounded: bool = False


ROUTES = (
    Route(REALTIME_PATH, Access.CALLER, mounts.realtime, is_bounded=True),
    Route("/v1/", Access.CALLER, mounts.gateway, is_bounded=True),
    Route("/v1beta/", Access.CALLER, mounts.gateway, is_bounded=True),
    Route("/health", Access.OPEN, mounts.health),
    Route("/ready", Access.OPEN, mounts.ready),
    Route("/openapi.json", Access.CALLER, mounts.openapi),
    Route("/metrics", Access.METRICS, mounts.metrics),
    Route("/admin/", Access.ADMIN, mounts.admin),
    Route("/ui", Access.ADMIN, mounts.admin),
    *(Route(f"/ui/{name}", Access.OPEN, mounts.admin) for name in PAGE_FILES),
    Route("/ui/", Access.ADMIN, mounts.admin),
    Route("/", Access.CALLER, mounts.index),
)
"""The routes, the most specific path first where two apply."""

NOT_FOUND = Route("", Access.CALLER, mounts.not_found)
"""The route of a path that is not in the table. A caller with a wrong base URL gets 404, and one without a token 401."""

_EXACT = {route.path: route for route in ROUTES}
_BELOW = tuple((route.path, route) for route in ROUTES if route.path.endswith("/") and route.path != "/")


def find_route(raw_path: str) -> Route:
    """Return the route of a raw path."""
    exact = _EXACT.get(raw_path)
    if exact is not None:
        return exact
    for prefix, route in _BELOW:
        if raw_path.startswith(prefix):
            return route
    return NOT_FOUND

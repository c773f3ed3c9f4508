"""The HTTP server of ModelMesh.

``modelmesh_proxy:app`` is the ASGI application of the configuration in ``MODELMESH_CONFIG``, for other ASGI servers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modelmesh_proxy.application.deferred_app import DeferredApp

if TYPE_CHECKING:
    from modelmesh_proxy.application.app import ProxyApp, create_app
    from modelmesh_proxy.server.proxy_server import ProxyServer, ServerStatus

__all__ = ["ProxyApp", "ProxyServer", "ServerStatus", "app", "create_app"]

_HOMES = {
    "ProxyApp": "application.app",
    "create_app": "application.app",
    "ProxyServer": "server.proxy_server",
    "ServerStatus": "server.proxy_server",
}


app = DeferredApp()
"""The ASGI application of the configuration that is found, for other ASGI servers."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"modelmesh_proxy.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)

"""``modelmesh.proxy``: the OpenAI-compatible HTTP server, installed by ``modelmesh-proxy``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.lazy_import import lazy_import

if TYPE_CHECKING:
    from modelmesh_proxy import ProxyServer as ProxyServer
    from modelmesh_proxy import ServerStatus as ServerStatus

__all__ = ["ProxyServer", "ServerStatus"]

__getattr__ = lazy_import(__name__, "modelmesh_proxy", "modelmesh-proxy", __all__)


def __dir__() -> list[str]:
    return list(__all__)

"""``modelmesh.proxy``: the OpenAI-compatible HTTP server, installed by ``modelmesh-proxy``."""

from __future__ import annotations

from modelmesh._engine.foundation.facade import forward

__all__ = ["ProxyServer", "ServerStatus"]

__getattr__ = forward(__name__, "modelmesh_proxy", "modelmesh-proxy", __all__)


def __dir__() -> list[str]:
    return list(__all__)

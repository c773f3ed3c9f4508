"""HTTP gateway without a server: from a method, a path and a body to a status, headers and a stream of bytes.

The transports under the official SDKs use it in the process. It knows neither sockets nor ASGI.
"""

from __future__ import annotations

from modelmesh._engine.gateway.gateway import Gateway
from modelmesh._engine.gateway.gateway_limits import GatewayLimits
from modelmesh._engine.gateway.messages import GatewayRequest, GatewayResponse

__all__ = ["Gateway", "GatewayLimits", "GatewayRequest", "GatewayResponse"]

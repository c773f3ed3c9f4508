"""The official Anthropic SDK over a mesh, in the process: its Messages API in front of models of every vendor.

``client.as_anthropic()`` returns a genuine ``anthropic.Anthropic``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh.contracts.call import NO_OPTIONS, CallOptions
from modelmesh.integrations.openai import NO_KEY, async_transport, transport
from modelmesh.integrations.sdk_packages import import_sdk

if TYPE_CHECKING:
    import anthropic

    from modelmesh._engine.mesh import MeshEngine

__all__ = ["async_transport", "make_anthropic", "make_async_anthropic", "transport"]

BASE_URL = "http://modelmesh"
"""Address in logs and errors. No request is sent to it."""


def make_anthropic(mesh: MeshEngine, options: CallOptions = NO_OPTIONS, **settings: Any) -> anthropic.Anthropic:
    """Return an ``anthropic.Anthropic`` that the mesh serves.

    Args:
        mesh: The mesh.
        options: Options of every request.
        **settings: Arguments of ``anthropic.Anthropic``, e.g. ``timeout`` or ``max_retries``.
    """
    sdk = import_sdk("anthropic")
    from modelmesh.integrations.httpx2_transports import MeshTransport  # noqa: PLC0415 - needs httpx2

    settings.setdefault("http_client", sdk.DefaultHttpxClient(transport=MeshTransport(mesh, options=options, sdk_retries=True)))
    client: anthropic.Anthropic = sdk.Anthropic(**_settings(settings))
    return client


def make_async_anthropic(mesh: MeshEngine, options: CallOptions = NO_OPTIONS, **settings: Any) -> anthropic.AsyncAnthropic:
    """Return an ``anthropic.AsyncAnthropic`` that the mesh serves.

    Args:
        mesh: The mesh.
        options: Options of every request.
        **settings: Arguments of ``anthropic.AsyncAnthropic``, e.g. ``timeout`` or ``max_retries``.
    """
    sdk = import_sdk("anthropic")
    from modelmesh.integrations.httpx2_transports import AsyncMeshTransport  # noqa: PLC0415 - needs httpx2

    transport = AsyncMeshTransport(mesh, options=options, sdk_retries=True)
    settings.setdefault("http_client", sdk.DefaultAsyncHttpxClient(transport=transport))
    client: anthropic.AsyncAnthropic = sdk.AsyncAnthropic(**_settings(settings))
    return client


def _settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with the defaults of a client in the process: the mesh retries and applies its own time limits."""
    return {"api_key": NO_KEY, "base_url": BASE_URL, "max_retries": 0, "timeout": None, **settings}

"""The official OpenAI SDK over a mesh, in the process.

``client.as_openai()`` returns a genuine ``openai.OpenAI``. An application that makes its own SDK client passes
``http_client=httpx2.Client(transport=transport(mesh))``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh.contracts.call import NO_OPTIONS, CallOptions
from modelmesh.integrations.sdk_packages import import_sdk

if TYPE_CHECKING:
    import httpx2
    import openai

    from modelmesh._engine.mesh import MeshEngine

BASE_URL = "http://modelmesh/v1"
"""Address in logs and errors. No request is sent to it."""

NO_KEY = "not-needed"


def transport(mesh: Any) -> httpx2.BaseTransport:
    """Return a transport of httpx2 that the mesh serves.

    Args:
        mesh: A mesh or a client of one. Closing the transport does not close it.
    """
    import_sdk("httpx2", extra="openai")
    from modelmesh.integrations.httpx2_transports import MeshTransport  # noqa: PLC0415 - needs httpx2

    return MeshTransport(getattr(mesh, "mesh", mesh))


def async_transport(mesh: Any) -> httpx2.AsyncBaseTransport:
    """Return an asynchronous transport of httpx2 that the mesh serves.

    Args:
        mesh: A mesh or a client of one. Closing the transport does not close it.
    """
    import_sdk("httpx2", extra="openai")
    from modelmesh.integrations.httpx2_transports import AsyncMeshTransport  # noqa: PLC0415 - needs httpx2

    return AsyncMeshTransport(getattr(mesh, "mesh", mesh))


def make_openai(mesh: MeshEngine, options: CallOptions = NO_OPTIONS, **settings: Any) -> openai.OpenAI:
    """Return an ``openai.OpenAI`` that the mesh serves.

    Args:
        mesh: The mesh.
        options: Options of every request.
        **settings: Arguments of ``openai.OpenAI``, e.g. ``timeout`` or ``max_retries``.
    """
    sdk = import_sdk("openai")
    from modelmesh.integrations.httpx2_transports import MeshTransport  # noqa: PLC0415 - needs httpx2

    settings.setdefault("http_client", sdk.DefaultHttpxClient(transport=MeshTransport(mesh, options=options, sdk_retries=True)))
    client: openai.OpenAI = sdk.OpenAI(**_settings(settings))
    return client


def make_async_openai(mesh: MeshEngine, options: CallOptions = NO_OPTIONS, **settings: Any) -> openai.AsyncOpenAI:
    """Return an ``openai.AsyncOpenAI`` that the mesh serves.

    Args:
        mesh: The mesh.
        options: Options of every request.
        **settings: Arguments of ``openai.AsyncOpenAI``, e.g. ``timeout`` or ``max_retries``.
    """
    sdk = import_sdk("openai")
    from modelmesh.integrations.httpx2_transports import AsyncMeshTransport  # noqa: PLC0415 - needs httpx2

    transport = AsyncMeshTransport(mesh, options=options, sdk_retries=True)
    settings.setdefault("http_client", sdk.DefaultAsyncHttpxClient(transport=transport))
    client: openai.AsyncOpenAI = sdk.AsyncOpenAI(**_settings(settings))
    return client


def _settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with the defaults of a client in the process: the mesh retries and applies its own time limits."""
    return {"api_key": NO_KEY, "base_url": BASE_URL, "max_retries": 0, "timeout": None, **settings}

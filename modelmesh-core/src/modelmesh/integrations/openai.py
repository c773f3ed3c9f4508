"""The official OpenAI SDK over a mesh, in the process.

``client.as_openai()`` returns a genuine ``openai.OpenAI``. An application that makes its own SDK client passes
``http_client=httpx2.Client(transport=transport(mesh))``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh.contracts.call import NO_OPTIONS, CallOptions
from modelmesh.integrations.sdk_packages import http_library, import_sdk
from modelmesh.integrations.transports import client_class, make_async_transport, make_transport

if TYPE_CHECKING:
    import openai

    from modelmesh._engine.mesh import MeshEngine

__all__ = ["async_transport", "transport"]

BASE_URL = "http://modelmesh/v1"
"""Address in logs and errors. No request is sent to it."""

SETTINGS = {"api_key": "not-needed", "max_retries": 0, "timeout": None}
"""Arguments of a client in the process: no account, and the retries and time limits of the mesh."""


def transport(mesh: Any, library: Any = None) -> Any:
    """Return a transport of httpx2 that the mesh serves.

    Args:
        mesh: A mesh or a client of one. Closing the transport does not close it.
        library: The module ``httpx2`` or ``httpx``. The default is the one that the installed SDK uses.
    """
    return make_transport(library or http_library(import_sdk("openai")), getattr(mesh, "mesh", mesh))


def async_transport(mesh: Any, library: Any = None) -> Any:
    """Return an asynchronous transport. The arguments are those of :func:`transport`."""
    return make_async_transport(library or http_library(import_sdk("openai")), getattr(mesh, "mesh", mesh))


def make_openai(mesh: MeshEngine, options: CallOptions = NO_OPTIONS, **settings: Any) -> openai.OpenAI:
    """Return an ``openai.OpenAI`` that the mesh serves.

    Args:
        mesh: The mesh.
        options: Options of every request.
        **settings: Arguments of ``openai.OpenAI``, e.g. ``timeout`` or ``max_retries``.
    """
    sdk = import_sdk("openai")
    shared = make_transport(http_library(sdk), mesh, options, sdk_retries=True)
    http = client_class(sdk.DefaultHttpxClient)(transport=shared)
    client: openai.OpenAI = sdk.OpenAI(**{**SETTINGS, "base_url": BASE_URL, "http_client": http, **settings})
    return client


def make_async_openai(mesh: MeshEngine, options: CallOptions = NO_OPTIONS, **settings: Any) -> openai.AsyncOpenAI:
    """Return an ``openai.AsyncOpenAI`` that the mesh serves. The arguments are those of :func:`make_openai`."""
    sdk = import_sdk("openai")
    shared = make_async_transport(http_library(sdk), mesh, options, sdk_retries=True)
    http = client_class(sdk.DefaultAsyncHttpxClient)(transport=shared)
    client: openai.AsyncOpenAI = sdk.AsyncOpenAI(**{**SETTINGS, "base_url": BASE_URL, "http_client": http, **settings})
    return client

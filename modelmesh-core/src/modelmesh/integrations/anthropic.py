"""The official Anthropic SDK over a mesh, in the process: its Messages API in front of models of every vendor.

``client.as_anthropic()`` returns a genuine ``anthropic.Anthropic``. An application that makes its own SDK client passes
``http_client=httpx2.Client(transport=transport(mesh))``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh.contracts.call import NO_OPTIONS, CallOptions
from modelmesh.integrations.openai import SETTINGS
from modelmesh.integrations.sdk_packages import http_library, import_sdk
from modelmesh.integrations.transports import client_class, make_async_transport, make_transport

if TYPE_CHECKING:
    import anthropic

    from modelmesh._engine.mesh import MeshEngine

__all__ = ["async_transport", "transport"]

BASE_URL = "http://modelmesh"
"""Address in logs and errors. No request is sent to it."""


def transport(mesh: Any, library: Any = None) -> Any:
    """Return a transport of httpx2 that the mesh serves.

    Args:
        mesh: A mesh or a client of one. Closing the transport does not close it.
        library: The module ``httpx2`` or ``httpx``. The default is the one that the installed SDK uses.
    """
    return make_transport(library or http_library(import_sdk("anthropic")), getattr(mesh, "mesh", mesh))


def async_transport(mesh: Any, library: Any = None) -> Any:
    """Return an asynchronous transport. The arguments are those of :func:`transport`."""
    return make_async_transport(library or http_library(import_sdk("anthropic")), getattr(mesh, "mesh", mesh))


def make_anthropic(mesh: MeshEngine, options: CallOptions = NO_OPTIONS, **settings: Any) -> anthropic.Anthropic:
    """Return an ``anthropic.Anthropic`` that the mesh serves.

    Args:
        mesh: The mesh.
        options: Options of every request.
        **settings: Arguments of ``anthropic.Anthropic``, e.g. ``timeout`` or ``max_retries``.
    """
    sdk = import_sdk("anthropic")
    shared = make_transport(http_library(sdk), mesh, options, sdk_retries=True)
    http = client_class(sdk.DefaultHttpxClient)(transport=shared)
    client: anthropic.Anthropic = sdk.Anthropic(**{**SETTINGS, "base_url": BASE_URL, "http_client": http, **settings})
    return client


def make_async_anthropic(mesh: MeshEngine, options: CallOptions = NO_OPTIONS, **settings: Any) -> anthropic.AsyncAnthropic:
    """Return an ``anthropic.AsyncAnthropic`` that the mesh serves. The arguments are those of :func:`make_anthropic`."""
    sdk = import_sdk("anthropic")
    shared = make_async_transport(http_library(sdk), mesh, options, sdk_retries=True)
    http = client_class(sdk.DefaultAsyncHttpxClient)(transport=shared)
    client: anthropic.AsyncAnthropic = sdk.AsyncAnthropic(**{**SETTINGS, "base_url": BASE_URL, "http_client": http, **settings})
    return client

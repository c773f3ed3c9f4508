"""Genuine clients of the official SDKs over a mesh: ``as_openai()`` and its siblings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic
    from openai import AsyncOpenAI, OpenAI

    from modelmesh._engine.mesh import MeshEngine
    from modelmesh.contracts.call import CallOptions


class OfficialSdks:
    """Members that return clients of the official SDKs. The mesh serves them in the process, without a socket and a key.

    The mesh retries, so ``max_retries`` of these clients is 0 by default. Without a ``timeout`` the limits of the pool apply.
    Closing such a client does not close the mesh.
    """

    def _bridged(self) -> tuple[MeshEngine, CallOptions]:
        """Return the mesh and the options of every request."""
        raise NotImplementedError

    def as_openai(self, **settings: Any) -> OpenAI:
        """Return a genuine ``openai.OpenAI`` that the mesh serves.

        Args:
            **settings: Arguments of ``openai.OpenAI``, e.g. ``timeout`` or ``default_headers``.

        Raises:
            ModuleNotFoundError: The SDK is not installed: ``pip install 'modelmesh-core[openai]'``.
        """
        from modelmesh.integrations.openai import make_openai  # noqa: PLC0415 - optional

        return make_openai(*self._bridged(), **settings)

    def as_async_openai(self, **settings: Any) -> AsyncOpenAI:
        """Return a genuine ``openai.AsyncOpenAI`` that the mesh serves.

        Args:
            **settings: Arguments of ``openai.AsyncOpenAI``, e.g. ``timeout`` or ``default_headers``.

        Raises:
            ModuleNotFoundError: The SDK is not installed: ``pip install 'modelmesh-core[openai]'``.
        """
        from modelmesh.integrations.openai import make_async_openai  # noqa: PLC0415 - optional

        return make_async_openai(*self._bridged(), **settings)

    def as_anthropic(self, **settings: Any) -> Anthropic:
        """Return a genuine ``anthropic.Anthropic`` that the mesh serves.

        Args:
            **settings: Arguments of ``anthropic.Anthropic``, e.g. ``timeout`` or ``default_headers``.

        Raises:
            ModuleNotFoundError: The SDK is not installed: ``pip install 'modelmesh-core[anthropic]'``.
        """
        from modelmesh.integrations.anthropic import make_anthropic  # noqa: PLC0415 - optional

        return make_anthropic(*self._bridged(), **settings)

    def as_async_anthropic(self, **settings: Any) -> AsyncAnthropic:
        """Return a genuine ``anthropic.AsyncAnthropic`` that the mesh serves.

        Args:
            **settings: Arguments of ``anthropic.AsyncAnthropic``, e.g. ``timeout`` or ``default_headers``.

        Raises:
            ModuleNotFoundError: The SDK is not installed: ``pip install 'modelmesh-core[anthropic]'``.
        """
        from modelmesh.integrations.anthropic import make_async_anthropic  # noqa: PLC0415 - optional

        return make_async_anthropic(*self._bridged(), **settings)

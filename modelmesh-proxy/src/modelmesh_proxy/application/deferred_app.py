"""``modelmesh_proxy:app``: the application of the configuration that is found, created when an ASGI server starts it.

It is an object of the module, because some ASGI servers look into the namespace of the module. It creates nothing on import, so
that a server may import it before it forks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh_proxy.application.app import ProxyApp
    from modelmesh_proxy.asgi import Receive, Scope, Send


class DeferredApp:
    """ASGI application that is created with its first scope."""

    def __init__(self) -> None:
        """Create nothing yet."""
        self._app: ProxyApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if self._app is None:
            if scope["type"] == "lifespan":
                await self._start(scope, receive, send)
                return
            self._app = self._create()
        await self._app(scope, receive, send)

    async def _start(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Create the application, and report an error to the ASGI server as a failed start."""
        from modelmesh.errors import ModelMeshError  # noqa: PLC0415 - nothing is imported before the start

        events = [await receive()]
        try:
            self._app = self._create()
        except ModelMeshError as error:
            notes = getattr(error, "__notes__", ())
            await send({"type": "lifespan.startup.failed", "message": "\n".join([str(error), *notes])})
            return

        async def replay() -> Any:
            return events.pop() if events else await receive()

        await self._app(scope, replay, send)

    def _create(self) -> ProxyApp:
        from modelmesh_proxy.application.app import create_app  # noqa: PLC0415 - see above

        return create_app()

"""Reload of the configuration while requests run.

The new mesh is built in a thread. Then, in one step of the event loop, it takes over counts and health and replaces the earlier
mesh. Requests that began on the earlier mesh finish there, and it is shut down after the last of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelmesh._engine.mesh.succession import Succession
from modelmesh.errors import ConfigurationError, ModelMeshError
from modelmesh_proxy.application.app import create_gateway
from modelmesh_proxy.application.mesh_source import find_config, load_mesh
from modelmesh_proxy.server.file_watch import FileWatch
from modelmesh_proxy.services import RequestCount
from modelmesh_proxy.settings import ProxySettings
from modelmesh_proxy.tokens.static_tokens import static_tokens

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh_proxy.application.app import ProxyApp

_log = logging.getLogger("modelmesh.proxy")

POLL_S = 1.0
FORWARD_S = 0.25
RESTART_KEYS = ("host", "port", "workers", "tls")
"""Keys of the section ``proxy`` that only a restart changes."""


class Reloader:
    """Reloads the configuration of one application. All methods run in its event loop.

    Attributes:
        worker_store: Path of the database that the workers share, ``None`` for a single worker.
    """

    def __init__(
        self,
        app: ProxyApp,
        config: Any,
        settings_of: Callable[[ModelMesh], ProxySettings],
        on_applied: Callable[[], None],
        watch: FileWatch | None,
    ) -> None:
        """Initialize.

        Args:
            app: The application.
            config: Path of the configuration, ``None`` to find it at each reload.
            settings_of: Returns the settings of a mesh, with the flags of the command line.
            on_applied: Called after a reload, and raises if a part of the settings cannot be applied.
            watch: Watch of the file, from before the first mesh was built: a change in between is a change.
        """
        self._app, self._config, self._settings_of, self._on_applied = app, config, settings_of, on_applied
        self._watch = watch
        self.worker_store: str | None = None
        self._requested = asyncio.Event()
        self._finishing: set[asyncio.Task[Any]] = set()

    def request(self) -> None:
        """Reload soon. Several requests at the same time are one reload."""
        self._requested.set()

    async def run(self) -> None:
        """Reload on request, and when the file changes unless ``proxy.reload`` is off."""
        watch = self._watch
        while True:
            try:
                await asyncio.wait_for(self._requested.wait(), POLL_S)
            except TimeoutError:
                if watch is None or not watch.poll() or not self._app.services.settings.section.reload:
                    continue
            self._requested.clear()
            reloading = asyncio.get_running_loop().create_task(self.reload())
            self._track(reloading)
            await asyncio.shield(reloading)  # a stop of the server waits for it in finish()

    async def reload(self) -> bool:
        """Read the configuration and serve it. On failure, the earlier one stays in service.

        Returns:
            Whether the configuration was applied.
        """
        services = self._app.services
        before = services.mesh
        try:
            config = self._config or find_config()
            mesh = await asyncio.to_thread(load_mesh, config, worker_store=self.worker_store, loads_state=before.state is None)
        except ModelMeshError as error:
            self._report(error)
            return False
        try:
            self._replace(mesh)
        except ModelMeshError as error:
            self._report(error)
            if mesh.state is not None:
                mesh.state.retire()
            await mesh.ashutdown()
            return False
        self._app.metrics.count_reload(ok=True)
        _log.info("configuration applied: %s", mesh.config.source_map.file or "detected providers")
        return True

    def _report(self, error: ModelMeshError) -> None:
        self._app.metrics.count_reload(ok=False)
        _log.error("configuration not applied, the earlier one stays in service: %s", error)

    async def finish(self) -> None:
        """Complete what runs, and shut the meshes of earlier configurations down."""
        while self._finishing:
            await asyncio.wait(list(self._finishing))

    def _replace(self, mesh: ModelMesh) -> None:
        services, settings = self._app.services, self._settings_of(mesh)
        before, earlier, requests = services.mesh, services.settings, services.requests
        static_tokens(settings.section.auth.tokens)  # raises here, before anything is replaced
        self._check_tokens_stay(mesh, settings)
        gateway = create_gateway(mesh, settings)
        services.settings = settings
        try:
            self._app.apply_settings()
            self._on_applied()
        except ModelMeshError:
            services.settings = earlier
            self._app.apply_settings()
            raise
        services.mesh, services.gateway, services.requests = mesh, gateway, RequestCount()
        services.earlier_requests.append(requests)
        succession = Succession(before, mesh)
        succession.hand_over()
        for replaced in services.on_replaced:
            replaced(before)
        changed = [name for name in RESTART_KEYS if getattr(settings.section, name) != getattr(earlier.section, name)]
        if changed:
            _log.warning("restart the proxy to change %s", ", ".join(f"proxy.{name}" for name in changed))
        self._track(asyncio.get_running_loop().create_task(self._finish(before, requests, succession)))

    def _check_tokens_stay(self, mesh: ModelMesh, settings: ProxySettings) -> None:
        """Check that the proxy does not open to everybody, as with a file that an editor has emptied before it writes.

        Raises:
            ConfigurationError: The configuration has no token, and the one in service requires one.
        """
        services, auth = self._app.services, settings.section.auth
        if settings.token is not None or auth.enabled is not None or auth.tokens:
            return
        had_tokens = services.authenticator is not None and services.authenticator.has_tokens
        storage = mesh.config.raw.get("storage") or {}
        has_store = mesh.state is not None and (self.worker_store is None or storage.get("path") != self.worker_store)
        if services.settings.section.auth.tokens or (had_tokens and not has_store):
            message = (
                "proxy.auth: the configuration has no token, and the one in service requires one. Add proxy.auth.tokens, or set "
                "proxy.auth.enabled: false to serve every caller."
            )
            raise ConfigurationError(message, where="proxy.auth")

    def _track(self, task: asyncio.Task[Any]) -> None:
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _finish(self, mesh: ModelMesh, requests: RequestCount, succession: Succession) -> None:
        while requests.running:
            await asyncio.sleep(FORWARD_S)
            succession.forward(self._app.services.mesh)
        succession.forward(self._app.services.mesh)
        self._app.services.earlier_requests.remove(requests)
        await mesh.ashutdown()
        succession.forward(self._app.services.mesh)  # counts that a failed store did not accept at the end

"""The metrics of one proxy application."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from modelmesh._engine.mesh.watching import observe_requests
from modelmesh_proxy.metrics import definitions
from modelmesh_proxy.metrics.requests import RequestCounts
from modelmesh_proxy.metrics.series import SeriesStore, Snapshot

if TYPE_CHECKING:
    from modelmesh_proxy.metrics.worker_files import WorkerFiles
    from modelmesh_proxy.services import ProxyServices


class ProxyMetrics:
    """Metrics of this process, and of the other workers where there are any.

    Attributes:
        requests: Counts of requests and attempts.
    """

    def __init__(self, services: ProxyServices) -> None:
        """Initialize metrics and observe the mesh of a proxy.

        Args:
            services: The services of the proxy. After a reload, call :meth:`observe_mesh` again.
        """
        self._services = services
        self._store = SeriesStore()
        self._files: WorkerFiles | None = None
        self.requests = RequestCounts(self._store)
        self.count_request = self.requests.count_request
        for result in ("ok", "failed"):
            self._store.cell(definitions.RELOADS, result)
        self._store.replace(definitions.RELOAD_OK, [((), 1.0)])
        self.observe_mesh()

    def observe_mesh(self) -> None:
        """Count the attempts of the current mesh."""
        observe_requests(self._services.mesh, self.requests.note_attempts)
        self._store.replace(definitions.RELOADED_AT, [((), time.time())])

    def join_workers(self, files: WorkerFiles) -> None:
        """Share values with the other workers from now on, and continue the counters of this worker's predecessor."""
        self._files = files
        self._store.restore(files.earlier())

    def count_reload(self, *, ok: bool) -> None:
        """Count a reload of the configuration."""
        self._store.cell(definitions.RELOADS, "ok" if ok else "failed")[0] += 1
        self._store.replace(definitions.RELOAD_OK, [((), float(ok))])

    def read(self) -> Snapshot:
        """Return the values of this process as of now."""
        from modelmesh_proxy.metrics import mesh_state, process_values  # noqa: PLC0415 - the first scrape imports them

        self.requests.count_pending()
        services = self._services
        self._store.replace(definitions.IN_FLIGHT, [((), float(services.in_flight))])
        names = {} if services.authenticator is None else services.authenticator.names
        mesh_state.read_mesh(services.mesh, self._store, names)
        process_values.read_process(self._store)
        return self._store.snapshot()

    def publish(self) -> None:
        """Write the values of this process for the other workers."""
        if self._files is not None:
            self._files.write(self.read())

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the metrics of all workers as text and its media type.

        Args:
            accept: Header ``Accept`` of the scraper.
        """
        from modelmesh_proxy.metrics import exposition, series  # noqa: PLC0415 - the first scrape imports them

        own = self.read()
        values = own if self._files is None else series.merge([own, *self._files.others()])
        return exposition.encode(values, accept)

"""Place of a worker process: what it shares with its supervisor and with the other workers."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from modelmesh_proxy.metrics.proxy_metrics import ProxyMetrics

_log = logging.getLogger("modelmesh.proxy")

PUBLISH_S = 1.0


def store_path(folder: Path) -> str:
    """Return the path of the database in the folder of a supervisor."""
    return str(folder / "state.db")


@frozen
class WorkerPlace:
    """Place of one worker.

    Attributes:
        number: Number of the worker, from 1. A worker that replaces another one has its number.
        folder: Folder of all workers of the supervisor.
        lifeline: Descriptor that reads the end of a pipe when the supervisor has ended, however it ended.
        ready: Descriptor of a pipe to the supervisor.
    """

    number: int
    folder: Path
    lifeline: int
    ready: int

    @property
    def store(self) -> str:
        """Path of the database in which workers share counts, unless a storage is configured."""
        return store_path(self.folder)

    def report_ready(self) -> None:
        """Report that this worker accepts connections."""
        with suppress(BrokenPipeError):  # the supervisor has ended, which the lifeline reports as well
            os.write(self.ready, b".")

    def watch_supervisor(self, stop: Callable[[], None]) -> None:
        """Stop when the supervisor has ended. Call it in the event loop."""
        loop = asyncio.get_running_loop()

        def ended() -> None:
            loop.remove_reader(self.lifeline)
            _log.warning("the supervisor has ended: worker %d stops", self.number)
            stop()

        loop.add_reader(self.lifeline, ended)

    async def publish(self, metrics: ProxyMetrics) -> None:
        """Share the metrics with the other workers, about once a second."""
        from modelmesh_proxy.metrics.worker_files import WorkerFiles  # noqa: PLC0415 - only with workers

        metrics.join_workers(WorkerFiles(self.folder, self.number))
        while True:
            await asyncio.sleep(PUBLISH_S)
            try:
                metrics.publish()
            except OSError as error:
                _log.warning("the metrics of worker %d cannot be written: %s", self.number, error)

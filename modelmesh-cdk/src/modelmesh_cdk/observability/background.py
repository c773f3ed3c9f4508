"""Base class of sinks that write in a background thread."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, ClassVar

from attrs import frozen

from modelmesh.contracts.observability import AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.observability import open_sinks
from modelmesh_cdk.observability.background_writer import BackgroundWriter
from modelmesh_cdk.observability.base import BaseObservability, BaseObservabilityConfig
from modelmesh_cdk.observability.snapshots import Snapshot

DEFAULT_QUEUE_SIZE = 10_000


@frozen(kw_only=True)
class BackgroundObservabilityConfig(BaseObservabilityConfig):
    """Settings of a sink that writes in a background thread.

    Attributes:
        queue_size: Maximum number of records that wait for the output. Further records are dropped and counted.
    """

    queue_size: int = DEFAULT_QUEUE_SIZE


class BackgroundObservability(BaseObservability):
    """Base class of sinks whose output may block: a file, a terminal, a network.

    The caller's thread only copies a record into a queue. A thread formats, redacts and writes it. A full queue drops new
    records. ``close`` writes the records that wait, as does the end of the interpreter. Override :meth:`_write`, and
    if needed :meth:`_end_batch` and :meth:`_close_output`. The mesh calls them one at a time.

    Attributes:
        writer: The queue and its thread.
    """

    id: ClassVar[str] = "modelmesh.background-observability.v1"
    config_class: ClassVar[type[BaseObservabilityConfig]] = BackgroundObservabilityConfig

    def __init__(self, config: Mapping[str, Any] | BaseObservabilityConfig | None = None) -> None:
        super().__init__(config)
        self.writer = BackgroundWriter(self.id, _queue_size(self))
        weakref.finalize(self, self.writer.release).atexit = False
        open_sinks.add(self)

    @property
    def failed_records(self) -> int:
        """Number of records that could not be formatted or written."""
        return self.writer.failed

    @property
    def dropped_records(self) -> int:
        """Number of records that were dropped because the queue was full."""
        return self.writer.dropped

    def emit(self, event: RoutingEvent) -> None:
        """Put a routing event into the queue."""
        self._enqueue(super().emit, event)

    def log(self, entry: RequestLogEntry) -> None:
        """Put a finished request into the queue."""
        self._enqueue(super().log, entry)

    def flush(self, stats: Mapping[str, AggregateStats]) -> None:
        """Put statistics into the queue, as one record."""
        self._enqueue(super().flush, dict(stats))

    def trace(self, entry: TraceEntry) -> None:
        """Put a trace step of at least the configured severity into the queue."""
        if self._is_severe(entry):
            self._enqueue(super().trace, entry)

    def drain(self, timeout_s: float = 5.0) -> bool:
        """Wait until the records so far are written. Returns whether they are."""
        return self.writer.flush(timeout_s)

    def close(self) -> None:
        """Write the records that wait, end the thread and close the output. The next record starts both again."""
        self.writer.close(self._close_output)

    def _enqueue(self, write: Callable[[Any], object], record: Any) -> None:
        """Put a record into the queue. Override this to keep a fact of the caller's thread with the record.

        Args:
            write: Called with the record in the background thread.
            record: The record.
        """
        snapshot = Snapshot(record)
        self.writer.put(self._write_queued, (write, snapshot), self._end_batch, snapshot.chars)

    def _write_queued(self, item: tuple[Callable[[Any], object], Snapshot]) -> None:
        write, snapshot = item
        write(snapshot.restore())

    def _end_batch(self) -> None:
        """Pass on what the output has buffered, after the last line of a batch."""

    def _close_output(self) -> None:
        """Release what :meth:`_write` has opened. The next record may open it again."""

    def before_fork(self) -> None:
        """Empty the buffers that a forked child process would share. No record is being written."""
        self._end_batch()

    def after_fork(self) -> None:
        """Start with an empty queue in a child process."""
        self._lock = Lock()
        self.writer.after_fork()


def _queue_size(sink: BackgroundObservability) -> int:
    size = getattr(sink.config, "queue_size", DEFAULT_QUEUE_SIZE)
    if isinstance(size, int) and not isinstance(size, bool) and size >= 1:
        return size
    message = f"observability: 'queue_size' of {sink.id} must be an integer of at least 1, not {size!r}"
    raise ConfigurationError(message, where="observability.queue_size")

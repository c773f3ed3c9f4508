"""The thread that owns a model: it loads the model, runs one task after the other, and can be stopped."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any
from weakref import WeakSet

from attrs import define, field

from modelmesh.contracts import FailureClass
from modelmesh.errors import ModelMeshError, ProviderError
from modelmesh_cdk.in_process.forks import keep_in_child
from modelmesh_cdk.provider.provider_errors import provider_error

EXIT_S = 10.0
"""Seconds that the interpreter's exit waits for an engine. A task reaches its next checkpoint in a small part of that time."""
END = object()
"""Marker delivered after the last item."""

Emit = Callable[[Any], bool]
"""Function that passes an item to the caller and returns whether to continue. ``None`` is a checkpoint: nothing is passed."""


@define(eq=False)
class Job:
    """One task in the queue of an engine.

    Attributes:
        run: Runs the task with the loaded model, in the engine's thread.
        deliver: Receives each item, then :data:`END` or a :class:`~modelmesh.errors.ModelMeshError`, in the engine's thread.
        stopped: Whether the caller stopped waiting.
    """

    run: Callable[[Any, Emit], None] = field(repr=False)
    deliver: Callable[[Any], None] = field(repr=False)
    stopped: bool = False

    def stop(self) -> None:
        """Stop at the next checkpoint. The engine then starts the next job."""
        self.stopped = True


class Engine(Thread):
    """Thread that owns the loaded model. It is a daemon, so that only :func:`_stop_all` delays the interpreter's exit."""

    def __init__(self, label: str, name: str, load: Callable[[], Any]) -> None:
        """Create the thread. The first job loads the model.

        Args:
            label: Name of the model in messages.
            name: Name of the thread, after the name of this project.
            load: Returns the model.
        """
        super().__init__(name=f"modelmesh-{name}", daemon=True)
        self._label = label
        self._load = load
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = False
        _alive.add(self)

    def submit(self, job: Job) -> None:
        """Append a job to the queue."""
        self._waiting.put(job)

    def close(self) -> None:
        """Stop running and queued jobs and end the thread, which frees the model."""
        self._closed = True
        self._waiting.put(None)

    def run(self) -> None:
        """Process jobs until closed."""
        model: Any = None  # in this frame only: a forked child lacks the threads of the model and must not free it
        while (job := self._waiting.get()) is not None:
            if job.stopped:
                continue
            try:
                if not self._closed:
                    model = keep_in_child(self._load()) if model is None else model
                    job.run(model, self._make_emit(job))
                last = self._closed_error() if self._closed else END
            except Exception as error:  # noqa: BLE001 - a native library may raise anything
                last = self._error(error)
            _deliver(job, last)
            job = last = None

    def _make_emit(self, job: Job) -> Emit:
        def emit(item: Any) -> bool:
            if job.stopped or self._closed:
                return False
            return item is None or _deliver(job, item)

        return emit

    def _error(self, error: Exception) -> ModelMeshError:
        if isinstance(error, ModelMeshError):
            return error
        message = f"the {self._label} failed: {type(error).__name__}: {error}"
        made: ProviderError = provider_error(FailureClass.SERVER, message, status=500)
        made.__cause__ = error
        return made

    def _closed_error(self) -> ModelMeshError:
        message = f"the {self._label} was closed before its response was complete. Create another client to retry"
        return provider_error(FailureClass.CANCELLED, message)


def _deliver(job: Job, item: Any) -> bool:
    try:
        job.deliver(item)
    except RuntimeError:  # the event loop that waited is closed
        job.stop()
    return not job.stopped


_alive: WeakSet[Engine] = WeakSet()


@atexit.register
def _stop_all() -> None:
    """Stop all engines at exit, because native code must not call back into a finalized interpreter."""
    engines = [engine for engine in _alive if engine.is_alive()]
    for engine in engines:
        engine.close()
    for engine in engines:
        if engine is not current_thread():
            engine.join(EXIT_S)

"""The thread that owns the model: it loads the model, generates responses in sequence, and can be stopped."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any
from weakref import WeakSet

from attrs import define, field

from modelmesh.contracts import FailureClass
from modelmesh.errors import ModelMeshError
from modelmesh_cdk import provider_error
from modelmesh_connector_local.runtime import error_from_exception

EXIT_S = 10.0
"""Seconds that the interpreter's exit waits. A token or a prompt batch takes a small part of that time."""
END = object()
"""Marker delivered after the last chunk."""


@define(eq=False)
class Generation:
    """One response being generated.

    Attributes:
        request: The request to the library.
        deliver: Receives each chunk, then :data:`END` or a :class:`~modelmesh.errors.ModelMeshError`, in the engine's thread.
        stopped: Whether the caller stopped waiting.
    """

    request: dict[str, Any] = field(repr=False)
    deliver: Callable[[Any], None] = field(repr=False)
    stopped: bool = False

    def stop(self) -> None:
        """Stop at the next token. The engine then starts the next generation."""
        self.stopped = True


class Engine(Thread):
    """Thread that owns the loaded model. It is a daemon, so that only :func:`_stop_all` delays the interpreter's exit."""

    def __init__(self, load: Callable[[], Any]) -> None:
        """Create the thread. The first generation loads the model.

        Args:
            load: Returns an object with ``handle_chat_completions(request, callback)``.
        """
        super().__init__(name="modelmesh-local", daemon=True)
        self._load = load
        self._waiting: SimpleQueue[Generation | None] = SimpleQueue()
        self._closed = False
        _alive.add(self)

    def submit(self, generation: Generation) -> None:
        """Append a generation to the queue."""
        self._waiting.put(generation)

    def close(self) -> None:
        """Stop running and queued generations and end the thread, which frees the model."""
        self._closed = True
        self._waiting.put(None)

    def run(self) -> None:
        """Process generations until closed."""
        server: Any = None  # in this frame only: a forked child lacks its threads and must not free it
        while (generation := self._waiting.get()) is not None:
            if generation.stopped:
                continue
            try:
                if not self._closed:
                    server = server or self._load()
                    server.handle_chat_completions(generation.request, self._make_callback(generation))
                last = _closed() if self._closed else END
            except Exception as error:  # noqa: BLE001 - a native library may raise anything
                last = error_from_exception(error)
            _deliver(generation, last)
            generation = last = None

    def _make_callback(self, generation: Generation) -> Callable[[Any], bool]:
        def callback(chunk: Any) -> bool:
            """Return whether to stop. The library calls it for each token and each prompt batch."""
            if generation.stopped or self._closed:
                return True
            return not _deliver(generation, chunk)

        return callback


def _deliver(generation: Generation, item: Any) -> bool:
    try:
        generation.deliver(item)
    except RuntimeError:  # the event loop that waited is closed
        generation.stop()
    return not generation.stopped


def _closed() -> ModelMeshError:
    message = "the local model was closed before its response was complete. Create another client to retry"
    return provider_error(FailureClass.CANCELLED, message)


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

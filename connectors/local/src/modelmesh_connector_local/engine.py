"""The one thread in which the model lives: it loads, generates one answer after the other, and can be stopped."""

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
from modelmesh_connector_local.runtime import raised

EXIT_S = 10.0
"""How long the interpreter's exit waits; a token or a batch of the prompt takes a small part of it."""
END = object()
"""Delivered after the last chunk."""


@define(eq=False)
class Generation:
    """One answer in the making.

    Attributes:
        request: What the library is asked.
        deliver: Is handed each chunk, then :data:`END` or a :class:`~modelmesh.errors.ModelMeshError`; in the engine's thread.
        stopped: Nobody waits for it any more.
    """

    request: dict[str, Any] = field(repr=False)
    deliver: Callable[[Any], None] = field(repr=False)
    stopped: bool = False

    def stop(self) -> None:
        """Give up; the engine turns to the next generation at the next token."""
        self.stopped = True


class Engine(Thread):
    """Owns the loaded model. A daemon, so that nothing but :func:`_stop_all` holds the interpreter's exit."""

    def __init__(self, load: Callable[[], Any]) -> None:
        """Prepare; the model is loaded by the first generation.

        Args:
            load: Returns what answers ``handle_chat_completions(request, callback)``.
        """
        super().__init__(name="modelmesh-local", daemon=True)
        self._load = load
        self._waiting: SimpleQueue[Generation | None] = SimpleQueue()
        self._closed = False
        _alive.add(self)

    def submit(self, generation: Generation) -> None:
        """Put a generation behind those that wait already."""
        self._waiting.put(generation)

    def close(self) -> None:
        """Stop what runs and what waits, and let the thread end, which frees the model."""
        self._closed = True
        self._waiting.put(None)

    def run(self) -> None:
        """Work until closed."""
        server: Any = None  # in this frame only: in a forked child, where its threads are gone, it must not be freed
        while (generation := self._waiting.get()) is not None:
            if generation.stopped:
                continue
            try:
                if not self._closed:
                    server = server or self._load()
                    server.handle_chat_completions(generation.request, self._pass_on(generation))
                last = _closed() if self._closed else END
            except Exception as error:  # noqa: BLE001 - whatever a native library raises
                last = raised(error)
            _deliver(generation, last)
            generation = last = None

    def _pass_on(self, generation: Generation) -> Callable[[Any], bool]:
        def pass_on(chunk: Any) -> bool:
            """Return whether to stop; the library listens to that, at each token and each batch of the prompt."""
            if generation.stopped or self._closed:
                return True
            return not _deliver(generation, chunk)

        return pass_on


def _deliver(generation: Generation, what: Any) -> bool:
    try:
        generation.deliver(what)
    except RuntimeError:  # the event loop that waited is closed
        generation.stop()
    return not generation.stopped


def _closed() -> ModelMeshError:
    message = "the local model was closed before its answer was whole; make a new client to ask again"
    return provider_error(FailureClass.CANCELLED, message)


_alive: WeakSet[Engine] = WeakSet()


@atexit.register
def _stop_all() -> None:
    """Before the interpreter goes: native code must not call back into one that is gone."""
    engines = [engine for engine in _alive if engine.is_alive()]
    for engine in engines:
        engine.close()
    for engine in engines:
        if engine is not current_thread():
            engine.join(EXIT_S)

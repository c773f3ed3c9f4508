"""Scripted behavior of an in-process model that serves another operation than chat completions."""

from __future__ import annotations

from collections.abc import Generator
from threading import Event
from typing import Self

from attrs import define, field

PAUSE_S = 0.005


@define(eq=False)
class ScriptedModel:
    """Script that a fake engine follows. The engine computes its answer from the request, so that different requests differ.

    The fake engine calls :meth:`load` when it loads its model, and ``yield from`` :meth:`run` in each request, in a stream after
    the first item.

    Attributes:
        error: Exception that the engine raises.
        endless: Whether the engine continues without output until it is stopped.
        loads: Number of times that the model was loaded.
        runs: Number of requests that the engine has started.
        started: Event that is set when a request has started.
        stopped: Event that is set when a request was stopped.
    """

    error: Exception | None = None
    endless: bool = False
    loads: int = 0
    runs: int = 0
    started: Event = field(factory=Event, repr=False)
    stopped: Event = field(factory=Event, repr=False)

    def load(self) -> Self:
        """Count a load and return the script."""
        self.loads += 1
        return self

    def run(self) -> Generator[None]:
        """Yield ``None`` where the engine can be stopped, then raise the error if there is one.

        Raises:
            Exception: The scripted one.
        """
        self.runs += 1
        self.started.set()
        try:
            yield None
            while self.endless:
                self.stopped.wait(PAUSE_S)
                yield None
        except GeneratorExit:
            self.stopped.set()
            raise
        if self.error is not None:
            raise self.error

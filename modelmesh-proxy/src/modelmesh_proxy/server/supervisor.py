"""Worker processes: started by fork, replaced when they end, stopped together.

The supervisor imports everything before the fork, so that the workers share that memory. It serves no requests. Each worker binds
its own socket of the port where the kernel spreads connections over them (Linux), so that the connections of a killed worker are
the only ones that are lost. Elsewhere the workers share one socket.
"""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import FrameType

from attrs import define

from modelmesh_proxy.server.terminal import has_terminal
from modelmesh_proxy.server.worker_place import WorkerPlace

_log = logging.getLogger("modelmesh.proxy")

TICK_S = 0.1
STEADY_S = 10.0
"""A worker that ran this long is replaced at once. One that ended earlier is replaced after a growing delay."""

FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0
KILL_AFTER_S = 15.0
"""Time after the end of the drain until workers that do not end are killed."""

Work = Callable[[WorkerPlace], int]


@define(eq=False)
class _Worker:
    number: int
    pid: int | None = None
    started_at: float = 0.0
    starts_at: float = 0.0
    early_ends: int = 0


class Supervisor:
    """Runs one function in several processes until a signal."""

    def __init__(
        self, count: int, work: Work, *, folder: Path, drain: float, on_ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        """Initialize a supervisor without workers.

        Args:
            count: Number of workers.
            work: What a worker does. Returns its exit code.
            folder: Folder that the workers share.
            drain: Seconds that workers may take to end.
            on_ready: Called when the first worker accepts connections.
            on_stop: Called when the workers begin to drain. May be called twice.
        """
        self._workers = [_Worker(number) for number in range(1, count + 1)]
        self._work, self._folder, self._drain, self._on_ready = work, folder, drain, on_ready
        self._on_stop, self._is_ready = on_stop, False
        self._stop_signal: int | None = None
        self._deadline = 0.0
        self._failed: int | None = None

    def run(self) -> int:
        """Run workers until a signal, and return the exit code of the process."""
        self._lifeline, self._holder = os.pipe()
        self._ready, self._report = os.pipe()
        handlers = {signal.SIGTERM: self._stop, signal.SIGINT: self._stop, signal.SIGHUP: self._hang_up}
        self._had_terminal = has_terminal()
        self._before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        gc.collect()
        gc.freeze()  # the pages of these objects stay shared
        try:
            while self._step():
                self._wait()
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
            for descriptor in (self._lifeline, self._holder, self._ready, self._report):
                os.close(descriptor)
        if self._failed is not None:
            return self._failed
        return 128 + signal.SIGINT if self._stop_signal == signal.SIGINT else 0

    def _step(self) -> bool:
        """Replace and end workers. Return whether any is left to wait for."""
        now = monotonic()
        for worker in self._workers:
            self._reap(worker, now)
        if self._stop_signal is None and self._failed is None:
            for worker in self._workers:
                if worker.pid is None and now >= worker.starts_at:
                    self._start(worker, now)
            return True
        running = [worker.pid for worker in self._workers if worker.pid is not None]
        if running and now > self._deadline:
            _log.error("%d workers did not end in time and are killed", len(running))
            self._signal(signal.SIGKILL)
            self._deadline = now + KILL_AFTER_S
        return bool(running)

    def _reap(self, worker: _Worker, now: float) -> None:
        if worker.pid is None:
            return
        try:
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = worker.pid, 0
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        worker.pid = None
        if self._stop_signal is not None or self._failed is not None:
            return
        if code == 1 and not self._is_ready:
            self._failed = code  # it has logged why, and another one would fail in the same way
            self._begin_stop(signal.SIGTERM)
            return
        worker.early_ends = worker.early_ends + 1 if now - worker.started_at < STEADY_S else 0
        delay = min(FIRST_DELAY_S * 2.0 ** (worker.early_ends - 1), LONGEST_DELAY_S) if worker.early_ends else 0.0
        worker.starts_at = now + delay
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        _log.error("worker %d %s and is started again in %.1f s", worker.number, how, delay)

    def _start(self, worker: _Worker, now: float) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        pid = os.fork()
        if pid == 0:
            self._run_worker(worker.number)
        worker.pid, worker.started_at = pid, now

    def _run_worker(self, number: int) -> None:
        """Run the work in the child. Never returns."""
        code = 1
        try:
            os.close(self._holder)
            os.close(self._ready)
            for handled in self._before:
                signal.signal(handled, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the supervisor decides
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the server runs: the start reads the configuration
            code = self._work(WorkerPlace(number, self._folder, self._lifeline, self._report))
        except Exception:  # noqa: BLE001 - the process ends here
            _log.exception("worker %d failed", number)
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)

    def _wait(self) -> None:
        with suppress(InterruptedError):
            if select.select([self._ready], [], [], TICK_S)[0]:
                os.read(self._ready, 4096)
                if not self._is_ready:
                    self._is_ready = True
                    self._on_ready()

    def _begin_stop(self, number: int) -> None:
        self._deadline = monotonic() + self._drain + KILL_AFTER_S
        self._on_stop()
        self._signal(number)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        _ = frame
        if self._stop_signal is None:
            self._stop_signal = number
        self._begin_stop(signal.SIGTERM)

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        if self._had_terminal and not has_terminal():
            self._stop(number, frame)
        else:
            self._signal(signal.SIGHUP)

    def _signal(self, number: int) -> None:
        for worker in self._workers:
            if worker.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, number)

"""Scheduler: runs jobs once or at intervals in one daemon thread, which starts only when there is a job.

APScheduler and ``sched`` are not used: the jobs follow the mesh's own clock, which tests replace, and must survive a fork.
"""

from __future__ import annotations

import logging
import os
from asyncio import CancelledError
from collections.abc import Callable
from threading import Event, Lock, Thread, current_thread

from attrs import define

from modelmesh._engine.plugins import attribution

_log = logging.getLogger("modelmesh.background")

MAX_WAIT_S = 3600.0
"""Longest wait between two looks at the clock. Lock timeouts of years overflow."""

JOIN_TIMEOUT_S = 2.0
"""How long a shutdown waits for the running job. The result of a job that ends later is discarded."""


@define(eq=False)
class _Job:
    run: Callable[[], object]
    interval: float | None
    due: float


class Scheduler:
    """Runs jobs in a thread of its own, never on the path of a request. A job that raises is logged and stays scheduled."""

    def __init__(self, clock: Callable[[], float], name: str = "modelmesh-background") -> None:
        """Start with no job and no thread.

        Args:
            clock: Returns monotonic seconds and decides when a job is due. The thread itself waits by real time.
            name: Name of the thread.
        """
        self._clock = clock
        self._name = name
        self._jobs: list[_Job] = []
        self._stop = Event()
        self._run_lock = Lock()
        self._thread: Thread | None = None
        self._pid = os.getpid()

    def every(self, interval: float, job: Callable[[], object]) -> None:
        """Run a job repeatedly, ``interval`` seconds apart, first after one interval."""
        self._jobs.append(_Job(job, interval, self._clock() + interval))

    def after(self, seconds: float, job: Callable[[], object]) -> None:
        """Run a job once, after this many seconds."""
        self._jobs.append(_Job(job, None, self._clock() + seconds))

    def once(self, job: Callable[[], object]) -> None:
        """Run a job once, as soon as the thread runs."""
        self._jobs.append(_Job(job, None, self._clock()))

    def stopped(self) -> bool:
        """Return whether the scheduler was stopped, so that a running job must discard its result."""
        return self._stop.is_set()

    def start(self) -> None:
        """Start the thread if there is a job."""
        if self._jobs and self._thread is None and not self._stop.is_set():
            self._thread = Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def run_due(self) -> None:
        """Run every job that is due by the mesh's clock, in this thread."""
        with self._run_lock:
            now = self._clock()
            for job in [job for job in self._jobs if job.due <= now]:
                if job.interval is None:
                    self._jobs.remove(job)
                else:
                    job.due = now + job.interval
                if self._stop.is_set():
                    return
                try:
                    job.run()
                except (Exception, SystemExit, CancelledError) as error:  # noqa: BLE001 - a log line is all it can leave
                    _log.warning("a background job raised %s", attribution.summarize(error))

    def _work(self) -> None:
        stop = self._stop
        while not stop.is_set():
            self.run_due()
            if not self._jobs:
                return
            left = min(job.due for job in self._jobs) - self._clock()
            stop.wait(min(max(left, 0.01), MAX_WAIT_S))

    def stop(self) -> None:
        """Stop the thread. May be called twice, and from a job."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not current_thread() and self._pid == os.getpid():
            thread.join(JOIN_TIMEOUT_S)

    def after_fork(self, *, go_on: bool = True) -> None:
        """Replace the locks in a child process, which inherits no thread, and start a new thread if ``go_on``."""
        self._pid = os.getpid()
        stopped, self._stop, self._run_lock, self._thread = self._stop.is_set(), Event(), Lock(), None
        if stopped:
            self._stop.set()
        if go_on:
            self.start()

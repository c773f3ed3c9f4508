"""What a mesh does beside requests, at intervals: one daemon thread, started only where there is something to do."""

from __future__ import annotations

import logging
import os
from asyncio import CancelledError
from collections.abc import Callable
from threading import Event, Lock, Thread, current_thread

from attrs import define

from modelmesh._engine.plugins import attribution as authors

_log = logging.getLogger("modelmesh.background")

LONGEST_WAIT_S = 3600.0
"""The thread looks at the clock as often as this at least; no lock can be waited for in years."""

JOIN_S = 2.0
"""How long a shutdown waits for a job under way; what it brings after that is dropped."""


@define(eq=False)
class _Job:
    run: Callable[[], object]
    interval: float | None
    due: float


class Background:
    """Runs jobs in a thread of its own, never on the path of a request. A job that raises is logged, and goes on."""

    def __init__(self, clock: Callable[[], float], name: str = "modelmesh-background") -> None:
        """Start with no job and no thread.

        Args:
            clock: Monotonic seconds; the thread looks at it, and waits by the real one.
            name: Of the thread.
        """
        self._clock = clock
        self._name = name
        self._jobs: list[_Job] = []
        self._stop = Event()
        self._one_at_a_time = Lock()
        self._thread: Thread | None = None
        self._pid = os.getpid()

    def every(self, interval: float, job: Callable[[], object]) -> None:
        """Run a job each time so many seconds have passed."""
        self._jobs.append(_Job(job, interval, self._clock() + interval))

    def after(self, seconds: float, job: Callable[[], object]) -> None:
        """Run a job once when so many seconds have passed."""
        self._jobs.append(_Job(job, None, self._clock() + seconds))

    def once(self, job: Callable[[], object]) -> None:
        """Run a job as soon as the thread runs."""
        self._jobs.append(_Job(job, None, self._clock()))

    def stopped(self) -> bool:
        """Whether what a job brings is of no use any more."""
        return self._stop.is_set()

    def start(self) -> None:
        """Start the thread, when there is a job."""
        if self._jobs and self._thread is None and not self._stop.is_set():
            self._thread = Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def run_due(self) -> None:
        """Run every job that is due by the mesh's clock, in this thread."""
        with self._one_at_a_time:
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
                except (Exception, SystemExit, CancelledError) as error:  # noqa: BLE001 - nobody else would hear, and the others go on
                    _log.warning("a job beside the requests raised %s", authors.what(error))

    def _work(self) -> None:
        stop = self._stop
        while not stop.is_set():
            self.run_due()
            if not self._jobs:
                return
            left = min(job.due for job in self._jobs) - self._clock()
            stop.wait(min(max(left, 0.01), LONGEST_WAIT_S))

    def stop(self) -> None:
        """Let the thread end. May be called twice, and from a job."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not current_thread() and self._pid == os.getpid():
            thread.join(JOIN_S)

    def after_fork(self, *, go_on: bool = True) -> None:
        """Threads do not come along into a child process: take new locks, and start anew unless this is the end."""
        self._pid = os.getpid()
        stopped, self._stop, self._one_at_a_time, self._thread = self._stop.is_set(), Event(), Lock(), None
        if stopped:
            self._stop.set()
        if go_on:
            self.start()

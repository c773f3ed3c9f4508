"""Background thread that saves the state."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Event, Thread


class SaveThread:
    """Calls a function at an interval, or earlier when woken, until stopped."""

    def __init__(self, work: Callable[[], None], interval_s: float) -> None:
        """Prepare the thread without starting it.

        Args:
            work: What the thread calls.
            interval_s: Seconds between two calls.
        """
        self._work, self._interval_s = work, interval_s
        self._wake = Condition()
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread, unless it runs already or was stopped."""
        if self._thread is None and not self._stop.is_set():
            self._thread = Thread(target=self._run, name="modelmesh-state", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """End the current wait."""
        with self._wake:
            self._wake.notify()

    def pause(self, seconds: float) -> None:
        """Wait in the thread for some seconds, or until it is stopped."""
        if seconds > 0:
            self._stop.wait(seconds)

    def stop(self) -> None:
        """Let the thread end after its current call."""
        self._stop.set()

    def join(self) -> None:
        """Stop the thread and wait until it has ended."""
        self.stop()
        with self._wake:
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()

    def after_fork(self) -> None:
        """Forget the parent's thread. A stopped thread stays stopped."""
        stopped, self._stop = self._stop.is_set(), Event()
        if stopped:
            self._stop.set()
        self._wake, self._thread = Condition(), None

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._wake:
                self._wake.wait(self._interval_s)
            if self._stop.is_set():
                return
            self._work()

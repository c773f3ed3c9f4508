"""Background writer: a bounded queue of records and the thread that writes them.

The thread starts with the first record and ends when the writer is closed or released. While the queue is empty, the thread holds
no reference to the sink, so that a sink that is not closed can be collected. The locks of ``put`` are reentrant: the garbage
collector may end a stream, whose record is then put while this thread holds them.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, RLock, Thread, current_thread
from typing import Any, TypeAlias

from modelmesh._engine.plugins import attribution

_log = logging.getLogger("modelmesh.events")

MAX_WAITING_CHARS = 64 * 2**20
"""Maximum characters of the payloads in a queue. One longer record is accepted while no other waits."""

GATHER_S = 0.02
"""Pause of the thread after a batch. Records of the pause form the next batch, and ``put`` does not have to wake the thread."""

CHUNK = 200
"""Maximum records of a batch."""

STALLED_S = 5.0
"""Time without a written record after which ``close`` gives up."""

_Item: TypeAlias = "tuple[Callable[[Any], object], Any, Callable[[], object], int] | Event"


class BackgroundWriter:
    """Writes records of one sink in a thread of its own, in the order of :meth:`put`.

    Attributes:
        failed: Number of records whose output raised.
        dropped: Number of records that :meth:`put` discarded because the queue was full.
        output_lock: Held while records are written.
    """

    def __init__(self, name: str, queue_size: int) -> None:
        """Start with an empty queue and no thread.

        Args:
            name: ID of the sink, for log messages.
            queue_size: Maximum number of waiting records.
        """
        self._name, self._queue_size = name, queue_size
        self.failed = self.dropped = self._processed = 0
        self._is_drop_logged = self._is_inline = False
        self.after_fork()

    def after_fork(self) -> None:
        """Start with an empty queue and no thread in a child process: the parent writes the records that waited."""
        self._lock, self.output_lock = RLock(), RLock()
        self._items: deque[_Item] = deque()
        self._waiting_chars = 0
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._thread: Thread | None = None
        self._is_idle = self._is_stopping = self._is_writing = False

    # -- callers ----------------------------------------------------------------------------------------------------

    def put(self, write: Callable[[Any], object], record: Any, end_batch: Callable[[], object], chars: int = 0) -> None:
        """Append a record, or count it as dropped if the queue is full. Never waits for output.

        Args:
            write: Writes the record.
            record: The argument of ``write``.
            end_batch: Called after the last record of a batch.
            chars: Characters of the record's payloads.
        """
        with self._lock:
            waiting = len(self._items)
            if waiting >= self._queue_size or (waiting and self._waiting_chars + chars > MAX_WAITING_CHARS):
                self.dropped += 1
                return
            self._items.append((write, record, end_batch, chars))
            self._waiting_chars += chars
            has_thread = self._wake_thread()
        if not has_thread:
            self._write_waiting(STALLED_S)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all records so far are written, and return whether they are."""
        if current_thread() is self._thread:
            return False
        done = Event()
        with self._lock:
            has_thread = self._thread is not None
            if has_thread:
                self._items.append(done)
                self._is_idle = False
                self._wake.put(None)
        if has_thread:
            return done.wait(timeout_s)
        self._write_waiting(timeout_s)
        return not self._items

    def close(self, close_output: Callable[[], object]) -> bool:
        """Write all records, end the thread and close the output. Gives up when the output stalls.

        Args:
            close_output: Closes the output. Called while no record is being written.

        Returns:
            Whether all records are written.
        """
        thread, processed = self._thread, self._processed
        while not self.flush(STALLED_S):
            if processed == self._processed or thread is current_thread():
                text = "%s: %d records are not written, because the output does not accept them"
                _log.warning(text, self._name, self._waiting())
                return False
            processed = self._processed
        self.end_thread(STALLED_S)
        with self.output_lock:
            try:
                close_output()
            except (Exception, SystemExit, CancelledError) as error:  # noqa: BLE001 - the next record may open it again
                self._count_failures(1, error, close_output)
        return True

    def release(self) -> None:
        """End the thread after the records that wait, without waiting for it. The next record starts a new one."""
        with self._lock:
            if self._thread is not None:
                self._is_stopping, self._is_idle = True, False
                self._wake.put(None)

    def end_thread(self, timeout_s: float) -> None:
        """End the thread after the records that wait, and wait for it."""
        thread = self._thread
        self.release()
        if thread is not None and thread is not current_thread():
            thread.join(timeout_s)

    def write_inline(self) -> None:
        """Write later records in the threads of their callers, because the interpreter is about to end."""
        self._is_inline = True

    def _waiting(self) -> int:
        with self._lock:
            return sum(not isinstance(item, Event) for item in self._items)

    # -- the thread -------------------------------------------------------------------------------------------------

    def _wake_thread(self) -> bool:
        """Start or wake the thread. Returns whether there is one. The caller holds the lock."""
        if self._thread is None and not self._is_inline:
            self._is_stopping = False
            self._thread = Thread(target=self._run, name=f"modelmesh-{self._name}", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is about to end, or the platform has no threads
                self._thread, self._is_inline = None, True
        elif self._is_idle:
            self._is_idle = False
            self._wake.put(None)
        return self._thread is not None

    def _run(self) -> None:
        try:
            while True:
                self._write_waiting()
                if self._is_finished():
                    return
        finally:
            with self._lock:
                if self._thread is current_thread():
                    self._thread = None

    def _is_finished(self) -> bool:
        """Wait for the next records. Returns whether the thread ends."""
        if not self._is_stopping:
            with suppress(Empty):
                self._wake.get(timeout=GATHER_S)
        with self._lock:
            if self._items:
                return False
            if self._is_stopping:
                self._thread = None
                return True
            self._is_idle = True
        self._wake.get()
        return False

    def _write_waiting(self, timeout_s: float = -1) -> None:
        """Write until the queue is empty, or until another thread has written for ``timeout_s`` without a pause."""
        while self._items:
            if not self.output_lock.acquire(timeout=timeout_s):
                return
            try:
                if self._is_writing:  # the garbage collector interrupted a write of this thread, which continues afterwards
                    return
                self._is_writing = True
                self._write_batch()
            finally:
                self._is_writing = False
                self.output_lock.release()

    def _write_batch(self) -> None:
        end_batch, unfinished = None, 0
        for _ in range(CHUNK):
            if not self._items:
                break
            item = self._items.popleft()
            if isinstance(item, Event):
                self._end_batch(end_batch, unfinished)
                unfinished = 0
                item.set()
                continue
            write, record, end_batch, chars = item
            if chars:
                with self._lock:
                    self._waiting_chars -= chars
            try:
                write(record)
                unfinished += 1
            except (Exception, SystemExit, CancelledError) as error:  # noqa: BLE001 - the next record may be written
                self._count_failures(1, error, end_batch)
            self._processed += 1
        self._end_batch(end_batch, unfinished)
        if self.dropped and not self._is_drop_logged:
            self._is_drop_logged = True
            text = "%s dropped records, because %d were waiting for its output (queue_size); further drops are only counted"
            _log.warning(text, self._name, self._queue_size)

    def _end_batch(self, end_batch: Callable[[], object] | None, unfinished: int) -> None:
        if end_batch is not None and unfinished:
            try:
                end_batch()
            except (Exception, SystemExit, CancelledError) as error:  # noqa: BLE001 - the next batch may be written
                self._count_failures(unfinished, error, end_batch)

    def _count_failures(self, count: int, error: BaseException, method: Callable[..., object]) -> None:
        """Count records that were not written, and log the first failure."""
        is_first, self.failed = not self.failed, self.failed + count
        if is_first:
            sink = getattr(method, "__self__", None)
            place = attribution.locate_exception(error, sink) or attribution.locate_definition(method if sink is None else sink)
            why = attribution.summarize(error, sink)
            _log.warning("%s (%s) raised %s; further failures are only counted", self._name, place, why)

"""Open sinks of this process: they are closed at exit, and a forked child takes over none of their waiting records."""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from modelmesh_cdk.observability.background import BackgroundObservability

FORK_WAIT_S = 1.0
"""How long a fork waits for the thread of a sink. A child that starts in the middle of a write may repeat part of it."""

_sinks: WeakValueDictionary[int, BackgroundObservability] = WeakValueDictionary()
_forking = threading.local()


def add(sink: BackgroundObservability) -> None:
    """Register a sink until it is collected."""
    _sinks[id(sink)] = sink


def _close_all() -> None:
    for sink in list(_sinks.values()):
        sink.writer.write_inline()
        with suppress(Exception):  # the other sinks have records too
            sink.close()


def _before_fork() -> None:
    _forking.held = held = []
    for sink in list(_sinks.values()):
        sink.writer.end_thread(FORK_WAIT_S)  # a fork with running threads is deprecated
        if sink.writer.output_lock.acquire(timeout=FORK_WAIT_S):
            held.append(sink.writer.output_lock)
            with suppress(Exception):  # the writer reports a failing output
                sink.before_fork()


def _after_fork_in_parent() -> None:
    for lock in _forking.held:
        lock.release()


def _after_fork_in_child() -> None:
    for sink in list(_sinks.values()):
        sink.after_fork()


# atexit comes too late: child processes of multiprocessing do not run it, and other threads may write after it.
with suppress(AttributeError, RuntimeError):  # a private function, and the interpreter may be about to end
    threading._register_atexit(_close_all)  # type: ignore[attr-defined] # noqa: SLF001
atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)

"""Models in a forked child of a process that has loaded a model.

While a model is loaded, the library runs a thread. A forked child inherits the reference to the thread, but not the thread.
In the child, freeing a model and the library's clean-up at exit wait for that thread forever (xllamacpp 2026.10.11549, found
with a debugger on 2026-11-21). So a child never frees its model and skips the clean-up.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Any


def keep_in_child(server: Any) -> Any:
    """Return the loaded model. In a forked child, keep a reference so that it is never freed."""
    if _first_process() != os.getpid():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(server))
    return server


@cache
def _first_process() -> int:
    """Return the process ID of the first use. A forked child inherits the cached value."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_skip_native_cleanup)
    return os.getpid()


def _skip_native_cleanup() -> None:
    """End the child with its exit status after the interpreter's clean-up and before that of native libraries.

    The function uses ``on_exit`` of the C library (Linux with glibc). Python's output is flushed by then.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "on_exit"):
            library.on_exit(library._exit, None)  # noqa: SLF001 - the C function of that name

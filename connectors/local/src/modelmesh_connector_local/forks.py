"""A forked child of a process that has loaded a model: how it can use one of its own, and come to its end.

While a model is loaded the library keeps a thread of its own, which a child inherits the note of and not the thread. Both
freeing a model and the library's clean-up at exit wait for that thread, in a child without end (xllamacpp 2026.10.11549,
found with a debugger on 2026-11-21). So a child keeps its model to its end, and skips the clean-up.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Any


def keep_in_child(server: Any) -> Any:
    """Return a model that was just loaded; one that was loaded in a child is never freed."""
    if _first_process() != os.getpid():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(server))
    return server


@cache
def _first_process() -> int:
    """Note where the library was first used; a child inherits the note."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_end_without_clean_up)
    return os.getpid()


def _end_without_clean_up() -> None:
    """Let the child end with its own status after the interpreter's clean-up and before that of native libraries.

    Done with ``on_exit`` of the C library, which Linux with glibc has; what was written through Python is flushed by then.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "on_exit"):
            library.on_exit(library._exit, None)  # noqa: SLF001 - the C function of that name

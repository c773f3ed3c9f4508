"""Models in a forked child of a process that has loaded a model.

Native libraries run threads while a model is loaded. A forked child inherits the references to the threads, but not the threads.
In the child, the clean-up of the libraries at exit waits for them forever (xllamacpp 2026.10.11549, found with a debugger on
2026-11-21) or aborts the process (onnxruntime 1.32.0 and ctranslate2 4.8.5, found on 2026-11-30). So a child never frees its
model and skips the clean-up.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Any


def keep_in_child(model: Any) -> Any:
    """Return the loaded model. In a forked child, keep a reference so that it is never freed."""
    if _first_process() != os.getpid():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(model))
    return model


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

"""Import of ONNX Runtime without its telemetry.

When it is imported, onnxruntime 1.32.0 for Linux writes an ID of the machine to ``~/.cache/Microsoft/DeveloperTools``. It can
upload events about sessions to its vendor (found on 2026-11-30). ``ORT_DISABLE_TELEMETRY`` prevents both if it is set during the
import. Its function ``disable_telemetry_events`` comes too late for the file.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

VARIABLE = "ORT_DISABLE_TELEMETRY"


def import_onnxruntime() -> Any:
    """Return the module ``onnxruntime`` with its telemetry disabled for this process.

    Raises:
        ImportError: The package is not installed.
    """
    if "onnxruntime" in sys.modules:
        module = sys.modules["onnxruntime"]
    else:
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = "1"
        try:
            module = importlib.import_module("onnxruntime")
        finally:
            if before is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before
    disable = getattr(module, "disable_telemetry_events", None)
    if disable is not None:
        disable()
    return module

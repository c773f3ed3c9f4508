"""Voices on this machine, found without importing the library."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _registry() -> tuple[Path, Mapping[str, Mapping[str, Any]]]:
    spec = importlib.util.find_spec("hibari")
    folder = Path(next(iter((spec and spec.submodule_search_locations) or ("",)))) / "assets"
    return folder, json.loads((folder / "voices.json").read_text(encoding="utf-8"))


def is_available(voice: str) -> bool:
    """Return whether the model of a voice is on this machine: in the package, or in the cache of its command ``hibari``."""
    folder, known = _registry()
    if voice not in known:
        return False
    row = known[voice]
    file = (folder if row.get("bundled") else _cache_folder()) / str(row["file"])
    return file.is_file()


def available_voices() -> list[str]:
    """Return the voices on this machine."""
    return [name for name in _registry()[1] if is_available(name)]


def is_known(voice: str) -> bool:
    """Return whether the library has a voice of this name, on this machine or for download."""
    return voice in _registry()[1]


def _cache_folder() -> Path:
    """Return the folder where the command ``hibari`` stores downloaded voices (hibari-tts 0.2.1, ``voices.py``)."""
    if os.environ.get("HIBARI_HOME"):
        return Path(os.environ["HIBARI_HOME"])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "hibari"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hibari"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hibari"

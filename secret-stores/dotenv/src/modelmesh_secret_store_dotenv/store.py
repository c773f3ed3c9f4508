"""A ``.env`` file beside the environment."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from dotenv import dotenv_values

from modelmesh.builtin.env import spellings
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import BaseSecretStore


class DotenvStore(BaseSecretStore):
    """Reads names from the environment, and those that are not there from a ``.env`` file.

    Options: ``path`` (or ``file_path``, ``./.env`` by default); ``override`` (or ``override_env``): the file goes
    before the environment. A file that is not there is empty. The file is read by python-dotenv.
    """

    id: ClassVar[str] = "modelmesh.dotenv.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        options = self.config.options
        self._path = Path(str(options.get("path") or options.get("file_path") or ".env"))
        self._override = bool(options.get("override", options.get("override_env", False)))
        self._values: dict[str, str | None] | None = None

    def tried(self, name: str) -> list[str]:
        """Return where :meth:`get` looks, in order."""
        return [*spellings(name), f"{self._path} ({'there' if self._path.is_file() else 'no such file'})"]

    def _resolve(self, name: str) -> str | None:
        values = self._read()
        for spelling in spellings(name):
            here, there = values.get(spelling), os.environ.get(spelling)
            value = (here or there) if self._override else (there or here)
            if value:
                return value
        return None

    def _read(self) -> dict[str, str | None]:
        if self._values is None:
            self._values = {}
            if self._path.is_file():
                if os.name == "posix" and stat.S_IMODE(self._path.stat().st_mode) & 0o077:
                    text = f"{self._path} can be read by others than its owner; close it: chmod 600 {self._path}"
                    warnings.warn(text, UserWarning, stacklevel=3)
                try:
                    self._values = dict(dotenv_values(self._path, interpolate=False))
                except (OSError, UnicodeDecodeError) as error:
                    message = f"{self._path} cannot be read: {type(error).__name__}. It must be UTF-8 lines of NAME=value."
                    raise ConfigurationError(message, where=str(self._path)) from None
        return self._values

    def clear_cache(self) -> None:
        """Forget what was read, so that the next look reads the file again."""
        super().clear_cache()
        self._values = None

"""A ``.env`` file beside the environment."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar

from dotenv import dotenv_values

from modelmesh.contracts import Secret, variable_names
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import BaseSecretStore


class DotenvStore(BaseSecretStore):
    """Reads names from the environment, and those that are not there from a ``.env`` file.

    Options: ``path`` (or ``file_path``, ``./.env`` by default); ``override`` (or ``override_env``): the file goes
    before the environment. A file that is not there is empty. The file is parsed by python-dotenv, without
    interpolation: a ``$`` in a key is a dollar sign.
    """

    id: ClassVar[str] = "modelmesh.dotenv.v1"
    options: ClassVar[Collection[str]] = ("path", "file_path", "override", "override_env")

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        options = self.config.options
        path = options.get("path") or options.get("file_path") or ".env"
        # A path with ${env:…} in it arrives sealed, as everything does that a reference was part of.
        self._path = Path(path.reveal() if isinstance(path, Secret) else str(path)).expanduser()
        self._override = _yes_or_no(options.get("override", options.get("override_env", False)))

    def tried(self, name: str) -> list[str]:
        """Return where :meth:`get` looks, in order."""
        file = f"the file {self._path}{'' if os.path.isfile(self._path) else ' (which is not there)'}"  # noqa: PTH113 - raises nothing
        return [file, *variable_names(name)] if self._override else [*variable_names(name), file]

    def _resolve(self, name: str) -> str | None:
        order = (self._in_file, _in_environment) if self._override else (_in_environment, self._in_file)
        return next((value for look in order if (value := look(name))), None)

    def _in_file(self, name: str) -> str | None:
        values = self._read()
        return next((value for spelling in variable_names(name) if (value := values.get(spelling))), None)

    def _read(self) -> dict[str, str | None]:
        # Nothing is kept here: how long a value may be old is said by cache_ttl alone.
        failure = ""
        try:
            if not self._path.is_file():
                return {}
            self._warn_if_open_to_others()
            return dict(dotenv_values(self._path, interpolate=False, encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            failure = type(error).__name__
        # Raised out here because a UnicodeDecodeError carries the bytes of the file, and __context__ would carry it.
        if failure == "UnicodeDecodeError":
            message = f"{self._path} is not UTF-8, so no secret can be read from it. Find the line: grep -naxv '.*' {self._path}"
        else:
            message = f"{self._path} cannot be read: {failure}. Look at its owner and mode: ls -l {self._path}"
        raise ConfigurationError(message, where=str(self._path))

    def _warn_if_open_to_others(self) -> None:
        if os.name == "posix" and stat.S_IMODE(self._path.stat().st_mode) & 0o077:
            text = f"{self._path} can be read by others than its owner; close it: chmod 600 {self._path}"
            warnings.warn(text, UserWarning, stacklevel=2)


def _in_environment(name: str) -> str | None:
    return next((value for spelling in variable_names(name) if (value := os.environ.get(spelling))), None)


def _yes_or_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    message = f"secrets: 'override' must be true or false, not {value!r}; write it without quotes"
    raise ConfigurationError(message, where="secrets.override")

"""Secret store that reads the environment and a ``.env`` file."""

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
    """Secrets from the environment, and from a ``.env`` file where the environment has none.

    Options: ``path`` or ``file_path`` (``./.env``), ``override`` or ``override_env`` (the file takes precedence over the
    environment). A missing file counts as empty. python-dotenv parses the file, without interpolation: a ``$`` in a key
    is a dollar sign.
    """

    id: ClassVar[str] = "modelmesh.dotenv.v1"
    options: ClassVar[Collection[str]] = ("path", "file_path", "override", "override_env")

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        options = self.config.options
        path = options.get("path") or options.get("file_path") or ".env"
        # A path that contains a reference such as ${env:…} arrives as a Secret, as every setting with a reference does.
        self._path = Path(path.reveal() if isinstance(path, Secret) else str(path)).expanduser()
        self._override = _boolean(options.get("override", options.get("override_env", False)))

    def tried(self, name: str) -> list[str]:
        """Return the sources of :meth:`get`, in order."""
        file = f"the file {self._path}{'' if os.path.isfile(self._path) else ' (which does not exist)'}"  # noqa: PTH113 - raises nothing
        return [file, *variable_names(name)] if self._override else [*variable_names(name), file]

    def _resolve(self, name: str) -> str | None:
        sources = (self._in_file, _in_environment) if self._override else (_in_environment, self._in_file)
        return next((value for source in sources if (value := source(name))), None)

    def _in_file(self, name: str) -> str | None:
        values = self._read()
        return next((value for spelling in variable_names(name) if (value := values.get(spelling))), None)

    def _read(self) -> dict[str, str | None]:
        # No cache here: only cache_ttl decides how old a value may be.
        failure = ""
        try:
            if not self._path.is_file():
                return {}
            self._warn_if_readable_by_others()
            return dict(dotenv_values(self._path, interpolate=False, encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            failure = type(error).__name__
        # Raised outside of the except block: a UnicodeDecodeError contains the bytes of the file, and __context__ would keep it.
        if failure == "UnicodeDecodeError":
            message = f"{self._path} is not UTF-8, and no secret can be read. To find the line: grep -naxv '.*' {self._path}"
        else:
            message = f"{self._path} cannot be read: {failure}. Check its owner and mode: ls -l {self._path}"
        raise ConfigurationError(message, where=str(self._path))

    def _warn_if_readable_by_others(self) -> None:
        if os.name == "posix" and stat.S_IMODE(self._path.stat().st_mode) & 0o077:
            text = f"{self._path} can be read by users other than its owner. Restrict it: chmod 600 {self._path}"
            warnings.warn(text, UserWarning, stacklevel=2)


def _in_environment(name: str) -> str | None:
    return next((value for spelling in variable_names(name) if (value := os.environ.get(spelling))), None)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    message = f"secrets: 'override' must be true or false, not {value!r}. Write it without quotes"
    raise ConfigurationError(message, where="secrets.override")

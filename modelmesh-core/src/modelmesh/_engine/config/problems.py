"""Collection of the problems of a configuration, so that one run reports all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from modelmesh._engine.config.source_map import KeyPath, SourceMap
from modelmesh.errors import ConfigurationError, ModelMeshError, combined_error_class

_PLACE = re.compile(r":(\d+):(\d+)(?=:|$)")


class UncheckableError(ConfigurationError):
    """A step cannot be checked because of another problem. Only the other problem is reported."""


class Problems:
    """Problems and notes. Each message begins with its position.

    Attributes:
        source_map: Position of each key.
        notes: Paths of keys without effect, with the reason.
    """

    def __init__(self, source_map: SourceMap) -> None:
        self.source_map = source_map
        self._found: list[tuple[str, ModelMeshError]] = []
        self.notes: dict[tuple[KeyPath, str], None] = {}

    def note(self, path: KeyPath, what: str) -> None:
        """Record that a key has no effect, for a ``NotEnforcedWarning``."""
        self.notes[path, what] = None

    def add(self, path: KeyPath, what: str) -> None:
        """Record a problem of a key."""
        where = self.source_map.where(path)
        self.add_error(ConfigurationError(f"{where}: {what}", where=where))

    def add_error(self, error: ModelMeshError, what: str = "") -> None:
        """Record a problem that was raised.

        Args:
            error: The problem.
            what: Step that raised the problem, e.g. ``provider 'openai'``.
        """
        del what
        if isinstance(error, UncheckableError):
            return
        for message, one in _split_error(error):
            if all(message != known for known, _ in self._found):
                self._found.append((message, one))

    def is_excused(self, what: str) -> bool:
        """Return whether a step failed only because this check must not send requests, and record it as unchecked."""
        del what
        return False

    @contextmanager
    def collecting(self, what: str = "") -> Iterator[None]:
        """Record the error that the block raises, and continue after the block."""
        try:
            yield
        except ModelMeshError as error:
            self.add_error(error, what)

    def record_move(self, path: KeyPath, written: KeyPath) -> None:
        """Record that the configuration wrote at ``written`` what the canonical form has at ``path``."""
        self.source_map.record_move(path, written)

    def __bool__(self) -> bool:
        return bool(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def messages(self) -> list[str]:
        """Every message, in the order of the file, or in order of detection for a dictionary."""
        return [message for message, _ in self._sorted()]

    def _sorted(self) -> list[tuple[str, ModelMeshError]]:
        return sorted(self._found, key=lambda one: _position(one[0], self.source_map.file))

    def error(self) -> ModelMeshError:
        """Return all problems as one error: the original error, or an error of every kind among them."""
        found = self._sorted()
        command = f" Check again with: modelmesh check {self.source_map.file}" if self.source_map.file else ""
        messages = [message for message, _ in found]
        if len(found) == 1:
            error = found[0][1]
            if type(error) is not ConfigurationError:
                return error
            return ConfigurationError(f"{_ended(messages[0])}{command}", where=error.where, details={"problems": messages})
        kind: type[ModelMeshError] = ConfigurationError
        for _, one in found:
            if issubclass(type(one), kind):
                kind = type(one)
            elif not issubclass(kind, type(one)):
                kind = combined_error_class(kind, type(one))
        text = f"{self.source_map.file or 'the configuration'} has {len(messages)} problems:\n  " + "\n  ".join(messages)
        where = next((one.where for _, one in found if isinstance(one, ConfigurationError) and one.where), None)
        return kind(f"{_ended(text)}{command}", where=where, details={"problems": messages})


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _split_error(error: ModelMeshError) -> list[tuple[str, ModelMeshError]]:
    """Return the separate problems of an error, or the error itself."""
    several = error.details.get("problems")
    if not several or len(several) == 1:
        return [(several[0] if several else error.message, error)]
    return [(message, ConfigurationError(message)) for message in several]


def _position(message: str, file: str | None) -> tuple[int, int]:
    match = _PLACE.match(message, len(file)) if file and message.startswith(file) else None
    return (int(match[1]), int(match[2])) if match else (0, 0)

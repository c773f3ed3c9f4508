"""Problems of a configuration, collected so that one run reports all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from modelmesh._engine.config.source_map import KeyPath, SourceMap
from modelmesh.errors import ConfigurationError, ModelMeshError, also

_PLACE = re.compile(r":(\d+):(\d+)(?=:|$)")


class UncheckableError(ConfigurationError):
    """A step cannot be checked because of a problem that is reported already; it is no problem of its own."""


class Problems:
    """Collects problems; each message begins with its place.

    Attributes:
        source_map: Where each key stands.
        notes: Keys that change nothing: their paths, and why.
    """

    def __init__(self, source_map: SourceMap) -> None:
        self.source_map = source_map
        self._found: list[tuple[str, ModelMeshError]] = []
        self.notes: dict[tuple[KeyPath, str], None] = {}

    def note(self, path: KeyPath, what: str) -> None:
        """Record that a key changes nothing, for a ``NotEnforcedWarning``."""
        self.notes[path, what] = None

    def add(self, path: KeyPath, what: str) -> None:
        """Record a problem of a key."""
        where = self.source_map.where(path)
        self.add_error(ConfigurationError(f"{where}: {what}", where=where))

    def add_error(self, error: ModelMeshError, what: str = "") -> None:
        """Record a problem that was raised.

        Args:
            error: The problem.
            what: The step that raised it, e.g. ``provider 'openai'``.
        """
        del what
        if isinstance(error, UncheckableError):
            return
        for message, one in _apart(error):
            if all(message != known for known, _ in self._found):
                self._found.append((message, one))

    def is_excused(self, what: str) -> bool:
        """Return whether a step failed only because this check may not send anything; it is recorded as unchecked."""
        del what
        return False

    @contextmanager
    def collecting(self, what: str = "") -> Iterator[None]:
        """Record what the block raises, and go on after it."""
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
        """Every message, in the order of the file; in order of discovery where there is no file."""
        return [message for message, _ in self._sorted()]

    def _sorted(self) -> list[tuple[str, ModelMeshError]]:
        return sorted(self._found, key=lambda one: _position(one[0], self.source_map.file))

    def error(self) -> ModelMeshError:
        """Return all problems as one error: the one that was raised, or an error of all their kinds."""
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
                kind = also(kind, type(one))
        text = f"{len(messages)} problems:\n  " + "\n  ".join(messages)
        where = next((one.where for _, one in found if isinstance(one, ConfigurationError) and one.where), None)
        return kind(f"{_ended(text)}{command}", where=where, details={"problems": messages})


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _apart(error: ModelMeshError) -> list[tuple[str, ModelMeshError]]:
    """Return the problems of an error that holds several, else the error itself."""
    several = error.details.get("problems")
    if not several or len(several) == 1:
        return [(several[0] if several else error.message, error)]
    return [(message, ConfigurationError(message)) for message in several]


def _position(message: str, file: str | None) -> tuple[int, int]:
    match = _PLACE.match(message, len(file)) if file and message.startswith(file) else None
    return (int(match[1]), int(match[2])) if match else (0, 0)

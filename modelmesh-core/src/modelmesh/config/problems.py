"""What is wrong with a configuration, gathered so that a person can mend all of it at once."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from modelmesh.config.locate import Path, Places
from modelmesh.errors import ConfigurationError


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or nothing when none is as near as ``cutoff``."""
    near = get_close_matches(name, [*known], n=1, cutoff=cutoff)
    return f" Did you mean {near[0]!r}?" if near else ""


class Problems:
    """Collects messages; each begins with the place it is about."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._found: list[tuple[str, str]] = []

    def add(self, path: Path, what: str) -> None:
        """Note that something is wrong at a key."""
        where = self._places.where(path)
        if (where, what) not in self._found:
            self._found.append((where, what))

    def listed(self, path: Path, place: Path) -> None:
        """Note that the entry at a place of a list goes by its key from here on."""
        self._places.also(path, place)

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def messages(self) -> list[str]:
        """Every message, in order of discovery."""
        return [f"{where}: {what}" for where, what in self._found]

    def error(self) -> ConfigurationError:
        """All of them as one error."""
        messages = self.messages
        text = messages[0] if len(messages) == 1 else f"{len(messages)} problems:\n  " + "\n  ".join(messages)
        command = f" Check again with: modelmesh check {self._places.file}" if self._places.file else ""
        return ConfigurationError(f"{text}.{command}", where=self._found[0][0], details={"problems": messages})

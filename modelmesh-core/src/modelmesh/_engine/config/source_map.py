"""Source map: position of every key in a configuration file."""

from __future__ import annotations

from attrs import field, frozen

KeyPath = tuple[str | int, ...]

_MAX_MOVES = 8
"""Limit of moves of one key, e.g. from a list to a map, out of a sub-section, and to another name."""


def format_path(path: KeyPath) -> str:
    """Format a path, e.g. ``pools.chat.models[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text


@frozen
class SourceMap:
    """Line and column of every key of one file. Empty for a configuration from a dictionary.

    Attributes:
        file: Path as the caller gave it.
        positions: ``(line, column)`` by path, both counted from 1.
        moves: Written path by canonical path, for keys that the normalizer moved or renamed.
    """

    file: str | None = None
    positions: dict[KeyPath, tuple[int, int]] = field(factory=dict, repr=False)
    moves: dict[KeyPath, KeyPath] = field(factory=dict, repr=False)

    def record_move(self, path: KeyPath, written: KeyPath) -> None:
        """Record that the configuration wrote at ``written`` what the canonical form has at ``path``."""
        if path != written:
            self.moves[path] = written

    def written_path(self, path: KeyPath) -> KeyPath:
        """Return the path as the user wrote it."""
        for _ in range(_MAX_MOVES):
            at = next((path[:length] for length in range(len(path), 0, -1) if path[:length] in self.moves), None)
            if at is None:
                break
            path = (*self.moves[at], *path[len(at) :])
        return path

    def where(self, path: KeyPath) -> str:
        """Return ``file:line:column path``, or the path alone. An absent key has the position of its nearest parent."""
        near = path = self.written_path(path)
        while near and near not in self.positions:
            near = near[:-1]
        if self.file is None:
            return format_path(path) or "configuration"
        line, column = self.positions.get(near, (1, 1))
        place = f"{self.file}:{line}:{column}"
        return f"{place}: {format_path(path)}" if path else place

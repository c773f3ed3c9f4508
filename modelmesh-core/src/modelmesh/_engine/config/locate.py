"""Where in a file a key stands."""

from __future__ import annotations

from attrs import field, frozen

Path = tuple[str | int, ...]

_MOST_MOVES = 8
"""A key moves from a list to a map, out of a sub-section, and to another name; no more than that."""


def dotted(path: Path) -> str:
    """Write a path as a person would: ``pools.chat.models[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text


@frozen
class Places:
    """Line and column of every key of one file; empty for a configuration that came as a dictionary.

    Attributes:
        file: Path as the caller gave it.
        marks: ``(line, column)`` by path, both counted from 1.
        moves: Written path by canonical path, for keys that the normalizer moved or renamed.
    """

    file: str | None = None
    marks: dict[Path, tuple[int, int]] = field(factory=dict, repr=False)
    moves: dict[Path, Path] = field(factory=dict, repr=False)

    def moved(self, path: Path, written: Path) -> None:
        """Record that the configuration wrote at ``written`` what the canonical form has at ``path``."""
        if path != written:
            self.moves[path] = written

    def written(self, path: Path) -> Path:
        """Return the path as the user wrote it."""
        for _ in range(_MOST_MOVES):
            at = next((path[:length] for length in range(len(path), 0, -1) if path[:length] in self.moves), None)
            if at is None:
                break
            path = (*self.moves[at], *path[len(at) :])
        return path

    def where(self, path: Path) -> str:
        """Return ``file:line:column path``, or the path alone; the nearest key above when the key itself is absent."""
        near = path = self.written(path)
        while near and near not in self.marks:
            near = near[:-1]
        if self.file is None:
            return dotted(path) or "configuration"
        line, column = self.marks.get(near, (1, 1))
        place = f"{self.file}:{line}:{column}"
        return f"{place}: {dotted(path)}" if path else place

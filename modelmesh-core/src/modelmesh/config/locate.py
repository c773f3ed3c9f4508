"""Where in a file a key stands."""

from __future__ import annotations

from attrs import field, frozen

Path = tuple[str | int, ...]


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
    """

    file: str | None = None
    marks: dict[Path, tuple[int, int]] = field(factory=dict, repr=False)

    def also(self, path: Path, listed: Path) -> None:
        """Note that what stands at ``listed``, in a list, goes by ``path`` from here on."""
        below = {(*path, *found[len(listed) :]): mark for found, mark in self.marks.items() if found[: len(listed)] == listed}
        self.marks.update(below)

    def where(self, path: Path) -> str:
        """Return ``file:line:column path``, or the path alone; the nearest key above when the key itself is absent."""
        near = path
        while near and near not in self.marks:
            near = near[:-1]
        if self.file is None:
            return dotted(path) or "configuration"
        line, column = self.marks.get(near, (1, 1))
        place = f"{self.file}:{line}:{column}"
        return f"{place}: {dotted(path)}" if path else place

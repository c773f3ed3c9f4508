"""Groups of rows."""

from __future__ import annotations

from dataclasses import dataclass

from row import Row


@dataclass(frozen=True)
class Group:
    """Rows with interleaved subjects.

    Attributes:
        id: A name that does not change.
        rows: The rows.
        fresh: Whether each round has new processes.
        longer: Factor of the length of a turn. Short bursts of many calls would mostly measure opening and closing connections.
    """

    id: str
    rows: tuple[Row, ...]
    fresh: bool = False
    longer: float = 1.0

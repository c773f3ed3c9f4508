"""Notes on the changes of a conversation, one line for each kind of change with its places."""

from __future__ import annotations

_SHOWN = 5


class Notes:
    """Collection of notes.

    Attributes:
        vendor: Name of the vendor in notes.
    """

    __slots__ = ("_places", "vendor")

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self._places: dict[str, list[str]] = {}

    def add(self, what: str, where: str = "") -> None:
        """Note a change.

        Args:
            what: The change, without its place.
            where: The place, such as ``messages[3]``.
        """
        places = self._places.setdefault(what, [])
        if where and where not in places:
            places.append(where)

    def lines(self) -> list[str]:
        """Return one line for each kind of change."""
        if not self._places:
            return []
        return [f"{what} ({_listed(places)})" if places else what for what, places in self._places.items()]


def _listed(places: list[str]) -> str:
    more = len(places) - _SHOWN
    return ", ".join(places[:_SHOWN]) + (f" and {more} more" if more > 0 else "")

"""A string that does not show itself."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn, final

HIDDEN = "…"


@final
class Secret:
    """Holds a key so that no repr, log line, format string or pickle can carry it.

    The text comes out through :meth:`reveal` only, which is easy to search for.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the text itself, for the one place that sends it."""
        return self.__text

    def scrub(self, text: str) -> str:
        """Return ``text`` with every occurrence of this secret blanked: vendors echo bad keys in error messages."""
        return text.replace(self.__text, HIDDEN) if len(self.__text) > 3 else text  # noqa: PLR2004 - too short to be a key

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__text.encode("utf-8", "surrogatepass"), other.__text.encode("utf-8", "surrogatepass"))

    def __hash__(self) -> int:
        return hash(self.__text)

    def __repr__(self) -> str:
        return f"Secret('{HIDDEN}')"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __reduce__(self) -> NoReturn:
        message = "a Secret cannot be pickled; send the name of the secret and resolve it at the other end"
        raise TypeError(message)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

"""Container of a key that keeps it out of messages and logs."""

from __future__ import annotations

from typing import Any, NoReturn, final

HIDDEN = "…"

SHORTEST = 4
"""Characters of the shortest text that is redacted. Redaction of shorter texts would make messages unreadable."""

PART = 12
"""Characters of a key that identify it. A vendor that truncates or upper-cases an echoed key still shows this many."""


@final
class Secret:
    """Contains a key. No repr, log line, format string or pickle shows it.

    Only :meth:`reveal` returns the text, which is easy to search for.

    Attributes:
        source: Source of the text: a variable's name or a place in the configuration. Messages may show it.
    """

    __slots__ = ("__blocks", "__text", "source")

    def __init__(self, text: str, *, source: str | None = None) -> None:
        self.__text = text
        self.__blocks: tuple[str, ...] | None = None
        self.source = source

    def reveal(self) -> str:
        """Return the text, for the code that sends it."""
        return self.__text

    def scrub(self, text: str) -> str:
        """Return ``text`` with this secret redacted, because vendors echo invalid keys in error messages.

        Parts of a long secret with :data:`PART` characters or more are redacted too, in upper or lower case.
        """
        if len(self.__text) < SHORTEST:
            return text
        text = text.replace(self.__text, HIDDEN)
        return self._without_parts(text) if len(self.__text) > PART else text

    def _without_parts(self, text: str) -> str:
        lowered = text.lower()
        if len(lowered) != len(text) or not any(block in lowered for block in self._blocks()):
            return text
        own = self.__text.lower()
        parts = {own[place : place + PART] for place in range(len(own) - PART + 1)}
        kept: list[str] = []
        place = redacted_to = 0
        while place < len(text):
            if lowered[place : place + PART] in parts:
                redacted_to = place + PART
            if place >= redacted_to:
                kept.append(text[place])
            elif not kept or kept[-1] != HIDDEN:
                kept.append(HIDDEN)
            place += 1
        return "".join(kept)

    def _blocks(self) -> tuple[str, ...]:
        """Return adjacent blocks of the text. Every part of :data:`PART` characters contains a whole block."""
        if self.__blocks is None:
            own, size = self.__text.lower(), PART // 2
            self.__blocks = tuple(own[place : place + size] for place in range(0, len(own) - size + 1, size))
        return self.__blocks

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac  # noqa: PLC0415 - imports OpenSSL, which few programs need here

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
        message = "a Secret cannot be pickled. Send the name of the secret, and resolve it in the other process"
        raise TypeError(message)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

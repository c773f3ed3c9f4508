"""How a key is written as the name of an object, so that nothing on the way takes it for a path."""

from __future__ import annotations

from urllib.parse import quote


def object_name(key: str) -> str:
    """Return the name: letters, digits, ``-``, ``_``, ``~`` and ``/`` between names as they are, the rest with per cent signs.

    A ``.`` that begins a part and a ``/`` that nothing stands before or after are written so too: servers and tools
    take ``..`` and ``//`` for steps of a path.
    """
    name = "".join(_shown(character, key[place - 1] if place else "/") for place, character in enumerate(key))
    return name[:-1] + "%2F" if name.endswith("/") else name


def beginning(prefix: str) -> str:
    """Return how the name of every key with a prefix begins."""
    return object_name(prefix.rstrip("/"))


def _shown(character: str, before: str) -> str:
    if before == "/" and character in "/.":
        return "%2F" if character == "/" else "%2E"
    return quote(character, safe="/")

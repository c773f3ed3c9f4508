"""Names of S3 objects, encoded so that no server or tool interprets a key as a path."""

from __future__ import annotations

from urllib.parse import quote


def object_name(key: str) -> str:
    """Return the object name of a key, percent-encoded except for letters, digits, ``-``, ``_``, ``~``, ``.`` and ``/``.

    A ``.`` at the start of a part, and a ``/`` at the start, at the end or after another ``/``, are encoded too, because
    servers and tools interpret ``..`` and ``//`` as path steps.
    """
    name = "".join(_encode(character, key[place - 1] if place else "/") for place, character in enumerate(key))
    return name[:-1] + "%2F" if name.endswith("/") else name


def name_prefix(prefix: str) -> str:
    """Return the common beginning of the object names of all keys with a prefix."""
    return object_name(prefix.rstrip("/"))


def _encode(character: str, before: str) -> str:
    if before == "/" and character in "/.":
        return "%2F" if character == "/" else "%2E"
    return quote(character, safe="/")

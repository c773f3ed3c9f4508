"""Text from outside, made fit for one line of a terminal."""

from __future__ import annotations

from functools import lru_cache

from modelmesh_cdk.base_observability import REDACTED, redact


def plain(value: object) -> str:
    """Return one line without control characters: a model name from outside must not draw on the terminal."""
    text = str(value)
    return text if text.isprintable() else "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in text)


def pair(name: str, value: object, *, blank: bool) -> str:
    """Return ``name=value``; with ``blank``, without the value when the name is that of a secret."""
    return f"{plain(name)}={REDACTED if blank and _is_of_a_secret(name) and isinstance(value, str) else plain(value)}"


@lru_cache(maxsize=256)
def _is_of_a_secret(name: str) -> bool:
    # The kit knows the names, but looks for them before quoted values only; on a terminal values have no quotes.
    return REDACTED in redact(f"{name}='…'")

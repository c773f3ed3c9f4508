"""Text from outside, made fit for one line of a terminal."""

from __future__ import annotations

from modelmesh_cdk.observability.redaction import REDACTED, names_a_secret


def plain(value: object) -> str:
    """Return one line without control characters: a model name from outside must not draw on the terminal."""
    text = str(value)
    return text if text.isprintable() else "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in text)


def pair(name: str, value: object, *, blank: bool) -> str:
    """Return ``name=value``; with ``blank``, without the value when the name is that of a secret."""
    return f"{plain(name)}={REDACTED if blank and names_a_secret(name) and isinstance(value, str) else plain(value)}"

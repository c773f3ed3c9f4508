"""Conversion of untrusted text to one printable line."""

from __future__ import annotations

from modelmesh_cdk import REDACTED, names_a_secret


def plain(value: object) -> str:
    """Return a value as one line without control characters, so that untrusted text cannot draw on the terminal."""
    text = str(value)
    return text if text.isprintable() else "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def pair(name: str, value: object, *, redact: bool) -> str:
    """Return ``name=value``. With ``redact``, the value of a secret name is replaced."""
    return f"{plain(name)}={REDACTED if redact and names_a_secret(name) and isinstance(value, str) else plain(value)}"

"""Text of tokens and its digest."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "mm-"
"""Beginning of every token that ModelMesh makes, so that scanners for leaked keys recognize one."""

SECRET_BYTES = 32
"""Random bytes of a token."""


def new_id() -> str:
    """Return a new ID of a token. It is not secret."""
    return secrets.token_hex(6)


def new_text(token_id: str) -> str:
    """Return the text of a new token: the prefix, its ID and 256 random bits."""
    return f"{PREFIX}{token_id}-{secrets.token_urlsafe(SECRET_BYTES)}"


def digest_of(text: str) -> bytes:
    """Return the SHA-256 digest of a token. A random token needs no slow hash: it cannot be guessed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

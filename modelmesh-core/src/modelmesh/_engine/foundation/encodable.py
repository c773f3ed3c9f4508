"""Check whether standard output can encode a text."""

from __future__ import annotations

import sys


def is_encodable(text: str) -> bool:
    """Return whether standard output can encode a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True

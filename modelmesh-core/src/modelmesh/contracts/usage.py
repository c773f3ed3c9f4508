"""Token counts that a vendor reports."""

from __future__ import annotations

from typing import Any

MAX_TOKENS_PER_REQUEST = 10**12
"""Upper bound of a plausible token count. No model reads or writes as many tokens in one request."""


def reported_tokens(value: Any) -> int | None:
    """Return a token count as the vendor reported it, ``None`` if the value is not a plausible count."""
    if value.__class__ is not int and (not isinstance(value, int) or isinstance(value, bool)):
        return None
    return value if 0 <= value <= MAX_TOKENS_PER_REQUEST else None

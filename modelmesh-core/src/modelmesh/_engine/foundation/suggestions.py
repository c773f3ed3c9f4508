"""Suggestions for misspelt names in error messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return `` Did you mean 'x'?`` for the most similar known name, or an empty text when no similarity reaches ``cutoff``."""
    near = get_close_matches(name, [*known], n=1, cutoff=cutoff)
    return f" Did you mean {near[0]!r}?" if near else ""

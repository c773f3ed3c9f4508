"""Markdown tables and inline code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Sequence[str]) -> str:
    """Return a table of these headings and finished rows."""
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *rows]) + "\n"


def codes(words: Iterable[str]) -> str:
    """Return a list of words, each as inline code."""
    return ", ".join(f"`{word}`" for word in words)

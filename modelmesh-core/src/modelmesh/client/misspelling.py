"""Detection of misspelled parameters. A misspelled name travels to the vendor, which may ignore it without an error."""

from __future__ import annotations

from collections.abc import Iterable

from modelmesh._engine.foundation.notices import warn
from modelmesh.client.extras import wrong

VENDOR_PARAMETERS = frozenset({"inputs", "min_tokens", "mode", "models", "speed", "top_a", "top_k"})
"""Parameters of other vendors that resemble one of OpenAI's (Anthropic, Cohere, OpenRouter, vLLM, read 2026-11-30)."""

SHORTEST_NAME = 4
"""Length of the shortest name that is compared. Shorter names resemble each other by chance."""

_warned: set[str] = set()


class MisspelledParameterWarning(UserWarning):
    """A parameter of a call resembles a known one. It was sent to the vendor as given."""


def check_unknown(unknown: Iterable[str], known: frozenset[str], *, strict: bool) -> None:
    """Warn about unknown parameter names, or reject them.

    Args:
        unknown: The names.
        known: The known names of the operation.
        strict: Whether an unknown name is an error.

    Raises:
        BadRequestError: ``strict`` is set.
    """
    for name in unknown:
        if strict:
            near = closest(name, known)
            hint = f" Did you mean {near!r}?" if near else ""
            why = f"unknown parameter {name!r}.{hint} A vendor's own parameter goes into extra_body"
            raise wrong(why)
        if name in _warned:
            continue
        near = closest(name, known)
        _warned.add(name)
        if near is not None:
            warn(
                f"unknown parameter {name!r}: it is sent as given. Did you mean {near!r}? "
                "If it is the vendor's own, pass it in extra_body.",
                MisspelledParameterWarning,
            )


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelled one most probably means, ``None`` when none is close."""
    if len(name) < SHORTEST_NAME or name in VENDOR_PARAMETERS:
        return None
    limit = 1 if len(name) <= SHORTEST_NAME + 1 else 2
    rows = sorted((_distance(name, one), one) for one in known if len(one) >= SHORTEST_NAME)
    return rows[0][1] if rows and rows[0][0] <= limit else None


def _distance(left: str, right: str) -> int:
    """Return the number of insertions, deletions, substitutions and swaps of neighbours between two names."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]

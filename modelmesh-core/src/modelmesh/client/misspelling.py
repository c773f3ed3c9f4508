"""Detection of misspelled parameters. A misspelled name travels to the vendor, which may ignore it without an error."""

from __future__ import annotations

from collections.abc import Iterable

from modelmesh._engine.foundation.bad_requests import bad_request_error
from modelmesh._engine.foundation.notices import warn
from modelmesh._engine.foundation.suggestions import most_similar, suggestion

VENDOR_PARAMETERS = frozenset({"inputs", "min_tokens", "mode", "models", "reasoning_format", "speed", "top_a", "top_k"})
"""Parameters of other vendors that resemble one of OpenAI's (Anthropic, Cohere, Groq, OpenRouter, vLLM, read 2026-11-30)."""

SHORTEST_NAME = 4
"""Length of the shortest name that is compared. Shorter names resemble each other by chance."""

MAX_LENGTH_DIFFERENCE = 2
"""Maximum number of extra or missing letters. ``max_new_tokens`` is not a misspelled ``max_tokens``."""

MIN_SIMILARITY = 0.8
"""Least similarity of a misspelled name to the known one: one wrong letter of five."""

MAX_COMPARED_NAMES = 1000
"""Number of unknown names that a process compares. The set stays small when callers pass arbitrary names."""

_compared: set[str] = set()


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
            why = f"unknown parameter {name!r}.{suggestion(closest(name, known))} A vendor's own parameter goes into extra_body"
            raise bad_request_error(why)
        if name in _compared or len(_compared) >= MAX_COMPARED_NAMES:
            continue
        near = closest(name, known)
        _compared.add(name)
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
    comparable = [one for one in known if len(one) >= SHORTEST_NAME and abs(len(one) - len(name)) <= MAX_LENGTH_DIFFERENCE]
    return most_similar(name, comparable, MIN_SIMILARITY)

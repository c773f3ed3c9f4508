"""Scripted behavior of an in-process model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Event

from attrs import define, field


@define(eq=False)
class Turn:
    """Scripted response of a model. Every request gets the same.

    Attributes:
        words: Deltas of the text, in order.
        finish: OpenAI's finish reason. ``None`` ends the response without one.
        usage: Token counts under OpenAI's names. ``None`` reports none.
        error: Exception that the engine raises after the deltas.
        endless: Whether the engine continues without output after the deltas until it is stopped.
        stopped: Event that the engine sets when it was stopped.
    """

    words: Sequence[str] = ("Hel", "lo ", "🌍!\n")
    finish: str | None = "stop"
    usage: Mapping[str, int] | None = field(factory=lambda: {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14})
    error: Exception | None = None
    endless: bool = False
    stopped: Event = field(factory=Event, repr=False)

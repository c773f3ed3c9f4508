"""What a model in process is to do when it is asked, written down by a check and played by a stand-in of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Event

from attrs import define, field


@define(eq=False)
class Turn:
    """One answer of the model; every request gets the same.

    Attributes:
        words: The pieces of the text, in order.
        finish: Why it stops, in OpenAI's word; ``None`` ends it without a reason.
        usage: Tokens under OpenAI's names; ``None`` says nothing of them.
        error: Raised by the engine after the words, in place of an end.
        endless: After the words the engine works on without a word until it is told to stop.
        stopped: To be set when an endless engine has stopped because it was told to.
    """

    words: Sequence[str] = ("Hel", "lo ", "🌍!\n")
    finish: str | None = "stop"
    usage: Mapping[str, int] | None = field(factory=lambda: {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14})
    error: Exception | None = None
    endless: bool = False
    stopped: Event = field(factory=Event, repr=False)

"""One request to one vendor, as a connector's hooks see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call


class WireRequest:
    """The call, the model it is for, and a place to note what had to be adapted.

    The call's parameters are attributes: ``request.messages``, ``request.temperature``; ``None`` when not given.

    Attributes:
        call: The request; shared with other attempts, so never change it.
        model: The vendor's name of the model.
        payload: The call's parameters in OpenAI's shape; shared as well.
        stream: Whether events are wanted.
        adapted: What was dropped or renamed for this vendor, one line each; add to it.
        harmless: Those of these lines that a strict pool accepts, because nothing that the caller asked for is lost.
        usage_asked: Whether the body asks for the usage of a stream.
        usage_refused: Whether the server refused to be asked for it.
    """

    __slots__ = ("adapted", "call", "harmless", "model", "payload", "stream", "usage_asked", "usage_refused")

    def __init__(self, call: Call, model: str, *, usage_refused: bool = False) -> None:
        self.call = call
        self.model = model
        self.payload = call.payload
        self.stream = call.stream
        self.adapted: list[str] = []
        self.usage_asked = False
        self.usage_refused = usage_refused
        self.harmless: set[str] = set()

    def note_harmless(self, line: str) -> None:
        """Note a change by which nothing that the caller asked for is lost, such as a parameter that the vendor requires."""
        self.adapted.append(line)
        self.harmless.add(line)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.payload.get(name)

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
    """

    __slots__ = ("adapted", "call", "model", "payload", "stream")

    def __init__(self, call: Call, model: str) -> None:
        self.call = call
        self.model = model
        self.payload = call.payload
        self.stream = call.stream
        self.adapted: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.payload.get(name)

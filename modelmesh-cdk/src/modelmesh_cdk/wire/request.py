"""One request to one vendor, for the hooks of a connector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call


class WireRequest:
    """A call, its model, and a list of adaptations.

    The call's parameters are attributes: ``request.messages``, ``request.temperature``. Missing parameters are ``None``.

    Attributes:
        call: The call. Attempts share it, so never change it.
        model: The vendor's name of the model.
        payload: The call's parameters in OpenAI's format. Attempts share it, so never change it.
        stream: Whether the call asks for a stream.
        method: HTTP method, by default that of the operation.
        adapted: Parameters that were dropped, renamed or converted for this vendor, one line each. Hooks add to it.
        harmless: The lines of ``adapted`` that a strict pool accepts, because the request loses nothing.
        usage_asked: Whether the body asks for stream usage.
        usage_refused: Whether the server rejected the option for stream usage.
        base64_asked: Whether the body asks for base64 embeddings although the caller did not.
        base64_refused: Whether the server rejected or ignored such a request before.
        base64_unusable: Whether the response to such a request has no vectors that can be read.
    """

    __slots__ = (
        "adapted",
        "base64_asked",
        "base64_refused",
        "base64_unusable",
        "call",
        "harmless",
        "method",
        "model",
        "payload",
        "stream",
        "usage_asked",
        "usage_refused",
    )

    def __init__(self, call: Call, model: str, *, usage_refused: bool = False, base64_refused: bool = False) -> None:
        self.call = call
        self.model = model
        self.payload = call.payload
        self.stream = call.stream
        self.method = call.operation.method
        self.adapted: list[str] = []
        self.usage_asked = False
        self.usage_refused = usage_refused
        self.base64_asked = False
        self.base64_refused = base64_refused
        self.base64_unusable = False
        self.harmless: set[str] = set()

    def note_harmless(self, line: str) -> None:
        """Record a change without loss, such as an additional parameter that the vendor requires."""
        self.adapted.append(line)
        self.harmless.add(line)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.payload.get(name)

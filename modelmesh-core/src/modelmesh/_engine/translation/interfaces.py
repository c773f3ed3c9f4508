"""Interface of a translation."""

from __future__ import annotations

from typing import Any, Protocol

from attrs import define, field

from modelmesh.contracts.call import Call


@define
class ChatTranslation:
    """A request as a chat completion.

    Attributes:
        payload: Body of the chat completion.
        lost: Parts of the request without a counterpart, one line each. A native provider receives them.
        native_only: Why only a provider with the native operation can serve the request. Empty for a request that a chat
            completion can represent.
        account: Key of the provider that owns state to which the request refers, ``None`` without such a reference.
        native: Body for a provider with the native operation: without the suffix of qualified IDs, and without the parts that
            only a translated answer contains.
        output_limit: The caller's limit of output tokens, which ``payload`` contains as ``max_tokens``. A connector may rename
            the parameter, as with :attr:`.Call.output_limit`.
    """

    payload: dict[str, Any]
    lost: list[str] = field(factory=list)
    native_only: str = ""
    account: str | None = None
    native: dict[str, Any] = field(factory=dict)
    output_limit: int | None = None


class StreamTranslation(Protocol):
    """Translation of one stream of chat chunks."""

    def feed(self, chunk: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the items that a chunk adds to the stream, possibly none."""
        ...

    def end(self) -> list[dict[str, Any]]:
        """Return the items after the last chunk of a complete stream."""
        ...

    def fail(self, error: Exception) -> list[dict[str, Any]]:
        """Return the items that report an interruption. They end the stream."""
        ...


class Translation(Protocol):
    """Translation of one operation."""

    operation: str

    def to_chat(self, call: Call) -> ChatTranslation:
        """Translate a request.

        Args:
            call: The caller's request, which is not changed.

        Raises:
            BadRequestError: Neither a chat completion nor a native provider can represent the request.
        """
        ...

    def from_chat(self, body: dict[str, Any], call: Call) -> dict[str, Any]:
        """Translate a complete chat answer.

        Args:
            body: The answer, which is not changed.
            call: The caller's request, or the chat call whose ``native`` is that request.
        """
        ...

    def stream(self, call: Call) -> StreamTranslation:
        """Return the translation of one stream. ``call`` is as in :meth:`from_chat`."""
        ...

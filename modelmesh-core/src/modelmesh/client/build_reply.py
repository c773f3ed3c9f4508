"""Construction of replies from vendors' answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelmesh._engine.mesh.answer_bodies import complete_body
from modelmesh.client.history import LiveHistory
from modelmesh.client.replies import Reply

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call


def build_reply(shape: Any, served: Any, call: Call, clock: Callable[[], float]) -> Any:
    """Return the reply of a complete answer.

    Args:
        shape: Class of a JSON reply.
        served: The answer.
        call: The request.
        clock: Returns monotonic time in seconds.

    Returns:
        A reply of that class, whose ``model`` is the real model. A text or bytes for an answer that is not JSON.
    """
    body, history = served.outcome.body, LiveHistory(served, call, clock)
    if isinstance(body, dict):
        return shape(complete_body(body, served, call), history)
    from modelmesh.client.binary import BinaryReply, TextReply  # noqa: PLC0415 - of audio and files only

    if isinstance(body, bytes | bytearray | memoryview):
        return BinaryReply(bytes(body), history)
    return TextReply(body, history) if isinstance(body, str) else Reply({"data": body}, history)

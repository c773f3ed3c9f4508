"""Construction of replies from vendors' answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.client.history import LiveHistory
from modelmesh.client.replies import Reply
from modelmesh.contracts.conversation import tag_answer
from modelmesh.contracts.operations import CHAT, EMBEDDINGS, OperationScope

if TYPE_CHECKING:
    from modelmesh._engine import translation
    from modelmesh.contracts.call import Call
else:  # of translated operations only
    translation = LazyModule(globals(), "translation", "modelmesh._engine.translation")


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
    if not isinstance(body, dict):
        return _build_other(body, history)
    if served.sent.operation is CHAT:
        _complete_chat(body, served)
        if call.operation is not CHAT:  # the vendor answered a chat completion in place of the caller's operation
            body = translation.TRANSLATIONS[call.operation.name].from_chat(body, call)
        return shape(body, history)
    if call.operation.scope is OperationScope.MODEL and "model" in shape._known:  # noqa: SLF001 - the declared fields
        body["model"] = served.candidate.model_id
    if call.operation is EMBEDDINGS:
        body.setdefault("object", "list")
    elif "created" in shape._known and not body.get("created"):  # noqa: SLF001
        body["created"] = int(time.time())
    return shape(body, history)


def _complete_chat(body: dict[str, Any], served: Any) -> None:
    """Set the fields of a chat completion that some vendors omit, and its real model."""
    body["model"] = served.candidate.model_id
    body.setdefault("object", "chat.completion")
    tag_answer(body, served.candidate.provider.id)
    for choice in body.get("choices") or ():
        if isinstance(choice, dict) and isinstance(choice.get("message"), dict):
            choice["message"].setdefault("content", None)  # as OpenAI does. Some vendors omit it in messages with tool calls
    if not body.get("created"):
        body["created"] = int(time.time())


def _build_other(body: Any, history: LiveHistory) -> Any:
    from modelmesh.client.binary import BinaryReply, TextReply  # noqa: PLC0415 - of audio and files only

    if isinstance(body, bytes | bytearray | memoryview):
        return BinaryReply(bytes(body), history)
    return TextReply(body, history) if isinstance(body, str) else Reply({"data": body}, history)

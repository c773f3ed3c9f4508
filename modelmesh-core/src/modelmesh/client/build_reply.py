"""Construction of replies from vendors' answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from modelmesh.client.history import LiveHistory
from modelmesh.client.replies import ChatCompletion, Reply
from modelmesh.contracts.conversation import tag_answer

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call

ReplyT = TypeVar("ReplyT", bound=Reply)


def build_reply(shape: type[ReplyT], served: Any, call: Call, clock: Callable[[], float]) -> ReplyT:
    """Return the reply of a complete answer. Its ``model`` is the real model."""
    body = served.outcome.body
    body["model"] = served.candidate.model_id
    if shape is ChatCompletion:
        body.setdefault("object", "chat.completion")
        tag_answer(body, served.candidate.provider.id)
        for choice in body.get("choices") or ():
            if isinstance(choice, dict) and isinstance(choice.get("message"), dict):
                choice["message"].setdefault("content", None)  # as OpenAI does. Some vendors omit it in messages with tool calls
        if not body.get("created"):
            body["created"] = int(time.time())
    else:
        body.setdefault("object", "list")
    return shape(body, LiveHistory(served, call, clock))

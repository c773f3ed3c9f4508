"""JSON bodies of answers: complete, and in the format of the caller's operation."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.contracts.conversation import has_vendor_fields, tag_answer
from modelmesh.contracts.operations import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    IMAGE_EDITS,
    IMAGES,
    MESSAGES,
    MODERATIONS,
    RERANK,
    RESPONSES,
    OperationScope,
)

if TYPE_CHECKING:
    from modelmesh._engine import translation
    from modelmesh._engine.routing.steps import Served
    from modelmesh.contracts.call import Call
else:  # of translated operations only
    translation = LazyModule(globals(), "translation", "modelmesh._engine.translation")

_WITH_MODEL = frozenset(row.name for row in (COMPLETIONS, EMBEDDINGS, MESSAGES, MODERATIONS, RERANK, RESPONSES))
"""Operations whose replies always have ``model``."""

_WITH_TIME = frozenset(row.name for row in (COMPLETIONS, IMAGES, IMAGE_EDITS))
"""Operations whose replies always have ``created``."""


def is_translated(served: Served, call: Call) -> bool:
    """Return whether the vendor answers a chat completion in place of the operation of the caller."""
    return call.operation.translates and served.sent.operation is CHAT


def complete_body(body: dict[str, Any], served: Served, call: Call) -> dict[str, Any]:
    """Return a JSON answer with the real model and the fields of OpenAI that some vendors omit.

    Args:
        body: The vendor's answer in OpenAI's format. It is changed.
        served: The answer with its candidate.
        call: The caller's request. A chat completion that answers another operation is translated to that operation.
    """
    operation = call.operation
    if served.sent.operation is CHAT:
        _complete_chat(body, served)
        return translation.TRANSLATIONS[operation.name].from_chat(body, call) if operation.translates else body
    if operation.name in _WITH_MODEL or (operation.scope is OperationScope.MODEL and "model" in body):
        body["model"] = served.candidate.model_id
    if operation is EMBEDDINGS:
        body.setdefault("object", "list")
    elif operation.name in _WITH_TIME and not body.get("created"):
        body["created"] = int(time.time())
    return body


def is_complete_chat(body: dict[str, Any]) -> bool:
    """Return whether :func:`complete_body` changes nothing but the model of a chat completion."""
    if not body.get("created") or "object" not in body or body.get("model").__class__ is not str:
        return False
    for choice in body["choices"]:
        message = choice["message"]
        if "content" not in message or has_vendor_fields(message):
            return False
    return True


def _complete_chat(body: dict[str, Any], served: Served) -> None:
    body["model"] = served.candidate.model_id
    body.setdefault("object", "chat.completion")
    tag_answer(body, served.candidate.provider.id)
    for choice in body["choices"]:
        choice["message"].setdefault("content", None)  # as OpenAI does. Some vendors omit it in messages with tool calls
    if not body.get("created"):
        body["created"] = int(time.time())

"""What an answer must have to be one, and what it says it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError
from modelmesh.operations import EMBEDDINGS, ReplyKind
from modelmesh.routing import verdicts
from modelmesh.routing.vectors import reject_vectors

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call


def check_answer(call: Call, answer: Answer) -> Answer | ProviderError:
    """Return the answer, or the failure that an invalid one is."""
    operation = call.operation
    if operation.reply is ReplyKind.BYTES:
        return answer if answer.body else verdicts.no_answer("an empty body")
    usage = usage_of(answer.body)
    if not isinstance(answer.body, dict):
        return verdicts.no_answer("not a JSON object")
    for key in operation.required:
        value = answer.body.get(key)
        if not value:
            return verdicts.no_answer(f"{key!r} is empty or missing", usage)
        if isinstance(value, list) and not isinstance(value[0], dict):
            return verdicts.no_answer(f"{key!r} holds no objects", usage)
    if operation.name == EMBEDDINGS.name:
        why = reject_vectors(call.payload, answer.body["data"])
        if why is not None:
            return verdicts.no_answer(why, usage)
    return answer


def usage_of(body: Any) -> dict[str, Any] | None:
    """Return the usage a vendor reported, ``None`` when it did not."""
    usage = body.get("usage") if isinstance(body, dict) else None
    return usage if isinstance(usage, dict) else None

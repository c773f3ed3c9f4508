"""Validation of complete answers: the types of the parts that the mesh or the caller relies on.

Chat completions and embeddings are checked here, the other operations in :mod:`.other_answers`.
An invalid part is a failure of the vendor, not of the connector, and the request fails over to the next candidate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.message_check import InvalidPart, check_message, finish_reason, wrong_type
from modelmesh._engine.routing.usage_check import valid_usage
from modelmesh._engine.routing.vector_check import reject_vectors
from modelmesh.contracts.call import Call
from modelmesh.contracts.operations import CHAT, EMBEDDINGS, Operation
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError

if TYPE_CHECKING:
    from modelmesh._engine.routing import other_answers
else:  # a chat completion does not need it
    other_answers = LazyModule(globals(), "other_answers", "modelmesh._engine.routing.other_answers")


def check_answer(call: Call, answer: Answer, provider_id: str = "") -> Answer | ProviderError:
    """Return a valid answer, or the error for an invalid one.

    Args:
        call: The call that was sent.
        answer: The answer. Invalid usage and parts that can be converted are replaced in a copy, and embeddings are sorted.
        provider_id: Account that answered. It qualifies the IDs of resources.
    """
    operation, body = call.operation, answer.body
    if body.__class__ is not dict or operation.name not in _CHECKED_HERE:
        return other_answers.check_answer(call, answer, provider_id)
    reported = body.get("usage")
    usage = valid_usage(reported)
    try:
        changed = _checked(operation, answer, call.payload)
    except InvalidPart as fault:
        return final_errors.bad_response(str(fault), usage)
    if usage is not reported:
        changed["usage"] = usage
    return evolve(answer, body={**body, **changed}, raw=None) if changed else answer


_CHECKED_HERE = frozenset({CHAT.name, EMBEDDINGS.name})


def _checked(operation: Operation, answer: Answer, payload: dict[str, Any]) -> dict[str, Any]:
    """Return the replaced parts of a body.

    Raises:
        InvalidPart: The answer is invalid.
    """
    body = answer.body
    for key in operation.required_keys:
        value = body.get(key)
        if not value:
            fault = f"{key!r} is empty or missing"
            raise InvalidPart(fault)
    if operation.name == CHAT.name:
        return _checked_chat(body, payload)
    _check_embeddings(answer, payload)
    return {}


def _check_embeddings(answer: Answer, payload: dict[str, Any]) -> None:
    rows = answer.body["data"]
    fault = reject_vectors(payload, rows, checked=answer.vectors_checked)
    if fault is not None:
        raise InvalidPart(fault)
    if payload.get("encoding_format") in (None, "float") and any(isinstance(row.get("embedding"), str) for row in rows):
        raise InvalidPart("an embedding is text, but the request requires numbers")


def _checked_chat(body: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    choices = body["choices"]
    if not isinstance(choices, list):
        raise wrong_type("'choices'", choices, "a list")
    checked, tools, is_changed = [], payload.get("tools"), False
    for choice in choices:
        one = _checked_choice(choice, tools)
        is_changed = is_changed or one is not choice
        checked.append(one)
    return {"choices": checked} if is_changed else {}


def _checked_choice(choice: Any, tools: Any) -> dict[str, Any]:
    if not isinstance(choice, dict):
        raise InvalidPart("'choices' is not a list of objects")
    index = choice.get("index")
    if index is not None and (index.__class__ is not int or index < 0):
        raise InvalidPart("the index of a choice is not a non-negative integer")
    reason = finish_reason(choice)
    if reason is None:
        raise InvalidPart("a choice has no finish reason")
    message = choice.get("message")
    checked = check_message(message, reason, tools)
    return choice if checked is message or checked == message else {**choice, "message": checked}

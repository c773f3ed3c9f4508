"""Validation of the complete answers of every operation but chat completions and embeddings.

An invalid part is a failure of the vendor, and the request fails over to the next candidate. Parts that neither the mesh nor a
client relies on pass unchecked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from attrs import evolve

from modelmesh._engine.foundation.resource_ids import qualify_fields
from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.event_failures import event_failure
from modelmesh._engine.routing.message_check import InvalidPart, finish_reason, kind_of, wrong_type
from modelmesh._engine.routing.reasoning_items import qualify_output
from modelmesh._engine.routing.reported_usage import in_chat_format
from modelmesh._engine.routing.usage_check import valid_usage
from modelmesh.contracts import operations
from modelmesh.contracts.call import Call
from modelmesh.contracts.operations import Operation, OperationScope, ReplyKind
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError

TEXT_FORMATS = frozenset({"text", "srt", "vtt"})
"""Response formats of a transcription whose answer is text."""


def check_answer(call: Call, answer: Answer, provider_id: str) -> Answer | ProviderError:
    """Return a valid answer, or the error for an invalid one.

    Args:
        call: The call that was sent.
        answer: The answer.
        provider_id: Account that answered. It qualifies the IDs of resources.
    """
    operation = call.operation
    if operation.reply is ReplyKind.BYTES:
        return _checked_bytes(operation, answer)
    try:
        answer = _converted(call, answer)
        body = answer.body
        if body.__class__ is not dict:
            is_text = isinstance(body, str) and operation.name in _TRANSCRIBES
            return answer if is_text else final_errors.bad_response("not a JSON object")
        if body.get("error") and not body.keys() & set(operation.required_keys):
            return event_failure(body)
        _check_body(operation, body, call.payload)
    except InvalidPart as fault:
        reported = answer.body.get("usage") if isinstance(answer.body, dict) else None
        return final_errors.bad_response(str(fault), in_chat_format(operation, reported))
    if operation.name == operations.RESPONSES.name and body.get("status") == "failed":
        return event_failure(body)
    return evolve(answer, body=_completed(operation, body, provider_id))


def _checked_bytes(operation: Operation, answer: Answer) -> Answer | ProviderError:
    body = answer.body
    if not isinstance(body, bytes | bytearray | memoryview):
        return final_errors.bad_response(f"its body is {kind_of(body)}, not bytes")
    if not len(body) and operation.scope is OperationScope.MODEL:
        return final_errors.bad_response("an empty body")
    return answer


def _converted(call: Call, answer: Answer) -> Answer:
    """Return a transcription in the form that the request asks for: text or an object."""
    if call.operation.name not in _TRANSCRIBES:
        return answer
    wanted, body = call.payload.get("response_format"), answer.body
    if wanted in TEXT_FORMATS:
        if isinstance(body, dict):
            text = body.get("text")
            if wanted != "text" or not isinstance(text, str):
                fault = f"its transcription is an object, not {wanted}"
                raise InvalidPart(fault)
            return evolve(answer, body=text)
        return answer
    if isinstance(body, str):
        if wanted not in (None, "json"):
            fault = f"its transcription is text, not {wanted}"
            raise InvalidPart(fault)
        return evolve(answer, body={"text": body})
    return answer


_TRANSCRIBES = frozenset({operations.TRANSCRIPTIONS.name, operations.TRANSLATIONS.name})


def _check_body(operation: Operation, body: dict[str, Any], payload: Mapping[str, Any]) -> None:
    """Check the parts of a body.

    Raises:
        InvalidPart: A part is missing or of the wrong type.
    """
    lists = () if operation.name in _TRANSCRIBES else operation.required_keys  # silence is an empty text
    for key in lists:
        value = body.get(key)
        if value is None or (not value and operation.name not in _MAY_BE_EMPTY and operation.scope is OperationScope.MODEL):
            fault = f"{key!r} is empty or missing"
            raise InvalidPart(fault)
        if not isinstance(value, list):
            raise wrong_type(repr(key), value, "a list")
        if not all(isinstance(one, dict) for one in value):
            fault = f"{key!r} is not a list of objects"
            raise InvalidPart(fault)
    check, compare = _CHECKS.get(operation.name), _COMPARISONS.get(operation.name)
    if check is not None:
        check(body)
    if compare is not None:
        compare(body, payload)
    if not body:
        raise InvalidPart("its answer is an empty object")
    is_resource = operation.scope is OperationScope.ACCOUNT and not lists and operation.name != "responses.delete"
    if is_resource and not (isinstance(body.get("id"), str) and body["id"]):
        raise wrong_type("the ID of the resource", body.get("id"), "text")


_MAY_BE_EMPTY = frozenset({operations.RESPONSES.name, operations.MESSAGES.name, operations.SEARCH.name})


def _check_completion(body: dict[str, Any]) -> None:
    for choice in body["choices"]:
        if not isinstance(choice.get("text"), str):
            raise wrong_type("the text of a choice", choice.get("text"), "text")
        if finish_reason(choice) is None:
            raise InvalidPart("a choice has no finish reason")


def _check_message(body: dict[str, Any]) -> None:
    if not body.get("stop_reason"):
        raise InvalidPart("its message has no stop reason")
    if not all(isinstance(block.get("type"), str) for block in body["content"]):
        raise InvalidPart("a block of 'content' has no type")


def _check_response(body: dict[str, Any]) -> None:
    if not isinstance(body.get("id"), str) or not body["id"]:
        raise wrong_type("the ID of the response", body.get("id"), "text")
    check_output(body)
    if not body["output"] and body.get("status") in (None, "completed"):
        raise InvalidPart("'output' is empty or missing")


def check_output(response: dict[str, Any]) -> None:
    """Check the items of a response, and the content of its messages.

    Raises:
        InvalidPart: A part is of the wrong type.
    """
    items = response.get("output")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidPart("'output' is not a list of objects")
    for item in items:
        if not isinstance(item.get("type"), str):
            raise wrong_type("the type of an item of 'output'", item.get("type"), "text")
        parts = item.get("content")
        if item["type"] == "message" and not (isinstance(parts, list) and all(isinstance(part, dict) for part in parts)):
            raise InvalidPart("the content of a message in 'output' is not a list of objects")
        for part in parts if item["type"] == "message" else ():
            if part.get("type") == "output_text" and not isinstance(part.get("text"), str):
                raise wrong_type("the text of a message in 'output'", part.get("text"), "text")


def _check_transcription(body: dict[str, Any]) -> None:
    if not isinstance(body.get("text"), str):
        raise wrong_type("the text of the transcription", body.get("text"), "text")


def _check_images(body: dict[str, Any]) -> None:
    for image in body["data"]:
        check_image(image)


def check_image(image: dict[str, Any]) -> None:
    """Check an image, of an answer or of an event.

    Raises:
        InvalidPart: It has no content.
    """
    given = image.get("url") or image.get("b64_json")
    if not given or not isinstance(given, str):
        raise InvalidPart("an image has neither 'url' nor 'b64_json'")


def check_whole_response(body: Any) -> None:
    """Check a response of which no event has carried a part.

    Raises:
        InvalidPart: It is no response, or its output is missing or of the wrong type.
    """
    if not isinstance(body, dict):
        raise wrong_type("the response of the last event", body, "an object")
    _check_response(body)


def _check_moderation(body: dict[str, Any], payload: Mapping[str, Any]) -> None:
    results, given = body["results"], payload.get("input")
    wanted = len(given) if isinstance(given, list) and all(isinstance(one, str) for one in given) else 1
    if len(results) != wanted:
        fault = f"it holds {len(results)} results for {wanted} inputs"
        raise InvalidPart(fault)
    if not all(isinstance(result.get("flagged"), bool) for result in results):
        raise InvalidPart("a result does not state whether the input is flagged")


def _check_ranking(body: dict[str, Any], payload: Mapping[str, Any]) -> None:
    documents = payload.get("documents")
    count = len(documents) if isinstance(documents, list | tuple) else None
    seen: set[int] = set()
    for result in body["results"]:
        index, score = result.get("index"), result.get("relevance_score")
        if type(index) is not int or index < 0 or (count is not None and index >= count) or index in seen:
            fault = f"the index {index!r} of a result is not that of one document"
            raise InvalidPart(fault)
        if isinstance(score, bool) or not isinstance(score, int | float):
            raise wrong_type("the relevance score of a result", score, "a number")
        seen.add(index)


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    operations.COMPLETIONS.name: _check_completion,
    operations.MESSAGES.name: _check_message,
    operations.RESPONSES.name: _check_response,
    operations.TRANSCRIPTIONS.name: _check_transcription,
    operations.TRANSLATIONS.name: _check_transcription,
    operations.IMAGES.name: _check_images,
    operations.IMAGE_EDITS.name: _check_images,
}

_COMPARISONS: dict[str, Callable[[dict[str, Any], Mapping[str, Any]], None]] = {
    operations.MODERATIONS.name: _check_moderation,
    operations.RERANK.name: _check_ranking,
}
"""Checks that compare a body with the request."""


def _completed(operation: Operation, body: dict[str, Any], provider_id: str) -> dict[str, Any]:
    """Return a copy of a body with valid usage and qualified IDs."""
    made = dict(body)
    usage = valid_usage(body.get("usage"))
    if usage is not body.get("usage"):
        made["usage"] = usage
    if not provider_id or (operation.scope is OperationScope.MODEL and operation.name != operations.RESPONSES.name):
        return made
    qualify_fields(made, provider_id)
    if operation.name == operations.RESPONSES.name:
        qualify_output(made, provider_id)
    if isinstance(made.get("file"), dict):  # of a completed upload
        made["file"] = copy(made["file"])
        qualify_fields(made["file"], provider_id)
    if isinstance(made.get("data"), list) and operation.name in _LISTS:
        made["data"] = [copy(row) for row in made["data"]]
        for row in made["data"]:
            if isinstance(row, dict):
                qualify_fields(row, provider_id)
    return made


_LISTS = frozenset({"files.list", "batches.list"})

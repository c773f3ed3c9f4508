"""Validation of the events of a stream: the parts on which a caller relies.

Before content, the last event has to contain the whole answer. After it, a part that is missing is no fault, because the caller
has it already.
"""

from __future__ import annotations

from typing import Any

from modelmesh._engine.routing.message_check import InvalidPart, wrong_type
from modelmesh._engine.routing.other_answers import check_image, check_output, check_whole_response
from modelmesh.contracts import operations
from modelmesh.contracts.operations import Operation

_TEXT_DELTAS = frozenset(
    {
        "response.output_text.delta",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "transcript.text.delta",
    }
)


def check_event(operation: Operation, event: dict[str, Any], *, has_content: bool) -> None:
    """Check an event with a type.

    Args:
        operation: Its operation.
        event: The event.
        has_content: Whether an earlier event carried content.

    Raises:
        InvalidPart: A part is missing or of the wrong type.
    """
    kind = event.get("type", "")
    if kind == "content_block_delta" and not isinstance(event.get("delta"), dict):
        raise wrong_type("the delta of a block", event.get("delta"), "an object")
    if kind in _TEXT_DELTAS and not isinstance(event.get("delta"), str):
        raise wrong_type("the delta of an event", event.get("delta"), "text")
    if kind not in operation.final_events:
        return
    if operation.name in _IMAGES:
        check_image(event)
    elif operation.name == operations.RESPONSES.name:
        _check_response(event.get("response"), has_content=has_content)
    elif operation.name == operations.TRANSCRIPTIONS.name:
        text = event.get("text")
        if not isinstance(text, str) and not (text is None and has_content):
            raise wrong_type("the text of the last event", text, "text")
    elif operation.name == operations.SPEECH.name and not has_content:
        raise InvalidPart("its stream has no audio")


def _check_response(response: Any, *, has_content: bool) -> None:
    if not has_content:
        check_whole_response(response)
    elif response is not None:
        if not isinstance(response, dict):
            raise wrong_type("the response of the last event", response, "an object")
        if response.get("output") is not None:
            check_output(response)


_IMAGES = frozenset({operations.IMAGES.name, operations.IMAGE_EDITS.name})

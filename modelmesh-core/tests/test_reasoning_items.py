"""Reasoning items of native responses: qualified in answers, sent to their account only."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.routing.reasoning_items import for_account, qualify_event, qualify_output
from modelmesh.contracts.call import Call
from modelmesh.contracts.operations import CHAT, RESPONSES

MESSAGE: dict[str, Any] = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}


def reasoning(identity: str) -> dict[str, Any]:
    return {"type": "reasoning", "id": identity, "summary": []}


def test_the_items_of_a_response_are_qualified() -> None:
    output = [reasoning("rs_1"), MESSAGE]
    response = {"output": output}
    qualify_output(response, "openai")
    assert response["output"] == [reasoning("rs_1@openai"), MESSAGE]
    assert output[0]["id"] == "rs_1"


def test_the_events_of_an_item_are_qualified_alike() -> None:
    added = {"type": "response.output_item.added", "item": reasoning("rs_1")}
    delta = {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1"}
    text = {"type": "response.output_text.delta", "item_id": "msg_1"}
    for event in (added, delta, text):
        qualify_event(event, "openai")
    assert (added["item"], delta["item_id"], text["item_id"]) == (reasoning("rs_1@openai"), "rs_1@openai", "msg_1")


def test_an_account_receives_its_own_items_only() -> None:
    items = [reasoning("rs_1@openai"), MESSAGE, reasoning("rs_2@azure"), reasoning("rs_3")]
    call = Call(RESPONSES, "pool", {"input": items, "user": "u"})
    found = for_account(call, "openai")
    assert found.payload == {"input": [reasoning("rs_1"), MESSAGE, reasoning("rs_3")], "user": "u"}
    assert found.lost == ("reasoning of input[2] dropped: it belongs to the account azure",)
    assert call.payload["input"] is items


def test_a_call_without_such_items_stays_the_same() -> None:
    for call in (
        Call(RESPONSES, "pool", {"input": [MESSAGE, "a", None]}),
        Call(RESPONSES, "pool", {"input": "a"}),
        Call(CHAT, "pool", {}),
    ):
        assert for_account(call, "openai") is call

"""Reasoning items of native responses. Only the account that returned such an item can read it.

The mesh qualifies the ID of each item by its account, as it does with other resources. A later request passes the item to that
account, and leaves it out at other accounts, so that a conversation can continue there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve

from modelmesh._engine.foundation.resource_ids import qualify, split
from modelmesh.contracts.operations import RESPONSES

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call

_TYPE = "reasoning"


def qualify_output(response: dict[str, Any], provider_id: str) -> None:
    """Qualify the reasoning items of a response. Its list of items is replaced, not changed."""
    output = response.get("output")
    if isinstance(output, list) and any(_is_reasoning(item) for item in output):
        response["output"] = [_qualified(item, provider_id) if _is_reasoning(item) else item for item in output]


def qualify_event(event: dict[str, Any], provider_id: str) -> None:
    """Qualify the reasoning item of an event, in place."""
    item, identity = event.get("item"), event.get("item_id")
    if _is_reasoning(item):
        event["item"] = _qualified(item, provider_id)
    elif isinstance(identity, str) and str(event.get("type")).startswith("response.reasoning"):
        event["item_id"] = qualify(identity, provider_id)


def for_account(call: Call, provider_id: str) -> Call:
    """Return a native call with the reasoning items of one account only, their IDs as the vendor knows them."""
    items = call.payload.get("input")
    if call.operation.name != RESPONSES.name or not isinstance(items, list | tuple):
        return call
    kept, lost = [], []
    for place, item in enumerate(items):
        own, account = split(item["id"]) if _is_reasoning(item) else ("", None)
        if account == provider_id:
            kept.append({**item, "id": own})
        elif account is None:
            kept.append(item)
        else:
            lost.append(f"reasoning of input[{place}] dropped: it belongs to the account {account}")
    return call if kept == list(items) else evolve(call, payload={**call.payload, "input": kept}, lost=(*call.lost, *lost))


def _is_reasoning(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("type") == _TYPE and isinstance(item.get("id"), str)


def _qualified(item: Any, provider_id: str) -> dict[str, Any]:
    return {**item, "id": qualify(item["id"], provider_id)}

"""The request as a provider of the Responses API receives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.refusals import refused
from modelmesh._engine.translation.vendor_state import is_state

TRANSLATED = "mesh_"
"""Beginning, after the prefix, of the IDs of a translated response and its items. No vendor knows these IDs."""

_IDS = ("previous_response_id", "conversation")


def native_payload(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Return the body for a native provider: IDs without their account, and no parts of a translated response.

    Raises:
        BadRequestError: The request refers to a translated response, or to state of two accounts.
    """
    made = dict(given)
    previous = given.get("previous_response_id")
    if is_translated(previous):
        raise refused(
            "previous_response_id",
            f"{previous!r} is a response that was translated from a chat completion and that no provider stores",
            "Send the conversation as input: input=[*earlier_input, *response.output, …]",
        )
    for name in _IDS:
        made[name] = findings.own_id(made.get(name), name)
    conversation, prompt = given.get("conversation"), given.get("prompt")
    if isinstance(conversation, Mapping):
        made["conversation"] = {**conversation, "id": findings.own_id(conversation.get("id"), "conversation.id")}
    if isinstance(prompt, Mapping):
        made["prompt"] = {**prompt, "id": findings.own_id(prompt.get("id"), "prompt.id")}
    if isinstance(given.get("input"), list | tuple):
        items = (_item(item, f"input[{place}]", findings) for place, item in enumerate(given["input"]))
        made["input"] = [item for item in items if item is not None]
    return {name: value for name, value in made.items() if value is not None}


def is_translated(given: Any) -> bool:
    """Return whether an ID is that of a translated response or of one of its items."""
    return isinstance(given, str) and given.partition("_")[2].startswith(TRANSLATED)


def _item(item: Any, where: str, findings: Findings) -> Any:
    """Return an item, ``None`` for an item that only a translation can read."""
    if not isinstance(item, Mapping):
        return item
    if item.get("type") == "reasoning" and (is_state(item.get("encrypted_content")) or is_translated(item.get("id"))):
        return None
    made = dict(item)
    if is_translated(made.get("id")):
        del made["id"]
    elif "id" in made and (item.get("type") != "reasoning" or item.get("encrypted_content")):  # other reasoning is optional
        made["id"] = findings.own_id(made["id"], f"{where}.id")
    for name in ("content", "output"):
        parts = made.get(name)
        if isinstance(parts, list | tuple):
            made[name] = [_part(part, f"{where}.{name}", findings) for part in parts]
    return made


def _part(part: Any, where: str, findings: Findings) -> Any:
    if not isinstance(part, Mapping) or not isinstance(part.get("file_id"), str):
        return part
    return {**part, "file_id": findings.own_id(part["file_id"], f"{where}.file_id")}

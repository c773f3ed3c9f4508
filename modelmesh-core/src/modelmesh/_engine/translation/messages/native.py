"""The request as a provider of the Messages API receives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.vendor_state import is_state


def native_payload(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Return the body for a native provider: IDs without their account, and no thoughts of another vendor.

    Raises:
        BadRequestError: The request refers to state of two accounts.
    """
    made = dict(given)
    turns = given.get("messages")
    if isinstance(turns, list | tuple):
        made["messages"] = [turn for one in turns if (turn := _turn(one, findings)) is not None]
    if isinstance(given.get("container"), str):
        made["container"] = findings.own_id(given["container"], "container")
    return made


def _turn(turn: Any, findings: Findings) -> Any:
    """Return a turn, ``None`` for one with thoughts of another vendor only."""
    content = turn.get("content") if isinstance(turn, Mapping) else None
    if not isinstance(content, list | tuple) or not content:
        return turn
    blocks = [_block(block, findings) for block in content if not _is_foreign(block)]
    return {**turn, "content": blocks} if blocks else None


def _is_foreign(block: Any) -> bool:
    return isinstance(block, Mapping) and (is_state(block.get("signature")) or is_state(block.get("data")))


def _block(block: Any, findings: Findings) -> Any:
    if not isinstance(block, Mapping):
        return block
    made = dict(block)
    source = made.get("source")
    if isinstance(source, Mapping) and isinstance(source.get("file_id"), str):
        made["source"] = {**source, "file_id": findings.own_id(source["file_id"], "source.file_id")}
    if isinstance(made.get("file_id"), str):
        made["file_id"] = findings.own_id(made["file_id"], "file_id")
    if made.get("type") == "tool_result" and isinstance(made.get("content"), list | tuple):
        made["content"] = [_block(one, findings) for one in made["content"]]
    return made

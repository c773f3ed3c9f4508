"""The request as Google's connector receives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.generate_content.signatures import UNSIGNED, signed_state

_OPENAI_NAMES = {"maxOutputTokens": "max_tokens", "candidateCount": "n"}
"""Parameters that the mesh limits or counts. Google's connector renames them."""


def native_payload(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body for Google: the caller's own, without the state of other vendors."""
    made = dict(given)
    config = given.get("generationConfig")
    if isinstance(config, Mapping):
        moved = {ours: config[name] for name, ours in _OPENAI_NAMES.items() if config.get(name) is not None}
        made |= moved
        made["generationConfig"] = {name: value for name, value in config.items() if name not in _OPENAI_NAMES}
    contents = given.get("contents")
    if isinstance(contents, str | Mapping):
        contents = [{"role": "user", "parts": [{"text": contents}]} if isinstance(contents, str) else contents]
    if isinstance(contents, list | tuple):
        made["contents"] = [turn for one in contents if (turn := _turn(one)) is not None]
    return made


def _turn(turn: Any) -> Any:
    """Return a turn, ``None`` for one with thoughts of another vendor only."""
    parts = turn.get("parts") if isinstance(turn, Mapping) else None
    if not isinstance(parts, list | tuple) or all(signed_state(part) is None for part in parts):
        return turn
    kept = [made for part in parts if (made := _part(part)) is not None]
    return {**turn, "parts": kept} if kept else None


def _part(part: Any) -> Any:
    if signed_state(part) is None:
        return part
    if "functionCall" in part:
        return {**part, "thoughtSignature": UNSIGNED}
    rest = {name: value for name, value in part.items() if name != "thoughtSignature"}
    return rest if rest.get("text") and not rest.get("thought") else None

"""The request as Google's connector receives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.generate_content.field_names import in_camel_case
from modelmesh._engine.translation.generate_content.signatures import UNSIGNED, signed_state

_OPENAI_NAMES = {
    "maxOutputTokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "candidateCount": "n",
    "candidate_count": "n",
}
"""Parameters that the mesh limits or counts. Google's connector renames them."""


def native_payload(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body for Google: the caller's own in its spelling, without the state of other vendors."""
    made = dict(given)
    for name in ("generationConfig", "generation_config"):
        config = given.get(name)
        if isinstance(config, Mapping):
            made |= {ours: config[theirs] for theirs, ours in _OPENAI_NAMES.items() if config.get(theirs) is not None}
            made[name] = {key: value for key, value in config.items() if key not in _OPENAI_NAMES}
    contents = given.get("contents")
    if isinstance(contents, str | Mapping):
        contents = [{"role": "user", "parts": [{"text": contents}]} if isinstance(contents, str) else contents]
    if isinstance(contents, list | tuple):
        made["contents"] = [turn for one in contents if (turn := _turn(one)) is not None]
    return made


def _turn(turn: Any) -> Any:
    """Return a turn, ``None`` for one with thoughts of another vendor only."""
    parts = turn.get("parts") if isinstance(turn, Mapping) else None
    if not isinstance(parts, list | tuple) or all(_state(part) is None for part in parts):
        return turn
    kept = [made for part in parts if (made := _part(part)) is not None]
    return {**turn, "parts": kept} if kept else None


def _state(part: Any) -> dict[str, Any] | None:
    return signed_state(in_camel_case(part)) if isinstance(part, Mapping) else None


def _part(part: Any) -> Any:
    if _state(part) is None:
        return part
    rest = {name: value for name, value in part.items() if name not in ("thoughtSignature", "thought_signature")}
    if "functionCall" in part or "function_call" in part:
        return {**rest, "thoughtSignature": UNSIGNED}
    return rest if rest.get("text") and not rest.get("thought") else None

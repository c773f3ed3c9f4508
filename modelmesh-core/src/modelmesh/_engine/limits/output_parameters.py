"""Parameters of a request that limit its output, and the number of its responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.call import Call

OUTPUT_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "n_predict")
"""Parameters that limit the output: OpenAI's, and vendors' own that a caller may use instead."""

NATIVE_SECTIONS = {"generationConfig": "maxOutputTokens", "generation_config": "max_output_tokens"}
"""The same inside a section of the body, as in Gemini's API."""


def allowed_output(call: Call) -> int | None:
    """Return the caller's limit of output tokens, ``None`` without one."""
    payload = call.payload
    stated = [payload[name] for name in OUTPUT_LIMITS if name in payload]
    for section, name in NATIVE_SECTIONS.items():
        if section in payload and isinstance(payload[section], Mapping):
            stated.append(payload[section].get(name))
    if not stated:
        return None
    return min((most for most in stated if isinstance(most, int) and not isinstance(most, bool) and most >= 0), default=None)


def limit_output(payload: Mapping[str, Any], tokens: int, name: str = "max_tokens") -> dict[str, Any]:
    """Return a body with a limit of output tokens: lower every limit of the caller, or add the parameter ``name``."""
    names = [own for own in OUTPUT_LIMITS if payload.get(own) is not None]
    sections = [
        (section, own)
        for section, own in NATIVE_SECTIONS.items()
        if isinstance(payload.get(section), Mapping) and payload[section].get(own) is not None
    ]
    made = {**payload, **dict.fromkeys(names or ([] if sections else [name]), tokens)}
    for section, own in sections:
        made[section] = {**payload[section], own: tokens}
    return made


def response_count(call: Call) -> int:
    """Return the number of responses (``n``) that the call requests. Each is billed."""
    stated = call.payload.get("n")
    return stated if isinstance(stated, int) and not isinstance(stated, bool) and stated > 1 else 1

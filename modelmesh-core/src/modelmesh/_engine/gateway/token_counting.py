"""Estimated tokens of a prompt in Anthropic's format, for ``/v1/messages/count_tokens``."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.gateway.messages import HttpError
from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.translation import TRANSLATIONS
from modelmesh.contracts.call import Call
from modelmesh.contracts.operations import CHAT, MESSAGES


def count_tokens(payload: dict[str, Any]) -> dict[str, int]:
    """Return the estimate by which the mesh routes a prompt. The vendor's own count differs by a few percent.

    Args:
        payload: The body of the request.

    Raises:
        HttpError: The request has no messages.
    """
    if not isinstance(payload.get("messages"), list):
        raise HttpError(400, "'messages' must be a list. Set it.", param="messages")
    pool = payload.pop("model", None)
    call = Call(MESSAGES, pool if isinstance(pool, str) else "", {"max_tokens": 1, **payload})
    translated = TRANSLATIONS[MESSAGES.name].to_chat(call)
    return {"input_tokens": prompt_size(Call(CHAT, call.pool, translated.payload)).estimated}

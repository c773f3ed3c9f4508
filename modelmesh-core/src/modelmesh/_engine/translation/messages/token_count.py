"""Estimate for ``/v1/messages/count_tokens``."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.translation.messages.request import chat_request
from modelmesh.contracts.call import Call


def estimated_tokens(call: Call) -> dict[str, Any]:
    """Return the reply of ``count_tokens``: an estimate from the size of the prompt, which ``estimated`` marks as such.

    Args:
        call: A request of the Messages API. ``max_tokens`` is not required.

    Raises:
        BadRequestError: The request has no messages, or a message is invalid.
    """
    translated = chat_request(evolve(call, payload={"max_tokens": 1, **call.payload}))
    size = prompt_size(Call(call.operation, call.pool, translated.payload))
    return {"input_tokens": size.estimated, "estimated": True}

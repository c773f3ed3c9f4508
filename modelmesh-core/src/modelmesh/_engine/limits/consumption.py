"""Consumption of an attempt: the reported usage, completed by an estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define

from modelmesh.contracts.operations import CHAT, EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh._engine.limits.targets import LimitedModel
    from modelmesh.contracts.call import Call


@define(eq=False)
class Consumption:
    """Tokens of one attempt.

    Attributes:
        usage: Token usage in OpenAI's format, ``None`` for an operation that is not billed by tokens.
        estimated: Whether any count is an estimate.
    """

    usage: dict[str, Any] | None
    estimated: bool = False


def consumption(call: Call, model: LimitedModel, reported: Mapping[str, Any] | None, output: int) -> Consumption:
    """Return the consumption of an attempt. An estimate errs on the high side, so that budgets hold.

    Args:
        call: The request.
        model: The model.
        reported: The valid usage that the vendor reported, checked before.
        output: Estimated tokens of the received output.
    """
    known = _with_reasoning(dict(reported or {}))
    if call.operation.name not in (CHAT.name, EMBEDDINGS.name):
        return Consumption(known or None)
    has_prompt = known.get("prompt_tokens") is not None
    has_output = known.get("completion_tokens") is not None or call.operation.name == EMBEDDINGS.name
    if has_prompt and has_output:
        return Consumption(known)
    if not has_prompt:
        known["prompt_tokens"] = model.prompt_size(call).prudent
    if not has_output:
        known["completion_tokens"] = output
    known["total_tokens"] = known["prompt_tokens"] + known.get("completion_tokens", 0)
    return Consumption(known, estimated=True)


def _with_reasoning(usage: dict[str, Any]) -> dict[str, Any]:
    """Return usage whose output includes reasoning tokens. Some vendors count them separately, as their total shows."""
    details = usage.get("completion_tokens_details")
    apart = details.get("reasoning_tokens") if details else None
    if not apart:
        return usage
    prompt, output, total = (usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    if prompt is not None and output is not None and total == prompt + output + apart:
        usage["completion_tokens"] = output + apart
    return usage

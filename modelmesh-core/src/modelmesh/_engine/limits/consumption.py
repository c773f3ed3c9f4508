"""Consumption of an attempt: the reported usage, completed by counts of the answer and by an estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define

from modelmesh._engine.limits.media_usage import counted_units, expected_usage, is_media
from modelmesh._engine.limits.unit_cost import UNITS
from modelmesh.contracts.operations import EMBEDDINGS, IMAGE_EDITS, IMAGES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS

if TYPE_CHECKING:
    from modelmesh._engine.limits.targets import LimitedModel
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.pricing import ModelPricing


MEDIA = {
    SPEECH.name: (("completion_tokens", "audio"),),
    TRANSCRIPTIONS.name: (("prompt_tokens", "audio"),),
    TRANSLATIONS.name: (("prompt_tokens", "audio"),),
    IMAGES.name: (("completion_tokens", "image"),),
    IMAGE_EDITS.name: (("prompt_tokens", "image"), ("completion_tokens", "image")),
}
"""Kind of the tokens of a side that a vendor reports without details, by operation."""


@define(eq=False)
class Consumption:
    """Usage of one attempt.

    Attributes:
        usage: Tokens in the format of chat completions, and counts such as ``images`` and ``audio_seconds``. ``None`` when the
            request has neither.
        estimated: Whether any count is an estimate.
    """

    usage: dict[str, Any] | None
    estimated: bool = False


def consumption(
    call: Call, model: LimitedModel, reported: Mapping[str, Any] | None, output: int, body: Any = None
) -> Consumption:
    """Return the consumption of an attempt. An estimate errs on the high side, so that budgets hold.

    Args:
        call: The request.
        model: The model.
        reported: The valid usage that the vendor reported, in the format of a chat completion.
        output: Estimated tokens of the received output.
        body: The answer, ``None`` for a stream.
    """
    known = _with_reasoning(dict(reported or {}))
    if is_media(call):
        return _of_media(call, model, known, body)
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


def _of_media(call: Call, model: LimitedModel, known: dict[str, Any], body: Any) -> Consumption:
    """Return the consumption of an operation that does not generate text. Only what the price requires is estimated."""
    usage = {**known, **counted_units(call, body)}
    for side, medium in MEDIA.get(call.operation.name, ()):
        if usage.get(side) is not None and usage.get(f"{side}_details") is None:
            usage[f"{side}_details"] = {f"{medium}_tokens": usage[side]}
    pricing = model.info.pricing
    missing = _missing(pricing, usage) if pricing is not None else ()
    if not missing:
        return Consumption(usage or None)
    expected = expected_usage(call, model.prompt_size(call)).prudent
    usage |= {name: expected[name] for name in missing if name in expected}
    return Consumption(usage, estimated=True)


def _missing(pricing: ModelPricing, usage: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of the usage that the price requires and that are unknown."""
    units = pricing.units
    counts = [key for name, (key, _) in UNITS.items() if units is not None and getattr(units, name) is not None]
    absent = [key for key in counts if usage.get(key) is None]
    if counts or pricing.per_request is not None or usage.get("prompt_tokens") is not None:
        return tuple(absent)
    return (*absent, "prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details")


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

"""What a request costs, in whole nano-dollars, so that sums are exact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.models import ModelPricing

NANO = 1_000_000_000


def cost_nano_usd(pricing: ModelPricing | None, usage: Mapping[str, Any] | None, when: float | None = None) -> int | None:  # noqa: ARG001
    """Price one answer.

    Args:
        pricing: The model's list price.
        usage: What the vendor reported.
        when: Unix seconds; no price depends on it yet.

    Returns:
        Nano-dollars, ``None`` when the price or the usage is unknown.
    """
    if pricing is None:
        return None
    total = 0.0
    for price, key in ((pricing.input_per_1k_tokens, "prompt_tokens"), (pricing.output_per_1k_tokens, "completion_tokens")):
        tokens = (usage or {}).get(key)
        if price is None:
            if tokens and pricing.per_request is None:
                return None  # there were such tokens, and what they cost nobody said
        elif isinstance(tokens, int):
            total += tokens * price / 1000
        elif price:
            return None
    return round((total + (pricing.per_request or 0.0)) * NANO)

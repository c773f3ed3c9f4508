"""What a provider says of one of its models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from modelmesh.contracts.pricing import ModelPricing, PriceBand

__all__ = ["ModelInfo", "ModelPricing", "PriceBand"]


@frozen
class ModelInfo:
    """One model of a catalogue.

    Attributes:
        id: The name a caller sees, without the vendor's name before it.
        upstream: The name the vendor knows it by.
        capabilities: Dotted paths or short names; they decide in which pools it is.
        features: What it can and cannot do; a feature that is not stated is unknown, which is not no.
        delivery: ``synchronous``, ``streaming``, ``batch``; what is not stated is unknown.
        context_window: Tokens of prompt and answer together; ``None`` is unknown.
        max_output_tokens: Tokens of one answer; ``None`` is unknown.
        pricing: List price, ``None`` when unknown.
        extra: Whatever else the row said.
    """

    id: str
    upstream: str = ""
    capabilities: tuple[str, ...] = field(default=(), converter=tuple)
    features: Mapping[str, bool] = field(factory=dict)
    delivery: Mapping[str, bool] = field(factory=dict)
    context_window: int | None = None
    max_output_tokens: int | None = None
    pricing: ModelPricing | None = None
    extra: Mapping[str, Any] = field(factory=dict)

    @property
    def name(self) -> str:
        """The vendor's own name of the model."""
        return self.upstream or self.id

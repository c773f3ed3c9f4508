"""Models of a provider's catalogue."""

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
        id: Name of the model for callers, without the provider.
        upstream: The vendor's name of the model. Empty for the same name.
        capabilities: Dotted paths or short names. They determine the pools of the model.
        features: Supported and unsupported features. A missing feature is unknown, which is not unsupported.
        delivery: ``synchronous``, ``streaming``, ``batch``. A missing mode is unknown.
        context_window: Tokens of prompt and answer together, ``None`` where unknown.
        max_output_tokens: Tokens of one answer, ``None`` where unknown.
        pricing: List price, ``None`` where unknown.
        extra: All other fields of the row.
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
        """The vendor's name of the model."""
        return self.upstream or self.id

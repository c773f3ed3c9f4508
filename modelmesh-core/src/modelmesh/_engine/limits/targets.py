"""Interfaces of the models and pools that limits apply to. The routing layer implements them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.limits.suspension import SuspensionTarget
    from modelmesh.contracts.call import Call, PromptSize
    from modelmesh.contracts.models import ModelInfo
    from modelmesh.contracts.rate_limits import RateLimit


class LimitedModel(Protocol):
    """A model at a provider, with the facts that estimates need."""

    @property
    def info(self) -> ModelInfo:
        """The catalogue row."""

    @property
    def health(self) -> SuspensionTarget:
        """Target of the model's own limits."""

    @property
    def account(self) -> SuspensionTarget:
        """Target of the limits of its provider account."""

    @property
    def typical_output(self) -> float | None:
        """Average tokens of its responses, ``None`` before the first."""

    @property
    def recent_outputs(self) -> Sequence[float]:
        """Tokens of its latest responses."""

    @property
    def answers(self) -> int:
        """Responses that :attr:`typical_output` was learned from."""

    @property
    def answered_at(self) -> float:
        """Time of its latest response, monotonic seconds."""

    def prompt_size(self, call: Call) -> PromptSize:
        """Return the estimated size of a call's prompt for this model."""

    def rate_limits(self, now: float) -> Sequence[RateLimit]:
        """Return the vendor's limits as its latest response reported them."""


class LimitedPool(Protocol):
    """A pool with limits of its own."""

    @property
    def counters(self) -> Sequence[LimitCounter]:
        """Counters of the whole pool."""

    @property
    def members(self) -> Sequence[LimitedModel]:
        """Its candidates."""

"""A model at a provider, with its health and what its latest answers predict about the next ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, field

from modelmesh._engine.health.model_health import ModelHealth
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.output_parameters import response_count
from modelmesh._engine.limits.spending import MIN_SAMPLES
from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh.contracts.call import Call, PromptSize
from modelmesh.contracts.candidates import CandidateStatus
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.rate_limits import RateLimit

if TYPE_CHECKING:
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh.contracts.candidates import PoolView
    from modelmesh.contracts.provider import Provider
    from modelmesh.errors import ProviderError


EWMA_ALPHA = 0.1
"""Weight of the latest sample in a moving average."""

EWMA_ALPHA_RISE = 0.5
"""The same where the latest answer is longer than the average: the typical output rises faster than it falls."""

RECENT = 8
"""Number of answers with a stored length."""

TRUSTED_MARGIN = 1.25
"""Factor by which a prompt may exceed its estimate, at a model whose earlier prompts corrected the estimate."""


class AttemptObserver(Protocol):
    """Receives the outcome of attempts at a candidate. The standby policy of a pool implements it."""

    def record_attempt(
        self,
        candidate: Candidate,
        health: HealthRegistry,
        now: float,
        *,
        error: ProviderError | None = None,
        usage: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> None:
        """Record how an attempt ended."""

    def record_probe(self, candidate: Candidate, health: HealthRegistry, now: float) -> None:
        """Record a successful probe of the candidate's account."""

    def reset(self, candidate: Candidate) -> None:
        """Forget the figures of a candidate that was recovered by hand."""


@define(eq=False, repr=False)
class Candidate:
    """One model at one provider. It is the same object in every pool that contains it.

    Attributes:
        model_id: Model ID as the caller writes it, for example ``gpt-4o``.
        upstream: Model ID that is sent to the vendor.
        info: Catalogue row.
        provider: Connector that serves it.
        account: Health of the provider account, shared by all its models.
        health: Health of this model.
        memberships: Pools that contain it, each with its position there.
        standby_policies: Standby policies of the pools that contain it.
        typical_output: Moving average of the tokens of its answers, ``None`` before the first.
        answers: Number of answers in :attr:`typical_output`.
        recent_outputs: Tokens of its latest answers.
        prompt_excess: Decaying maximum of the tokens by which prompts exceeded their estimate.
        prompts: Number of prompts in :attr:`prompt_excess`.
    """

    model_id: str
    upstream: str
    info: ModelInfo
    provider: Provider = field(repr=False)
    account: ProviderHealth = field(repr=False)
    health: ModelHealth = field(factory=ModelHealth, repr=False)
    memberships: list[tuple[PoolView, int]] = field(factory=list, repr=False)
    standby_policies: list[AttemptObserver] = field(factory=list, repr=False)
    typical_output: float | None = None
    answers: int = 0
    recent_outputs: list[float] = field(factory=list, repr=False)  # an empty deque takes 760 bytes for each model
    prompt_excess: float = 0.0
    prompts: int = 0
    answered_at: float = field(default=0.0, init=False, repr=False)
    """Time of its latest answer, monotonic seconds. 0 before the first."""
    _reported: Sequence[RateLimit] = field(default=(), init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.health.provider_id, self.health.model_id = self.provider_id, self.model_id

    def update_statistics(
        self,
        usage: Mapping[str, Any] | None,
        reported: Sequence[RateLimit],
        now: float,
        call: Call | None = None,
        limit: int | None = None,
    ) -> None:
        """Update the averages and the rate limits from an answer.

        Args:
            usage: Valid token usage of the answer.
            reported: Rate limits that it reports.
            now: Monotonic seconds.
            call: The request.
            limit: Output limit that was sent with it. Tokens beyond it are not counted.
        """
        self._reported = reported
        self.answered_at = now
        tokens = usage.get("completion_tokens") if usage else None
        prompt = usage.get("prompt_tokens") if usage else None
        if tokens is not None:
            several = 1 if call is None else response_count(call)
            latest = tokens / several if limit is None else min(tokens / several, limit)
            self._learn_output(latest)
        if prompt is not None and call is not None:
            excess = prompt - prompt_size(call).estimated
            self.prompts += 1
            self.prompt_excess = max(self.prompt_excess * (1 - EWMA_ALPHA), float(excess), 0.0)

    def _learn_output(self, latest: float) -> None:
        before = self.typical_output
        if before is None:
            self.typical_output = latest
        else:
            weight = EWMA_ALPHA_RISE if latest > before else EWMA_ALPHA
            self.typical_output = before + (latest - before) * weight
        self.recent_outputs.append(latest)
        del self.recent_outputs[:-RECENT]
        self.answers += 1

    def prompt_size(self, call: Call) -> PromptSize:
        """Return the estimated size of a prompt, corrected by the reported sizes of earlier ones."""
        size = prompt_size(call)
        known = size.estimated + math.ceil(self.prompt_excess)
        prudent = max(size.prudent, known)
        if self.prompts >= MIN_SAMPLES:
            prudent = min(prudent, math.ceil(known * TRUSTED_MARGIN))
        return PromptSize(known, prudent, max(size.most, known), size.cached)

    def rate_limits(self, now: float) -> tuple[RateLimit, ...]:
        """Return the rate limits that the latest answer reports, without those whose reset has passed."""
        if not self._reported:
            return ()
        at = self.answered_at
        return tuple(row for row in self._reported if row.resets_in is None or now < at + row.resets_in)

    @property
    def provider_id(self) -> str:
        """Key of the provider in the configuration."""
        return self.account.provider_id

    @property
    def connector_id(self) -> str:
        """ID of the connector that serves it."""
        return self.account.connector_id

    @property
    def status(self) -> CandidateStatus:
        """``ACTIVE`` when its circuit breaker and that of its provider account allow requests."""
        return CandidateStatus.ACTIVE if self.health.ready and self.account.ready else CandidateStatus.STANDBY

    @property
    def in_flight(self) -> int:
        """Number of its requests in flight."""
        return self.health.in_flight

    @property
    def provider_in_flight(self) -> int:
        """Number of requests in flight at its provider account."""
        return self.account.in_flight

    @property
    def available_at(self) -> float:
        """Time at which its circuit breakers allow requests again, 0 while they do."""
        return max(self.health.available_at, self.account.available_at)

    def slow_start_weight(self, now: float) -> float:
        """Return the share of its normal load that it should get."""
        return min(self.health.slow_start_weight(now), self.account.slow_start_weight(now))

    @property
    def failure_count(self) -> int:
        """Consecutive failures."""
        return self.health.consecutive_failures

    @property
    def error_rate(self) -> float:
        """Share of failures in the window, 0 without samples."""
        return self.health.error_rate

    def __str__(self) -> str:
        return f"{self.provider_id}/{self.model_id}"

    def __repr__(self) -> str:
        return f"<Candidate {self}, {self.status}>"

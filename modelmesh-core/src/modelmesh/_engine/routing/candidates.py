"""A model as the router sees it, and sets of them that cost the same with ten members as with ten thousand.

A set is one integer with a bit for each member of the pool; "ready, able and not yet tried" is two ``&``.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field

from modelmesh._engine.health.model_health import ModelHealth
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.spending import ANSWERS_TO_TRUST
from modelmesh._engine.limits.token_counts import answers_of, prompt_size
from modelmesh.contracts.call import Call, PromptSize
from modelmesh.contracts.candidates import CandidateStatus
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.contracts.usage import reported_tokens

if TYPE_CHECKING:
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.standby_policy import StandbyPolicyRunner
    from modelmesh.contracts.candidates import Order
    from modelmesh.contracts.provider import Provider


EWMA_ALPHA = 0.1
"""Weight of the latest sample in a moving average."""

EWMA_ALPHA_RISE = 0.5
"""The same where the latest answer is longer than the average: the typical output rises faster than it falls."""

RECENT = 8
"""Latest answers of a model that are remembered one by one."""

TRUSTED_MARGIN = 1.25
"""How much larger than estimated a prompt may be, by a model whose earlier prompts corrected the estimate."""


@define(eq=False, repr=False)
class Candidate:
    """One model at one provider, the same object in every pool that has it.

    Attributes:
        model_id: What the caller sees, e.g. ``gpt-4o``.
        upstream: What the vendor is asked for.
        info: The catalogue row.
        provider: Who serves it.
        account: The provider entry's own health, shared by all its models.
        health: This model's health.
        memberships: Pools that contain it, each with its position there.
        standby_policies: Policy runners of the pools that contain it.
        typical_output: Tokens of its answers, an average in which older ones fade; ``None`` before the first.
        answers: Answers that :attr:`typical_output` was learned from.
        recent_outputs: Tokens of its latest answers.
        prompt_excess: Tokens by which prompts were larger than estimated, lately; for the estimate of the next.
        prompts: Prompts that :attr:`prompt_excess` was learned from.
    """

    model_id: str
    upstream: str
    info: ModelInfo
    provider: Provider = field(repr=False)
    account: ProviderHealth = field(repr=False)
    health: ModelHealth = field(factory=ModelHealth, repr=False)
    memberships: list[tuple[Pool, int]] = field(factory=list, repr=False)
    standby_policies: list[StandbyPolicyRunner] = field(factory=list, repr=False)
    typical_output: float | None = None
    answers: int = 0
    recent_outputs: deque[float] = field(factory=lambda: deque(maxlen=RECENT), repr=False)
    prompt_excess: float = 0.0
    prompts: int = 0
    answered_at: float = field(default=0.0, init=False, repr=False)
    """When its latest answer came, monotonic seconds; 0 before the first."""
    _reported: Sequence[RateLimit] = field(default=(), init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.health.provider_id, self.health.model_id = self.provider_id, self.model_id

    def learn(
        self,
        usage: Mapping[str, Any] | None,
        reported: Sequence[RateLimit],
        now: float,
        call: Call | None = None,
        limit: int | None = None,
    ) -> None:
        """Learn from an answer what the next ones are likely to be.

        Args:
            usage: Its tokens.
            reported: The rate limits that it reports.
            now: Monotonic seconds.
            call: The request.
            limit: The output limit that went out with it; a vendor that ignored it teaches nothing of the next answer.
        """
        self._reported, self.answered_at = reported, now
        tokens, prompt = (reported_tokens((usage or {}).get(name)) for name in ("completion_tokens", "prompt_tokens"))
        if tokens is not None:
            several = 1 if call is None else answers_of(call)
            latest, before = tokens / several if limit is None else min(tokens / several, limit), self.typical_output
            self.recent_outputs.append(latest)
            weight = EWMA_ALPHA_RISE if before is not None and latest > before else EWMA_ALPHA
            self.typical_output = latest if before is None else before + (latest - before) * weight
            self.answers += 1
        if prompt is not None and call is not None:
            excess = prompt - prompt_size(call).estimated
            self.prompts += 1
            self.prompt_excess = max(self.prompt_excess * (1 - EWMA_ALPHA), float(excess), 0.0)

    def prompt_size(self, call: Call) -> PromptSize:
        """Return the size of a prompt, corrected by what the vendor reported of earlier ones."""
        size, excess = prompt_size(call), math.ceil(self.prompt_excess)
        known = size.estimated + excess
        prudent = max(size.prudent, known)
        if self.prompts >= ANSWERS_TO_TRUST:
            prudent = min(prudent, math.ceil(known * TRUSTED_MARGIN))
        return PromptSize(known, prudent, max(size.most, known), size.cached)

    def rate_limits(self, now: float) -> tuple[RateLimit, ...]:
        """Return what the vendor's latest answer reports of its limits, without the rows whose reset has passed.

        Args:
            now: Monotonic seconds.
        """
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
        """Whether its circuit breaker and that of its provider account let requests through."""
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
        """Time at which its circuit breakers let requests through again, 0 while they do."""
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


class Candidates:
    """Some members of a pool, in pool order."""

    __slots__ = ("_mask", "_pool")

    def __init__(self, pool: Pool, mask: int) -> None:
        self._pool = pool
        self._mask = mask

    def __len__(self) -> int:
        return self._mask.bit_count()

    def __bool__(self) -> bool:
        return self._mask != 0

    def __iter__(self) -> Iterator[Candidate]:
        members, rest = self._pool.members, self._mask
        while rest:
            low = rest & -rest
            yield members[low.bit_length() - 1]
            rest ^= low

    def __contains__(self, candidate: object) -> bool:
        place = self._pool.position(candidate)
        return place is not None and bool(self._mask >> place & 1)

    def first(self) -> Candidate | None:
        """Return the first in pool order, ``None`` when empty."""
        mask = self._mask
        return self._pool.members[(mask & -mask).bit_length() - 1] if mask else None

    def after(self, candidate: object | None) -> Candidate | None:
        """Return the next in pool order after a member, going round; the member itself when it is the only one."""
        place = self._pool.position(candidate) if candidate is not None else None
        if place is not None:
            later = self._mask >> (place + 1) << (place + 1)
            if later:
                return self._pool.members[(later & -later).bit_length() - 1]
        return self.first()

    def pick(self, number: int) -> Candidate:
        """Return the one at a place among these, counted from 0; costs no more than the logarithm of the pool's size.

        Raises:
            IndexError: There are not so many.
        """
        mask = self._mask
        if not 0 <= number < mask.bit_count():
            message = f"{number} of {mask.bit_count()} candidates"
            raise IndexError(message)
        low, width = 0, mask.bit_length()
        while width > 1:
            half = width // 2
            below = (mask & ((1 << half) - 1)).bit_count()
            if number < below:
                mask &= (1 << half) - 1
                width = half
            else:
                number -= below
                mask >>= half
                low, width = low + half, width - half
        return self._pool.members[low]

    def of_provider(self, name: str) -> Candidates:
        """Return those of one provider, by key, connector ID or provider name."""
        return Candidates(self._pool, self._mask & self._pool.mask_of_provider(name))

    def named(self, model: str) -> Candidates:
        """Return those with a model ID, written with or without its provider."""
        return Candidates(self._pool, self._mask & self._pool.mask_of_model(model))

    def first_of(self, order: Order) -> Candidate | None:
        """Return the most preferred by an order of its own, ``None`` when none of these is in it."""
        place = order.first(self._mask)
        return None if place is None else self._pool.members[place]

    @property
    def pool(self) -> Pool:
        """The pool they are of."""
        return self._pool

    def best(self, score: Callable[[Candidate], Any]) -> Candidate | None:
        """Return the one with the highest score, the earlier one on a tie. Looks at every member."""
        return max(self, key=score, default=None)

    def __repr__(self) -> str:
        shown = ", ".join(str(candidate) for candidate, _ in zip(self, range(5), strict=False))
        return f"<Candidates {len(self)} of {len(self._pool.members)}: {shown}>"

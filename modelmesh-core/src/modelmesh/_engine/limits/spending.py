"""Spending plan of an attempt: its output limit, the amounts to reserve, and the amounts that limits must permit.

A budget bounds a request by bounding its response. The rest of the budget determines the output limit, which the vendor
receives as its max-tokens parameter. The cost of the prompt is taken from a count that real prompts seldom exceed, so that a
single request at a time never exceeds a budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, evolve, frozen

from modelmesh._engine.limits.cost import TokenPrice, cost_nano_usd
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric, Reserve
from modelmesh._engine.limits.media_usage import expected_usage, is_media
from modelmesh._engine.limits.output_parameters import allowed_output, limit_output, response_count
from modelmesh._engine.limits.window import Period
from modelmesh.contracts.operations import EMBEDDINGS, RESPONSES

if TYPE_CHECKING:
    from modelmesh._engine.limits.targets import LimitedModel
    from modelmesh.contracts.call import Call

MIN_SAMPLES = 3
"""Responses of a model after which its history is trusted for estimates."""

USEFUL_OUTPUT = 64
"""Tokens of the shortest useful response. A budget that pays for less refuses the request, unless the caller asked for less or
the model's responses are shorter."""

USEFUL_SHARE = 0.9
"""Share of the shortest recent response that the rest of a daily or monthly budget must pay for."""

TYPICAL_OUTPUT = 256
"""Tokens of a response from a model without history."""

UNKNOWN_LONGEST = 131_072
"""Tokens of the longest response of a model without a known limit. A higher affordable limit is not sent."""

DEFAULT_MAX_OUTPUT = 16_384
"""Maximum tokens that are reserved for a response of a model without a known limit and with fewer than
:data:`MIN_SAMPLES` responses. For such a model, half of what a request could spend is reserved."""

CONFIGURED = "max_output_tokens_configured"
"""Key of ``ModelInfo.extra``: the configuration set ``max_output_tokens``, so the mesh sends it."""

_MILLION = 1_000_000


@frozen
class OutputLimit:
    """Maximum tokens of a response that the mesh sends with a request.

    Attributes:
        tokens: The limit.
        note: Note that the attempt records.
    """

    tokens: int
    note: str

    def applied(self, call: Call) -> Call:
        """Return the call with the limit in its body. Limits of the caller are lowered in place."""
        stated = allowed_output(call) is not None and call.output_limit is None
        name = "max_output_tokens" if call.operation.name == RESPONSES.name else "max_tokens"
        payload = limit_output(call.payload, self.tokens, name)
        return evolve(call, payload=payload, output_limit=None if stated else self.tokens)


@define(eq=False, kw_only=True)
class SpendingPlan:
    """Expected and maximum consumption of one attempt.

    Costs are nano-dollars, ``None`` when the price is unknown and when no limit counts money.

    Attributes:
        tokens: Expected tokens of prompt and response.
        minimum_cost: Cost of the prompt and the shortest useful response.
        useful_cost: Cost of the prompt and nearly the shortest recent response.
        useful_cost_bound: The same for a prompt at its upper bound.
        typical_cost: Cost of a typical response.
        estimated_cost: Cost that a budget reserves by estimate.
        maximum_cost: Cost at the output limit, for a prompt at its upper bound.
        limit: The output limit to send, ``None`` to send the caller's request unchanged.
        short: Whether only reservations of other attempts make the response shorter than usual.
    """

    tokens: int
    minimum_cost: int | None = None
    useful_cost: int | None = None
    useful_cost_bound: int | None = None
    typical_cost: int | None = None
    estimated_cost: int | None = None
    maximum_cost: int | None = None
    limit: OutputLimit | None = None
    short: bool = False

    def needed(self, limit: Limit) -> int | None:
        """Return the smallest amount with which the attempt is useful, in the unit of a limit."""
        if limit.metric is Metric.REQUESTS:
            return 1
        if limit.metric is Metric.TOKENS:
            return min(self.tokens, limit.amount)  # an estimate above the whole limit would never permit an attempt
        if limit.window.period is Period.REQUEST:
            return self.minimum_cost  # the limit is the same for each request, so history does not matter
        return self.useful_cost_bound if limit.reserve is Reserve.MAXIMUM else self.useful_cost

    def reserved_amount(self, limit: Limit) -> int | None:
        """Return the amount to reserve of a limit."""
        if limit.metric is Metric.COST:
            return self.maximum_cost if limit.reserve is Reserve.MAXIMUM else self.estimated_cost
        return self.needed(limit)

    def without_report(self, limit: Limit) -> int | None:
        """Return the amount to count for an attempt that may have been billed and reported no usage."""
        if limit.metric is Metric.COST and limit.reserve is Reserve.ESTIMATE:
            return self.typical_cost
        return self.reserved_amount(limit)


_Cost: TypeAlias = "Callable[[int, int], int | None]"
"""Returns the cost of a prompt and its output, in tokens."""


def plan_spending(
    model: LimitedModel, call: Call, counters: Sequence[LimitCounter], when: float, *, shared: bool = False
) -> SpendingPlan:
    """Plan an attempt from what remains of its limits.

    Args:
        model: The model.
        call: The request.
        counters: Counters that limit the attempt.
        when: Unix seconds.
        shared: Whether other processes share the limits. They see a reservation as used, so none exceeds a typical response.
    """
    return _SpendingPlanner(model, call, when, shared=shared).plan(counters)


def _tokens(usage: Mapping[str, Any]) -> int:
    return int(usage["prompt_tokens"] + usage["completion_tokens"])


class _SpendingPlanner:
    """Computes the costs of one call at one model."""

    def __init__(self, model: LimitedModel, call: Call, when: float, *, shared: bool) -> None:
        self._model, self._when, self._shared = model, when, shared
        self._prompt = size = model.prompt_size(call)
        self._estimated, self._prudent, self._most = size.estimated, size.prudent, size.most
        self._call = call
        self._is_embedding = call.operation is EMBEDDINGS
        self._is_media = is_media(call)
        self._responses = response_count(call)
        self._stated = allowed_output(call)
        info = model.info
        self._ceiling = info.max_output_tokens or None
        self._configured = bool(info.extra.get(CONFIGURED)) and self._ceiling is not None
        if self._configured and self._stated is not None:
            self._longest: int | None = min(self._stated, self._ceiling or self._stated)
        elif self._stated is not None:
            self._longest = self._stated
        else:
            room = max(info.context_window - self._prudent, 1) if info.context_window else None
            known = [tokens for tokens in (self._ceiling, room) if tokens is not None]
            self._longest = min(known, default=None)

    def plan(self, counters: Sequence[LimitCounter]) -> SpendingPlan:
        money = [counter for counter in counters if counter.limit.metric is Metric.COST]
        if not money:
            return self._plan_without_money()
        pricing = self._model.info.pricing
        if pricing is not None and not pricing.bands and pricing.units is None and not self._prompt.cached:
            cost: _Cost = TokenPrice(pricing).cost
        else:
            cost = self._cost_of_usage
        if self._is_embedding:
            return self._plan_embedding(cost)
        if self._is_media:
            return self._plan_media()
        budgets = [counter for counter in money if counter.limit.enforce]
        affordable, tightest, strict = None, None, False
        for counter in budgets:
            room = self._affordable(counter, counter.remaining, cost)
            if room is not None and (affordable is None or room < affordable):
                affordable, tightest = room, counter
            strict = strict or counter.limit.reserve is Reserve.MAXIMUM
        limit = self._limit(affordable, tightest, strict=strict)
        longest = limit.tokens if limit is not None else self._longest
        usual = self._typical()
        typical, expected = usual, self._expected(affordable, usual)
        if longest is not None:
            typical, expected = min(typical, longest), min(expected, longest)
        elif affordable is not None:
            longest = affordable
        minimum, several = self._minimum(), self._responses
        useful = self._useful(minimum)
        return SpendingPlan(
            tokens=self._estimated + typical * several,
            minimum_cost=cost(self._prudent, minimum * several),
            useful_cost=cost(self._prudent, useful * several),
            useful_cost_bound=cost(self._most, useful * several),
            typical_cost=cost(self._estimated, typical * several),
            estimated_cost=cost(self._prudent if self._stated is not None else self._estimated, expected * several),
            maximum_cost=cost(self._most, (UNKNOWN_LONGEST if longest is None else longest) * several),
            limit=limit,
            short=self._is_short(affordable, budgets, usual, cost),
        )

    def _plan_without_money(self) -> SpendingPlan:
        if self._is_embedding:
            return SpendingPlan(tokens=self._estimated)
        if self._is_media:
            return SpendingPlan(tokens=_tokens(expected_usage(self._call, self._prompt).estimated))
        limit = self._limit(None, None, strict=False)
        longest, typical = self._longest if limit is None else limit.tokens, self._typical()
        typical = typical if longest is None else min(typical, longest)
        return SpendingPlan(tokens=self._estimated + typical * self._responses, limit=limit)

    def _plan_embedding(self, cost: _Cost) -> SpendingPlan:
        prudent, most, estimated = (cost(size, 0) for size in (self._prudent, self._most, self._estimated))
        return SpendingPlan(
            tokens=self._estimated,
            minimum_cost=prudent,
            useful_cost=prudent,
            useful_cost_bound=most,
            typical_cost=estimated,
            estimated_cost=estimated,
            maximum_cost=most,
        )

    def _plan_media(self) -> SpendingPlan:
        """Plan a request that does not generate text: what it consumes follows from the request and has no output limit."""
        expected = expected_usage(self._call, self._prompt)
        pricing = self._model.info.pricing
        estimated, prudent, most = (cost_nano_usd(pricing, usage, self._when) for usage in expected)
        return SpendingPlan(
            tokens=_tokens(expected.estimated),
            minimum_cost=prudent,
            useful_cost=prudent,
            useful_cost_bound=most,
            typical_cost=estimated,
            estimated_cost=prudent,
            maximum_cost=most,
        )

    def _limit(self, affordable: int | None, tightest: LimitCounter | None, *, strict: bool) -> OutputLimit | None:
        """Return the limit to send: the affordable one, the configured one, or the one that the budget reserves."""
        longest = self._longest
        if affordable is not None and tightest is not None and affordable < (UNKNOWN_LONGEST if longest is None else longest):
            limit = tightest.limit
            return self._noted(max(affordable, 1), f"{limit.format_amount(tightest.remaining)} is left of {limit}")
        if self._configured and longest is not None and self._stated != longest:
            return self._noted(longest, "constraints.max_output_tokens")
        if strict and self._stated is None and longest is not None:
            return self._noted(longest, "what the budget reserves")
        return None

    def _noted(self, tokens: int, why: str) -> OutputLimit:
        how = f"max_tokens {tokens} added" if self._stated is None else f"max_tokens lowered from {self._stated} to {tokens}"
        return OutputLimit(tokens, f"{how}: {why}")

    def _typical(self) -> int:
        known = self._model.typical_output
        usual = TYPICAL_OUTPUT if known is None else math.ceil(known)
        return usual if self._stated is None else min(usual, self._stated)

    def _minimum(self) -> int:
        limits = [USEFUL_OUTPUT]
        if self._longest is not None:
            limits.append(self._longest)
        if self._model.typical_output is not None:
            limits.append(max(math.ceil(self._model.typical_output), 1))
        return min(limits)

    def _useful(self, minimum: int) -> int:
        recent = self._model.recent_outputs
        useful = max(minimum, int(min(recent) * USEFUL_SHARE) if len(recent) > 1 else 0)
        return useful if self._longest is None else min(useful, self._longest)

    def _expected(self, affordable: int | None, typical: int) -> int:
        """Return the output tokens to reserve: the caller's limit, else the model's usual output."""
        if self._stated is not None:
            return self._stated
        if self._model.answers >= MIN_SAMPLES or affordable is None or self._shared:
            return typical
        return max(typical, min(affordable // 2, self._longest or DEFAULT_MAX_OUTPUT))

    def _is_short(self, affordable: int | None, budgets: Sequence[LimitCounter], typical: int, cost: _Cost) -> bool:
        """Return whether reservations of other attempts leave less than this attempt requires."""
        required = typical if self._stated is None else self._stated
        if affordable is None or affordable >= required:
            return False
        for counter in budgets:
            if counter.reserved:
                alone = self._affordable(counter, counter.remaining + counter.reserved, cost)
                if alone is not None and min(alone, required) > affordable:
                    return True
        return False

    def _affordable(self, counter: LimitCounter, left: int, cost: _Cost) -> int | None:
        """Return the tokens of each response that an amount pays for, ``None`` for any number or an unknown price."""
        prompt = self._most if counter.limit.reserve is Reserve.MAXIMUM else self._prudent
        base, more = cost(prompt, 0), cost(prompt, _MILLION)
        if base is None or more is None:
            return None
        if more <= base:
            return None if base <= left else 0
        tokens = max(left - base, 0) * _MILLION // (more - base) // self._responses
        while tokens and (cost(prompt, tokens * self._responses) or 0) > left:
            tokens -= 1
        return tokens

    def _cost_of_usage(self, prompt: int, output: int) -> int | None:
        usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": output}
        if self._prompt.cached:
            usage["prompt_tokens_details"] = {"cache_write_tokens": prompt}
        return cost_nano_usd(self._model.info.pricing, usage, self._when)

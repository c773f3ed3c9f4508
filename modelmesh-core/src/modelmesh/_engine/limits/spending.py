"""What an attempt may spend: its output limit, what is reserved for it, and whether a limit lets it through.

A budget bounds a request by bounding its answer: the output limit is what the rest of the budget pays for, and goes out as
the vendor's max-tokens parameter. The price of the prompt is taken from a count that real prompts seldom pass, so that one
request at a time never passes a budget.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric, Reserve
from modelmesh._engine.limits.token_counts import allowed_output, answers_of, limited
from modelmesh._engine.limits.window import Period
from modelmesh.contracts.operations import EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh._engine.limits.targets import LimitedModel
    from modelmesh.contracts.call import Call

ANSWERS_TO_TRUST = 3
"""Responses of a model after which its history is trusted for estimates."""

USEFUL_OUTPUT = 64
"""Tokens of the shortest answer that is worth a request: a budget that pays for fewer refuses it. Fewer are enough where the
caller asked for fewer, or the model's answers are shorter."""

USEFUL_SHARE = 0.9
"""Share of the shortest of a model's latest answers that the rest of a day or month has to pay for: less is of no use."""

TYPICAL_OUTPUT = 256
"""Tokens of an answer from a model that has not answered yet."""

UNKNOWN_LONGEST = 131_072
"""Tokens of the longest answer of a model whose limit is unknown: an affordable limit above it is not sent."""

UNTRIED_LONGEST = 16_384
"""Tokens that are reserved at most for an answer of a model without enough answers and without a known limit. Until a model has
:data:`ANSWERS_TO_TRUST` answers, half of what a request could spend is reserved."""

_MILLION = 1_000_000


@frozen
class OutputLimit:
    """The most tokens of an answer that the mesh sends with a request.

    Attributes:
        tokens: The limit.
        note: What is recorded on the attempt.
    """

    tokens: int
    note: str

    def applied(self, call: Call) -> Call:
        """Return the call with the limit in its body; limits that the caller states are lowered in place."""
        stated = allowed_output(call) is not None
        return evolve(call, payload=limited(call.payload, self.tokens), output_limit=None if stated else self.tokens)


@frozen
class SpendingPlan:
    """What one attempt is expected to take, and may take at most. Costs are nano-dollars, ``None`` when the price is unknown.

    Attributes:
        tokens: Of prompt and answer, for quotas.
        least: Cost of the prompt and the shortest useful answer.
        useful: Cost of the prompt and nearly the shortest of the model's latest answers.
        useful_at_most: The same for a prompt at its upper bound.
        likely: Cost of a typical answer.
        reserved: Cost that is reserved where budgets reserve an estimate.
        most: Cost at the output limit, for a prompt at its upper bound.
        limit: The output limit to be sent, ``None`` when the caller's request goes out as it is.
        short: Whether the answer would have to be shorter than usual only because of what is reserved for other attempts.
    """

    tokens: int
    least: int | None
    useful: int | None
    useful_at_most: int | None
    likely: int | None
    reserved: int | None
    most: int | None
    limit: OutputLimit | None = None
    short: bool = False

    def needed(self, limit: Limit) -> int | None:
        """Return the smallest amount of what a quota limits with which the attempt is worth making."""
        if limit.metric is Metric.REQUESTS:
            return 1
        if limit.metric is Metric.TOKENS:
            return min(self.tokens, limit.amount)  # an estimate above the whole limit would never let an attempt through
        if limit.window.period is Period.REQUEST:
            return self.least  # each request has this much, whatever was answered before
        return self.useful_at_most if limit.reserve is Reserve.MAXIMUM else self.useful

    def reserved_amount(self, limit: Limit) -> int | None:
        """Return the amount that is reserved of what a quota limits."""
        if limit.metric is Metric.COST:
            return self.most if limit.reserve is Reserve.MAXIMUM else self.reserved
        return self.needed(limit)

    def without_report(self, limit: Limit) -> int | None:
        """Return the amount that is counted for an attempt that may have been billed and of which nothing is known."""
        return self.likely if limit.metric is Metric.COST and limit.reserve is Reserve.ESTIMATE else self.reserved_amount(limit)


def plan_spending(
    model: LimitedModel, call: Call, counters: Sequence[LimitCounter], when: float, *, shared: bool = False
) -> SpendingPlan:
    """Plan an attempt at a time, Unix seconds, from what the meters have left.

    With ``shared``, other processes count too: they see a reservation as spent, so none is larger than a usual answer.
    """
    return _Planner(model, call, when, shared=shared).plan(counters)


class _Planner:
    """Prices one call at one model."""

    def __init__(self, model: LimitedModel, call: Call, when: float, *, shared: bool) -> None:
        self._model, self._when, self._shared = model, when, shared
        self._prompt = size = model.prompt_size(call)
        self._estimated, self._prudent, self._most = size.estimated, size.prudent, size.most
        self._no_answer = call.operation is EMBEDDINGS
        self._answers = answers_of(call)
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
        if self._no_answer:
            prudent, most, estimated = (self._cost(size, 0) for size in (self._prudent, self._most, self._estimated))
            return SpendingPlan(self._estimated, prudent, prudent, most, estimated, estimated, most)
        budgets = [counter for counter in counters if counter.limit.metric is Metric.COST and counter.limit.enforce]
        rooms = [(self._affordable(counter, counter.remaining), counter) for counter in budgets]
        known = [(room, counter) for room, counter in rooms if room is not None]
        affordable, tightest = min(known, key=lambda pair: pair[0], default=(None, None))
        strict = any(counter.limit.reserve is Reserve.MAXIMUM for counter in budgets)
        limit = self._limit(affordable, tightest, strict=strict)
        longest = limit.tokens if limit is not None else self._longest
        typical, expected = self._typical(), self._expected(affordable)
        if longest is not None:
            typical, expected = min(typical, longest), min(expected, longest)
        elif affordable is not None:
            longest = affordable
        useful, several = self._useful(), self._answers
        return SpendingPlan(
            self._estimated + typical * several,
            self._cost(self._prudent, self._least() * several),
            self._cost(self._prudent, useful * several),
            self._cost(self._most, useful * several),
            self._cost(self._estimated, typical * several),
            self._cost(self._prudent if self._stated is not None else self._estimated, expected * several),
            self._cost(self._most, (UNKNOWN_LONGEST if longest is None else longest) * several),
            limit,
            self._short(affordable, budgets),
        )

    def _limit(self, affordable: int | None, tightest: LimitCounter | None, *, strict: bool) -> OutputLimit | None:
        """Return the limit to send: what a budget pays for, what is configured, or what is reserved."""
        longest = self._longest
        if affordable is not None and tightest is not None and affordable < (UNKNOWN_LONGEST if longest is None else longest):
            return self._noted(
                max(affordable, 1), f"{tightest.limit.format_amount(tightest.remaining)} is left of {tightest.limit}"
            )
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

    def _least(self) -> int:
        stated = [USEFUL_OUTPUT]
        if self._longest is not None:
            stated.append(self._longest)
        if self._model.typical_output is not None:
            stated.append(max(math.ceil(self._model.typical_output), 1))
        return min(stated)

    def _useful(self) -> int:
        recent = self._model.recent_outputs
        useful = max(self._least(), int(min(recent) * USEFUL_SHARE) if len(recent) > 1 else 0)
        return useful if self._longest is None else min(useful, self._longest)

    def _expected(self, affordable: int | None) -> int:
        """Return the tokens of the answer that are reserved: what the caller states, else what is usual of the model."""
        if self._stated is not None:
            return self._stated
        if self._model.answers >= ANSWERS_TO_TRUST or affordable is None or self._shared:
            return self._typical()
        return max(self._typical(), min(affordable // 2, self._longest or UNTRIED_LONGEST))

    def _short(self, affordable: int | None, budgets: Sequence[LimitCounter]) -> bool:
        """Whether reservations of other attempts leave less than this one wants."""
        wanted = self._typical() if self._stated is None else self._stated
        if affordable is None or affordable >= wanted:
            return False
        for counter in budgets:
            if counter.reserved:
                alone = self._affordable(counter, counter.remaining + counter.reserved)
                if alone is not None and min(alone, wanted) > affordable:
                    return True
        return False

    def _affordable(self, counter: LimitCounter, left: int) -> int | None:
        """Return the tokens of each answer that an amount pays for; ``None`` when it pays for any, or the price is unknown."""
        prompt = self._most if counter.limit.reserve is Reserve.MAXIMUM else self._prudent
        base, more = self._cost(prompt, 0), self._cost(prompt, _MILLION)
        if base is None or more is None:
            return None
        if more <= base:
            return None if base <= left else 0
        tokens = max(left - base, 0) * _MILLION // (more - base) // self._answers
        while tokens and (self._cost(prompt, tokens * self._answers) or 0) > left:
            tokens -= 1
        return tokens

    def _cost(self, prompt: int, output: int) -> int | None:
        usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": output}
        if self._prompt.cached:
            usage["prompt_tokens_details"] = {"cache_write_tokens": prompt}
        return cost_nano_usd(self._model.info.pricing, usage, self._when)


CONFIGURED = "max_output_tokens_configured"
"""Key of ``ModelInfo.extra``: ``max_output_tokens`` is that of the configuration, and so is sent."""

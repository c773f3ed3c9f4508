"""Value types of reservations: the amounts of one attempt, a refused attempt, and an event of a limit."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen

from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric, OnExhausted
from modelmesh._engine.limits.spending import SpendingPlan


@frozen
class LimitExceeded:
    """A limit that an attempt does not fit.

    Attributes:
        counter: The counter of the limit.
        needed: Expected amount of the attempt, ``None`` when unknown.
        reason: Explanation for messages.
    """

    counter: LimitCounter
    needed: int | None
    reason: str

    @property
    def is_rate_of_caller(self) -> bool:
        """Whether it is a limit of the caller on requests or tokens, for which no other candidate and no short wait helps."""
        limit = self.counter.limit
        return bool(limit.caller) and limit.metric is not Metric.COST

    def ends_request(self, *, rotate_on_budget: bool) -> bool:
        """Return whether the request fails instead of trying the next candidate.

        Args:
            rotate_on_budget: Whether the budget of a model or provider rotates, regardless of the limit's own setting.
        """
        return (
            self.needed is not None  # a model without a known price is skipped, and ends nothing
            and self.counter.limit.on_exhausted is OnExhausted.ERROR
            and not (rotate_on_budget and self.counter.targets)
        )


@frozen(eq=False)
class LimitCheck:
    """The limits of one attempt, compared with what it is expected to consume.

    Attributes:
        counters: Counters that limit the attempt.
        plan: Expected consumption of the attempt, ``None`` when nothing limits it.
        exceeded: The limit that refuses the attempt, ``None`` when all have room.
    """

    counters: Sequence[LimitCounter] = ()
    plan: SpendingPlan | None = None
    exceeded: LimitExceeded | None = None


UNLIMITED = LimitCheck()
"""Check of an attempt that nothing limits."""


@define(eq=False)
class Reservation:
    """Amounts reserved for one attempt, until they are settled or released.

    Attributes:
        amounts: Pairs of counter and amount.
        plan: Expected consumption of the attempt.
        published: Counter, shared bucket and amount of each part that was published to other processes.
    """

    amounts: list[tuple[LimitCounter, int]]
    plan: SpendingPlan
    published: list[tuple[LimitCounter, str, int]] = field(factory=list)

    @property
    def spends_budget(self) -> bool:
        """Whether an enforced budget limits the attempt."""
        return any(counter.limit.enforce and counter.limit.metric is Metric.COST for counter, _ in self.amounts)


@define(eq=False)
class LimitEvent:
    """Event of a limit.

    Attributes:
        event: ``budget_alert`` or ``budget_exceeded``.
        counter: The counter of the limit.
        used: Amount used when the event occurred.
    """

    event: str
    counter: LimitCounter
    used: int


def shortage(limit: Limit, used: int, needed: int) -> str:
    """Return the text of an exceeded limit: what is used of a limit, and what the attempt needs."""
    return f"{limit.format_amount(used)} of {limit} are spent, and about {limit.format_amount(needed)} are needed"

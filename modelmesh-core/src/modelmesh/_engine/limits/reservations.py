"""The ledger: reserves what an attempt may spend before it is made, and settles what it did spend afterwards.

Reserving and settling happen in the flow, under the mesh's lock. Requests in flight together pass a budget by no more than what
they cost beyond their reservations; where the budget reserves the maximum, that is nothing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.failures import Billed
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric, OnExhausted, Reserve
from modelmesh._engine.limits.spending import CONFIGURED, OutputLimit, Plan, plan
from modelmesh._engine.limits.window import Period
from modelmesh.contracts.usage import reported_tokens

if TYPE_CHECKING:
    from modelmesh._engine.health.registry import HealthRegistry
    from modelmesh._engine.health.retry_policy import PoolPolicy
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.pool import Pool
    from modelmesh.contracts.call import Call

MAX_NOTES = 1000


@frozen
class Refusal:
    """Why an attempt may not be made.

    Attributes:
        counter: The limit that it does not fit.
        needed: What it was expected to take of it, ``None`` when unknown.
        reason: In words.
    """

    counter: LimitCounter
    needed: int | None
    reason: str

    def ends_request(self, policy: PoolPolicy) -> bool:
        """Whether the request ends here instead of going on to the next model; a model without a price alone is refused."""
        return (
            self.needed is not None
            and self.counter.limit.on_exhausted is OnExhausted.ERROR
            and not (policy.rotate_on_budget and self.counter.circuits)
        )


@define(eq=False)
class Reservation:
    """What is reserved for one attempt, until it is settled or released.

    Attributes:
        amounts: Pairs of meter and amount.
        plan: What the attempt is expected to take.
        published: What of it other processes were sent, and by which name of the count.
    """

    amounts: list[tuple[LimitCounter, int]]
    plan: Plan
    published: list[tuple[LimitCounter, str, int]] = field(factory=list)


@define(eq=False)
class LimitEvent:
    """Something to tell about a limit: ``budget_alert`` or ``budget_exceeded``."""

    event: str
    counter: LimitCounter
    used: int


class Reservations:
    """All that one mesh counts.

    Attributes:
        global_counters: Meters of the whole mesh.
        events: What is to be told about limits.
        deltas: Amounts since the last look, by name of the count, for whoever stores them; ``None`` when nobody does.
    """

    def __init__(self, health: HealthRegistry, clock: Clock | None = None) -> None:
        """Start with nothing counted.

        Args:
            health: Withholds what is spent.
            clock: Converts between monotonic and Unix time.
        """
        self._health = health
        self.clock = clock or Clock()
        self.global_counters: list[LimitCounter] = []
        self.events: deque[LimitEvent] = deque(maxlen=MAX_NOTES)
        self.deltas: dict[str, int] | None = None
        self._exhausted: set[LimitCounter] = set()

    # -- before an attempt ------------------------------------------------------------------------------------------

    def check(self, pool: Pool, candidate: Candidate, call: Call, now: float) -> Refusal | None:
        """Say why an attempt would not be made; changes nothing but windows that are over."""
        counters = self._advanced(pool, candidate, now)
        return self._first_refusal(counters, plan(candidate, call, counters, self.clock.unix(now))) if counters else None

    def should_wait(self, pool: Pool, candidate: Candidate, call: Call, now: float) -> bool:
        """Whether an attempt only lacks what budgets hold for other attempts, which may cost less than was reserved."""
        counters = self._advanced(pool, candidate, now)
        if not any(counter.reserved and counter.limit.enforce and counter.limit.metric is Metric.COST for counter in counters):
            return False
        planned = plan(candidate, call, counters, self.clock.unix(now), shared=self.deltas is not None)
        if self._first_refusal(counters, planned) is None:
            return planned.short
        return self._first_refusal(counters, planned, released=True) is None

    def reserve(self, pool: Pool, candidate: Candidate, call: Call, now: float) -> Reservation | None:
        """Reserve what an attempt that :meth:`check` let pass is expected to take; ``None`` when nothing is counted."""
        counters = self._advanced(pool, candidate, now)
        if not counters:
            return None
        planned = plan(candidate, call, counters, self.clock.unix(now), shared=self.deltas is not None)
        kept = (counter for counter in counters if counter.limit.window.period is not Period.REQUEST)
        reservation = Reservation([(counter, planned.held(counter.limit) or 0) for counter in kept], planned)
        for counter, amount in reservation.amounts:
            counter.reserved += amount
            self._after(counter, now)
        return reservation

    def output_limit(self, reservation: Reservation | None, candidate: Candidate, call: Call, now: float) -> OutputLimit | None:
        """Return the output limit that goes out with an attempt, ``None`` when the caller's request goes out as it is."""
        if reservation is not None:
            return reservation.plan.limit
        return plan(candidate, call, (), self.clock.unix(now)).limit if candidate.info.extra.get(CONFIGURED) else None

    def _advanced(self, pool: Pool, candidate: Candidate, now: float) -> list[LimitCounter]:
        counters = list(self._meters(pool, candidate))
        when = self.clock.unix(now)
        for counter in counters:
            counter.advance_window(when)
        return counters

    def _meters(self, pool: Pool, candidate: Candidate) -> Iterator[LimitCounter]:
        return chain(candidate.health.counters, candidate.account.counters, pool.counters, self.global_counters)

    @staticmethod
    def _first_refusal(counters: Sequence[LimitCounter], planned: Plan, *, released: bool = False) -> Refusal | None:
        """Return the refusal that counts.

        Args:
            counters: What limits the attempt.
            planned: What it needs.
            released: As if nothing were reserved for other attempts.
        """
        refusals = []
        for counter in counters:
            limit = counter.limit
            if not limit.enforce:
                continue
            amount = planned.needed(limit)
            if amount is None:
                if not limit.unknown_price:
                    refusals.append(Refusal(counter, None, f"its price is unknown, and a budget of {limit} is kept"))
            elif not counter.fits(amount, released=released):
                refusals.append(Refusal(counter, amount, _too_much(limit, counter.used + counter.reserved, amount)))
        return min(refusals, key=lambda refusal: refusal.counter.limit.on_exhausted is not OnExhausted.ERROR, default=None)

    def record_refusal(self, refusal: Refusal, now: float) -> None:
        """Note that an attempt was not made."""
        counter = refusal.counter
        if counter.limit.metric is Metric.COST and refusal.needed is not None:
            self.events.append(LimitEvent("budget_exceeded", counter, counter.used + counter.reserved))
        self._exhausted.add(counter)
        if counter.exhausted:
            self._suspend(counter, now)

    # -- after it ---------------------------------------------------------------------------------------------------

    def settle(
        self,
        reservation: Reservation | None,
        candidate: Candidate,
        usage: Mapping[str, Any] | None,
        now: float,
        *,
        unreported: bool = False,
    ) -> None:
        """Count what an attempt took; where that is unknown, what it was expected to.

        Args:
            reservation: What was reserved for it.
            candidate: The model.
            usage: Its tokens.
            now: Monotonic seconds.
            unreported: Whether the tokens are an estimate. The vendor may bill more, for what it wrote after the caller left or
                for reasoning that it does not show, so a budget that reserves the maximum counts what it reserved.
        """
        if reservation is None:
            return
        counts = [reported_tokens((usage or {}).get(name)) for name in ("prompt_tokens", "completion_tokens")]
        known = [count for count in counts if count is not None]
        cost = cost_nano_usd(candidate.info.pricing, usage, self.clock.unix(now)) if known else None

        def taken(limit: Limit, reserved: int) -> int:
            if limit.metric is Metric.COST and cost is not None:
                return max(cost, reserved) if unreported and limit.reserve is Reserve.MAXIMUM else cost
            if limit.metric is Metric.TOKENS and known:
                return sum(known)
            return reservation.plan.without_report(limit) or 0

        self._close(reservation, taken, now)

    def fail(self, reservation: Reservation | None, *, sent: bool, billed: Billed, now: float) -> None:
        """Count what a failed attempt took: nothing when it was not sent, its estimate when it may have been billed."""
        if reservation is None:
            return
        if not sent:
            self._close(reservation, lambda *_: 0, now)
        elif billed == Billed.NO:
            self._close(reservation, lambda limit, _: int(limit.metric is Metric.REQUESTS), now)
        else:
            self._close(reservation, lambda limit, _: reservation.plan.without_report(limit) or 0, now)

    def discard(self, reservation: Reservation | None, now: float) -> None:
        """Let go of a reservation that another process settles, and tell nobody of it."""
        if reservation is None:
            return
        for counter, reserved in reservation.amounts:
            counter.reserved -= reserved
            self._after(counter, now)
        for counter, bucket, told in reservation.published:
            counter.note_published(bucket, -told)
        reservation.amounts, reservation.published = [], []

    def _close(self, reservation: Reservation, amount: Callable[[Limit, int], int], now: float) -> None:
        when = self.clock.unix(now)
        while reservation.amounts:  # one by one: what an interrupted settlement did is not done twice
            counter, reserved = reservation.amounts.pop()
            counter.advance_window(when)
            counter.reserved -= reserved
            taken = amount(counter.limit, reserved)
            counter.add(taken, when)
            self._add_delta(counter.bucket, taken)
            self._after(counter, now)
        for counter, bucket, told in reservation.published:
            self._add_delta(bucket, -told)  # where it was told, though another window may have begun since
            counter.note_published(bucket, -told)
        reservation.published = []

    def recheck(self, counters: Iterable[LimitCounter], now: float) -> None:
        """Make available again what a reservation that was lost had exhausted."""
        for counter in counters:
            self._after(counter, now)

    def _after(self, counter: LimitCounter, now: float) -> None:
        """Withhold what is spent, let go of what is not, and tell once in a window that little is left."""
        limit = counter.limit
        if counter.exhausted:
            self._exhausted.add(counter)
            self._suspend(counter, now)
            return self._alert(counter)
        self._exhausted.discard(counter)
        if limit.enforce:
            for circuit in counter.circuits:
                if limit.reason in circuit.suspensions and not any(
                    m.exhausted for m in circuit.counters if m.limit.reason is limit.reason
                ):
                    self._health.resume(circuit, limit.reason)
        return self._alert(counter)

    def _alert(self, counter: LimitCounter) -> None:
        limit = counter.limit
        if limit.alert is not None and not counter.alerted and 0 < counter.used >= limit.alert * limit.amount:
            counter.alerted = True
            self.events.append(LimitEvent("budget_alert", counter, counter.used))

    def _suspend(self, counter: LimitCounter, now: float) -> None:
        if counter.limit.enforce and counter.limit.on_exhausted is OnExhausted.ROTATE:
            when = self.clock.unix(now)
            until = now + max(counter.resets_at(when) - when, 0.0)
            for circuit in counter.circuits:
                self._health.suspend(circuit, counter.limit.reason, until)

    def reset(self, counters: Iterable[LimitCounter]) -> None:
        """Begin anew by hand, here and where others count along."""
        for bucket, amount in chain.from_iterable(counter.reset().items() for counter in counters):
            self._add_delta(bucket, -amount)

    def forecasts(self, candidate: Candidate, now: float) -> Iterator[dict[str, Any]]:
        """Say of each limit of a model and its account what is left until it begins anew."""
        for counter in (*candidate.health.counters, *candidate.account.counters):
            yield forecast(counter, self.clock.unix(now))
        for row in candidate.rate_limits(now):
            yield {
                "of": f"model:{candidate}",
                "metric": row.kind,
                "window": "the vendor's",
                "limit": row.limit,
                "used": row.limit - row.remaining,
                "left": row.remaining,
                "resets_at": None if row.resets_in is None else self.clock.unix(candidate.answered_at + row.resets_in),
                "source": "the headers of its latest answer",
            }

    # -- what others count, and earlier runs ------------------------------------------------------------------------

    def _add_delta(self, bucket: str, amount: int) -> None:
        if self.deltas is not None and amount and bucket:
            self.deltas[bucket] = self.deltas.get(bucket, 0) + amount

    def counters(self, pools: Sequence[Pool]) -> dict[str, LimitCounter]:
        """Return every meter there is by the name of its count."""
        found = list(self.global_counters)
        for pool in pools:
            found += pool.counters
            for candidate in pool.members:
                found += candidate.health.counters
                found += candidate.account.counters
        return {counter.limit.name: counter for counter in found}

    def take_deltas(self) -> dict[str, int]:
        """Return the amounts since the last look."""
        posted, self.deltas = self.deltas or {}, {} if self.deltas is not None else None
        return posted

    def publish(self, reservation: Reservation) -> dict[str, int]:
        """Return the same, and what one booking reserves of each of its counts, though that is nothing.

        The booking of another thread never travels with it: else that thread would be told totals without its own.
        """
        amounts = self.take_deltas()
        for counter, amount in reservation.amounts:
            for bucket in counter.buckets:
                amounts.setdefault(bucket, 0)  # whatever is in the window is looked at
            if counter.bucket:
                reservation.published.append((counter, counter.bucket, amount))
                counter.note_published(counter.bucket, amount)
                amounts[counter.bucket] += amount
        return amounts

    def requeue(self, amounts: dict[str, int]) -> None:
        """Take back amounts that nobody has sent; somebody else may be taking them at the same moment."""
        for bucket, amount in drained(amounts):
            self._add_delta(bucket, amount)

    def exhausted_counters(self) -> list[str]:
        """Return the counts that are spent or refused something, by name: what others give back is seen nowhere else."""
        return [bucket for counter in self._exhausted for bucket in counter.buckets] if self.deltas is not None else []

    def apply_totals(self, reservation: Reservation, totals: Mapping[str, int], now: float) -> Refusal | None:
        """Take what all processes together have reserved and spent; say so when this one came too late."""
        for counter, amount in reservation.amounts:
            total, limit = counter.apply_totals(totals, self.clock.unix(now)), counter.limit
            if total is None:
                continue
            if limit.enforce and amount and total > limit.amount:
                return Refusal(counter, amount, f"{_too_much(limit, total - amount, amount)} (all processes together)")
            self._after(counter, now)
        return None

    def apply_all_totals(self, counters: Mapping[str, LimitCounter], totals: Mapping[str, int], now: float) -> None:
        """Take what all processes together have reserved and spent, as far as it is among the totals."""
        for counter in counters.values():
            counter.advance_window(self.clock.unix(now))
            if counter.apply_totals(totals, self.clock.unix(now)) is not None:
                self._after(counter, now)

    def restore(self, counters: Mapping[str, LimitCounter], saved: Mapping[str, Any], now: float) -> None:
        """Take up the counts of an earlier run."""
        for name, counter in counters.items():
            if name in saved:
                counter.restore(saved[name], self.clock.unix(now))
                self._after(counter, now)


def drained(amounts: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Take every amount out; of two who do so at the same time, each amount goes to one."""
    while amounts:
        try:
            yield amounts.popitem()
        except KeyError:  # the other one had the last
            return


def _too_much(limit: Limit, spent: int, wanted: int) -> str:
    return f"{limit.format_amount(spent)} of {limit} are spent, and about {limit.format_amount(wanted)} are needed"


def forecast(counter: LimitCounter, when: float) -> dict[str, Any]:
    """Say what is left of a limit until it begins anew, as plain data."""
    counter.advance_window(when)
    limit, ends = counter.limit, counter.resets_at(when)
    return {
        "of": limit.key,
        "metric": limit.metric.value,
        "window": limit.window.period.value,
        "limit": limit.amount,
        "used": counter.used + counter.reserved,
        "left": counter.remaining,
        "resets_at": None if math.isinf(ends) else ends,
        "source": limit.source,
    }

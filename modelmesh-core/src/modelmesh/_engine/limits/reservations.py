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

from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.limits.counter import Meter, Metric, OnSpent, Quota, Reserve
from modelmesh._engine.limits.spending import CONFIGURED, OutputLimit, Plan, plan
from modelmesh._engine.limits.window import Period
from modelmesh.contracts.usage import reported_tokens

if TYPE_CHECKING:
    from modelmesh._engine.health.registry import HealthBook
    from modelmesh._engine.health.retry_policy import PoolPolicy
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.pool import Pool
    from modelmesh.contracts.call import Call

MAX_NOTES = 1000


@frozen
class Refusal:
    """Why an attempt may not be made.

    Attributes:
        meter: The limit that it does not fit.
        wanted: What it was expected to take of it, ``None`` when unknown.
        why: In words.
    """

    meter: Meter
    wanted: int | None
    why: str

    def ends(self, policy: PoolPolicy) -> bool:
        """Whether the request ends here instead of going on to the next model; a model without a price alone is refused."""
        return (
            self.wanted is not None
            and self.meter.quota.on_spent is OnSpent.ERROR
            and not (policy.rotate_on_budget and self.meter.circuits)
        )


@define(eq=False)
class Booking:
    """What is reserved for one attempt, until it is settled or released.

    Attributes:
        held: Pairs of meter and amount.
        plan: What the attempt is expected to take.
        posted: What of it other processes were sent, and by which name of the count.
    """

    held: list[tuple[Meter, int]]
    plan: Plan
    posted: list[tuple[Meter, str, int]] = field(factory=list)


@define(eq=False)
class Note:
    """Something to tell about a limit: ``budget_alert`` or ``budget_exceeded``."""

    event: str
    meter: Meter
    used: int


class Ledger:
    """All that one mesh counts.

    Attributes:
        everywhere: Meters of the whole mesh.
        notes: What is to be told about limits.
        posted: Amounts since the last look, by name of the count, for whoever stores them; ``None`` when nobody does.
    """

    def __init__(self, book: HealthBook, *, epoch: float = 0.0) -> None:
        """Start with nothing counted.

        Args:
            book: Withholds what is spent.
            epoch: Unix time at which the monotonic clock read 0. It is never looked at again: the wall clock may jump.
        """
        self._book = book
        self.epoch = epoch
        self.everywhere: list[Meter] = []
        self.notes: deque[Note] = deque(maxlen=MAX_NOTES)
        self.posted: dict[str, int] | None = None
        self._watched: set[Meter] = set()

    # -- before an attempt ------------------------------------------------------------------------------------------

    def refusal(self, pool: Pool, candidate: Candidate, call: Call, now: float) -> Refusal | None:
        """Say why an attempt would not be made; changes nothing but windows that are over."""
        meters = self._rolled(pool, candidate, now)
        return self._first_refusal(meters, plan(candidate, call, meters, self.epoch + now)) if meters else None

    def waits(self, pool: Pool, candidate: Candidate, call: Call, now: float) -> bool:
        """Whether an attempt only lacks what budgets hold for other attempts, which may cost less than was reserved."""
        meters = self._rolled(pool, candidate, now)
        if not any(meter.reserved and meter.quota.enforce and meter.quota.metric is Metric.COST for meter in meters):
            return False
        planned = plan(candidate, call, meters, self.epoch + now, shared=self.posted is not None)
        if self._first_refusal(meters, planned) is None:
            return planned.short
        return self._first_refusal(meters, planned, released=True) is None

    def reserve(self, pool: Pool, candidate: Candidate, call: Call, now: float) -> Booking | None:
        """Reserve what an attempt that :meth:`refusal` let pass is expected to take; ``None`` when nothing is counted."""
        meters = self._rolled(pool, candidate, now)
        if not meters:
            return None
        planned = plan(candidate, call, meters, self.epoch + now, shared=self.posted is not None)
        kept = (meter for meter in meters if meter.quota.window.period is not Period.REQUEST)
        booking = Booking([(meter, planned.held(meter.quota) or 0) for meter in kept], planned)
        for meter, amount in booking.held:
            meter.reserved += amount
            self._after(meter, now)
        return booking

    def output_limit(self, booking: Booking | None, candidate: Candidate, call: Call, now: float) -> OutputLimit | None:
        """Return the output limit that goes out with an attempt, ``None`` when the caller's request goes out as it is."""
        if booking is not None:
            return booking.plan.limit
        return plan(candidate, call, (), self.epoch + now).limit if candidate.info.extra.get(CONFIGURED) else None

    def _rolled(self, pool: Pool, candidate: Candidate, now: float) -> list[Meter]:
        meters = list(self._meters(pool, candidate))
        for meter in meters:
            meter.roll(self.epoch + now)
        return meters

    def _meters(self, pool: Pool, candidate: Candidate) -> Iterator[Meter]:
        return chain(candidate.health.meters, candidate.account.meters, pool.meters, self.everywhere)

    @staticmethod
    def _first_refusal(meters: Sequence[Meter], planned: Plan, *, released: bool = False) -> Refusal | None:
        """Return the refusal that counts.

        Args:
            meters: What limits the attempt.
            planned: What it needs.
            released: As if nothing were reserved for other attempts.
        """
        refusals = []
        for meter in meters:
            quota = meter.quota
            if not quota.enforce:
                continue
            amount = planned.needed(quota)
            if amount is None:
                if not quota.unknown_price:
                    refusals.append(Refusal(meter, None, f"its price is unknown, and a budget of {quota} is kept"))
            elif not meter.fits(amount, released=released):
                refusals.append(Refusal(meter, amount, _too_much(quota, meter.used + meter.reserved, amount)))
        return min(refusals, key=lambda refusal: refusal.meter.quota.on_spent is not OnSpent.ERROR, default=None)

    def refused(self, refusal: Refusal, now: float) -> None:
        """Note that an attempt was not made."""
        meter = refusal.meter
        if meter.quota.metric is Metric.COST and refusal.wanted is not None:
            self.notes.append(Note("budget_exceeded", meter, meter.used + meter.reserved))
        self._watched.add(meter)
        if meter.spent:
            self._hold(meter, now)

    # -- after it ---------------------------------------------------------------------------------------------------

    def settle(
        self,
        booking: Booking | None,
        candidate: Candidate,
        usage: Mapping[str, Any] | None,
        now: float,
        *,
        unreported: bool = False,
    ) -> None:
        """Count what an attempt took; where that is unknown, what it was expected to.

        Args:
            booking: What was reserved for it.
            candidate: The model.
            usage: Its tokens.
            now: Monotonic seconds.
            unreported: Whether the tokens are an estimate. The vendor may bill more, for what it wrote after the caller left or
                for reasoning that it does not show, so a budget that reserves the maximum counts what it reserved.
        """
        if booking is None:
            return
        counts = [reported_tokens((usage or {}).get(name)) for name in ("prompt_tokens", "completion_tokens")]
        known = [count for count in counts if count is not None]
        cost = cost_nano_usd(candidate.info.pricing, usage, self.epoch + now) if known else None

        def taken(quota: Quota, reserved: int) -> int:
            if quota.metric is Metric.COST and cost is not None:
                return max(cost, reserved) if unreported and quota.reserve is Reserve.MAXIMUM else cost
            if quota.metric is Metric.TOKENS and known:
                return sum(known)
            return booking.plan.without_report(quota) or 0

        self._close(booking, taken, now)

    def fail(self, booking: Booking | None, *, sent: bool, billed: str, now: float) -> None:
        """Count what a failed attempt took: nothing when it was not sent, its estimate when it may have been billed."""
        if booking is None:
            return
        if not sent:
            self._close(booking, lambda *_: 0, now)
        elif billed == "no":
            self._close(booking, lambda quota, _: int(quota.metric is Metric.REQUESTS), now)
        else:
            self._close(booking, lambda quota, _: booking.plan.without_report(quota) or 0, now)

    def forgo(self, booking: Booking | None, now: float) -> None:
        """Let go of a reservation that another process settles, and tell nobody of it."""
        if booking is None:
            return
        for meter, reserved in booking.held:
            meter.reserved -= reserved
            self._after(meter, now)
        for meter, bucket, told in booking.posted:
            meter.tell(bucket, -told)
        booking.held, booking.posted = [], []

    def _close(self, booking: Booking, amount: Callable[[Quota, int], int], now: float) -> None:
        when = self.epoch + now
        while booking.held:  # one by one: what an interrupted settlement did is not done twice
            meter, reserved = booking.held.pop()
            meter.roll(when)
            meter.reserved -= reserved
            taken = amount(meter.quota, reserved)
            meter.add(taken, when)
            self._post(meter.bucket, taken)
            self._after(meter, now)
        for meter, bucket, told in booking.posted:
            self._post(bucket, -told)  # where it was told, though another window may have begun since
            meter.tell(bucket, -told)
        booking.posted = []

    def recheck(self, meters: Iterable[Meter], now: float) -> None:
        """Make available again what a reservation that was lost had exhausted."""
        for meter in meters:
            self._after(meter, now)

    def _after(self, meter: Meter, now: float) -> None:
        """Withhold what is spent, let go of what is not, and tell once in a window that little is left."""
        quota = meter.quota
        if meter.spent:
            self._watched.add(meter)
            self._hold(meter, now)
            return self._alert(meter)
        self._watched.discard(meter)
        if quota.enforce:
            for circuit in meter.circuits:
                if quota.reason in circuit.holds and not any(m.spent for m in circuit.meters if m.quota.reason is quota.reason):
                    self._book.free(circuit, quota.reason)
        return self._alert(meter)

    def _alert(self, meter: Meter) -> None:
        quota = meter.quota
        if quota.alert is not None and not meter.alerted and 0 < meter.used >= quota.alert * quota.limit:
            meter.alerted = True
            self.notes.append(Note("budget_alert", meter, meter.used))

    def _hold(self, meter: Meter, now: float) -> None:
        if meter.quota.enforce and meter.quota.on_spent is OnSpent.ROTATE:
            when = self.epoch + now
            until = now + max(meter.resets(when) - when, 0.0)
            for circuit in meter.circuits:
                self._book.hold(circuit, meter.quota.reason, until)

    def reset(self, meters: Iterable[Meter]) -> None:
        """Begin anew by hand, here and where others count along."""
        for bucket, amount in chain.from_iterable(meter.reset().items() for meter in meters):
            self._post(bucket, -amount)

    def forecasts(self, candidate: Candidate, now: float) -> Iterator[dict[str, Any]]:
        """Say of each limit of a model and its account what is left until it begins anew."""
        for meter in (*candidate.health.meters, *candidate.account.meters):
            yield forecast(meter, self.epoch + now)
        for row in candidate.rate_limits(now):
            yield {
                "of": f"model:{candidate}",
                "metric": row.kind,
                "window": "the vendor's",
                "limit": row.limit,
                "used": row.limit - row.remaining,
                "left": row.remaining,
                "resets_at": None if row.resets_in is None else candidate.answered_at + self.epoch + row.resets_in,
                "source": "the headers of its latest answer",
            }

    # -- what others count, and earlier runs ------------------------------------------------------------------------

    def _post(self, bucket: str, amount: int) -> None:
        if self.posted is not None and amount and bucket:
            self.posted[bucket] = self.posted.get(bucket, 0) + amount

    def meters(self, pools: Sequence[Pool]) -> dict[str, Meter]:
        """Return every meter there is by the name of its count."""
        found = list(self.everywhere)
        for pool in pools:
            found += pool.meters
            for candidate in pool.members:
                found += candidate.health.meters
                found += candidate.account.meters
        return {meter.quota.name: meter for meter in found}

    def take_posted(self) -> dict[str, int]:
        """Return the amounts since the last look."""
        posted, self.posted = self.posted or {}, {} if self.posted is not None else None
        return posted

    def post(self, booking: Booking) -> dict[str, int]:
        """Return the same, and what one booking reserves of each of its counts, though that is nothing.

        The booking of another thread never travels with it: else that thread would be told totals without its own.
        """
        amounts = self.take_posted()
        for meter, amount in booking.held:
            for bucket in meter.buckets:
                amounts.setdefault(bucket, 0)  # whatever is in the window is looked at
            if meter.bucket:
                booking.posted.append((meter, meter.bucket, amount))
                meter.tell(meter.bucket, amount)
                amounts[meter.bucket] += amount
        return amounts

    def put_back(self, amounts: dict[str, int]) -> None:
        """Take back amounts that nobody has sent; somebody else may be taking them at the same moment."""
        for bucket, amount in drained(amounts):
            self._post(bucket, amount)

    def watched(self) -> list[str]:
        """Return the counts that are spent or refused something, by name: what others give back is seen nowhere else."""
        return [bucket for meter in self._watched for bucket in meter.buckets] if self.posted is not None else []

    def adopt(self, booking: Booking, totals: Mapping[str, int], now: float) -> Refusal | None:
        """Take what all processes together have reserved and spent; say so when this one came too late."""
        for meter, amount in booking.held:
            total, quota = meter.adopt(totals, self.epoch + now), meter.quota
            if total is None:
                continue
            if quota.enforce and amount and total > quota.limit:
                return Refusal(meter, amount, f"{_too_much(quota, total - amount, amount)} (all processes together)")
            self._after(meter, now)
        return None

    def adopt_all(self, meters: Mapping[str, Meter], totals: Mapping[str, int], now: float) -> None:
        """Take what all processes together have reserved and spent, as far as it is among the totals."""
        for meter in meters.values():
            meter.roll(self.epoch + now)
            if meter.adopt(totals, self.epoch + now) is not None:
                self._after(meter, now)

    def restore(self, meters: Mapping[str, Meter], saved: Mapping[str, Any], now: float) -> None:
        """Take up the counts of an earlier run."""
        for name, meter in meters.items():
            if name in saved:
                meter.restore(saved[name], self.epoch + now)
                self._after(meter, now)


def drained(amounts: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Take every amount out; of two who do so at the same time, each amount goes to one."""
    while amounts:
        try:
            yield amounts.popitem()
        except KeyError:  # the other one had the last
            return


def _too_much(quota: Quota, spent: int, wanted: int) -> str:
    return f"{quota.shown(spent)} of {quota} are spent, and about {quota.shown(wanted)} are needed"


def forecast(meter: Meter, when: float) -> dict[str, Any]:
    """Say what is left of a limit until it begins anew, as plain data."""
    meter.roll(when)
    quota, ends = meter.quota, meter.resets(when)
    return {
        "of": quota.key,
        "metric": quota.metric.value,
        "window": quota.window.period.value,
        "limit": quota.limit,
        "used": meter.used + meter.reserved,
        "left": meter.left,
        "resets_at": None if math.isinf(ends) else ends,
        "source": quota.source,
    }

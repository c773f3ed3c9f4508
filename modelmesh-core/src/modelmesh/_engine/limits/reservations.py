"""Reservation, settlement and release of the amounts that attempts consume.

All of it happens in the request flow, under the mesh's lock. Concurrent requests exceed a budget by at most what they cost
beyond their reservations. A budget that reserves the maximum is therefore never exceeded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.failures import Billed
from modelmesh._engine.limits.caller_counters import KEYS, CallerCounters
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric, OnExhausted, Reserve
from modelmesh._engine.limits.enforcement import LimitEnforcement
from modelmesh._engine.limits.forecasts import forecast, reported_forecasts
from modelmesh._engine.limits.reservation import (
    UNLIMITED,
    LimitCheck,
    LimitEvent,
    LimitExceeded,
    Reservation,
    shortage,
)
from modelmesh._engine.limits.shared_deltas import SharedDeltas
from modelmesh._engine.limits.spending import CONFIGURED, OutputLimit, SpendingPlan, plan_spending
from modelmesh._engine.limits.window import Period
from modelmesh.contracts.operations import CHAT
from modelmesh.contracts.usage import reported_tokens

if TYPE_CHECKING:
    from modelmesh._engine.limits.caller_limits import CallerLimits
    from modelmesh._engine.limits.suspension import Suspender, SuspensionTarget
    from modelmesh._engine.limits.targets import LimitedModel, LimitedPool
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.caller import Caller


class Reservations:
    """Limits of one mesh, and what attempts reserve of them.

    Attributes:
        clock: Converts between monotonic and Unix time.
        global_counters: Counters of the whole mesh.
        callers: Counters of the tokens and teams that send requests.
        shared: Amounts to be published to other processes.
    """

    def __init__(self, suspender: Suspender, clock: Clock | None = None) -> None:
        """Start without limits.

        Args:
            suspender: Suspends the targets of exhausted limits. The health registry.
            clock: Converts between monotonic and Unix time.
        """
        self.clock = clock or Clock()
        self.global_counters: list[LimitCounter] = []
        self.callers = CallerCounters()
        self.shared = SharedDeltas()
        self._enforcement = LimitEnforcement(suspender, self.clock)

    @property
    def events(self) -> deque[LimitEvent]:
        """Alerts and exceeded limits that were not published yet."""
        return self._enforcement.events

    # -- counters ---------------------------------------------------------------------------------------------------

    def counters_of(self, target: SuspensionTarget) -> Sequence[LimitCounter]:
        """Return the counters that limit a model or a provider account."""
        return self._enforcement.counters_of(target)

    @property
    def counters_by_target(self) -> Mapping[SuspensionTarget, Sequence[LimitCounter]]:
        """Counters of every model and provider account that has any."""
        return self._enforcement.counters

    def attach(self, target: SuspensionTarget, counters: Iterable[LimitCounter]) -> None:
        """Attach counters to a model or a provider account."""
        self._enforcement.attach(target, counters)

    def counters(self, pools: Iterable[LimitedPool], *, callers: bool = True) -> dict[str, LimitCounter]:
        """Return every counter by its name, those of tokens and teams only with ``callers``."""
        found = list(self.global_counters)
        for pool in pools:
            found += pool.counters
            for model in pool.members:
                found += self.counters_of(model.health)
                found += self.counters_of(model.account)
        counters = {counter.limit.name: counter for counter in found}
        return {**counters, **self.callers.counters} if callers else counters

    def counters_for(
        self, pool: LimitedPool, model: LimitedModel, caller: Caller | None, *, is_first: bool = True
    ) -> Sequence[LimitCounter]:
        """Return the counters that limit an attempt at a model of a pool.

        Args:
            pool: The pool.
            model: The model.
            caller: The caller of the request.
            is_first: Whether no attempt was made for the request yet. A request counts once for its caller.
        """
        if caller is not None and caller.limits:
            own = caller.limits if is_first else (one for one in caller.limits if one.limit.metric is not Metric.REQUESTS)
            return [*own, *self._of_mesh(pool, model)]
        return self._of_mesh(pool, model)

    def _of_mesh(self, pool: LimitedPool, model: LimitedModel) -> Sequence[LimitCounter]:
        by_target = self._enforcement.counters
        if not by_target and not pool.counters and not self.global_counters:
            return ()
        own, shared = by_target.get(model.health, ()), by_target.get(model.account, ())
        return [*own, *shared, *pool.counters, *self.global_counters]

    def exhausted_buckets(self) -> list[str]:
        """Return the shared buckets of counters without room. Only the store shows what other processes return to them."""
        if self.shared.pending is None:
            return []
        return [bucket for counter in self._enforcement.exhausted for bucket in counter.buckets]

    # -- before an attempt ------------------------------------------------------------------------------------------

    def check(self, pool: LimitedPool, model: LimitedModel, call: Call, now: float, *, is_first: bool = True) -> LimitCheck:
        """Compare the limits of an attempt with what it is expected to consume. Changes nothing but expired windows.

        Args:
            pool: The pool.
            model: The model.
            call: The request.
            now: Monotonic seconds.
            is_first: Whether no attempt was made for the request yet.
        """
        counters = self.counters_for(pool, model, call.options.caller, is_first=is_first)
        if not counters:
            return UNLIMITED
        when = self.clock.unix(now)
        for counter in counters:
            counter.advance_window(when)
        plan = plan_spending(model, call, counters, when, shared=self.shared.pending is not None)
        return LimitCheck(counters, plan, _first_exceeded(counters, plan))

    def should_wait(self, check: LimitCheck) -> bool:
        """Return whether an attempt lacks only money that is reserved for other attempts, which may cost less."""
        counters, plan = check.counters, check.plan
        if plan is None:
            return False
        if check.exceeded is not None and check.exceeded.is_rate_of_caller:
            return False
        for counter in counters:
            if counter.reserved and counter.limit.enforce and counter.limit.metric is Metric.COST:
                break
        else:
            return False
        return plan.short if check.exceeded is None else _first_exceeded(counters, plan, released=True) is None

    def reserve(self, check: LimitCheck, now: float) -> Reservation | None:
        """Reserve the expected amounts of an attempt, ``None`` when nothing limits it.

        Args:
            check: A check that permitted the attempt, in the same step of the request.
            now: Monotonic seconds.
        """
        plan = check.plan
        if plan is None:
            return None
        reservation = Reservation([], plan)
        for counter in check.counters:
            if counter.limit.window.period is not Period.REQUEST:
                amount = plan.reserved_amount(counter.limit) or 0
                reservation.amounts.append((counter, amount))
                counter.reserved += amount
                self._enforcement.update(counter, now)
        return reservation

    def output_limit(self, reservation: Reservation | None, model: LimitedModel, call: Call, now: float) -> OutputLimit | None:
        """Return the output limit to send with an attempt, ``None`` to send the caller's request unchanged."""
        if call.operation is not CHAT:  # no other operation has such a parameter
            return None
        if reservation is not None:
            return reservation.plan.limit
        return plan_spending(model, call, (), self.clock.unix(now)).limit if model.info.extra.get(CONFIGURED) else None

    def record_exceeded(self, exceeded: LimitExceeded, now: float) -> None:
        """Record that a limit refused an attempt."""
        self._enforcement.record_exceeded(exceeded, now)

    # -- after an attempt -------------------------------------------------------------------------------------------

    def settle(
        self,
        reservation: Reservation | None,
        usage: Mapping[str, Any] | None,
        nano_usd: int | None,
        now: float,
        *,
        unreported: bool = False,
    ) -> None:
        """Replace a reservation by the consumption of its attempt, or by the expected amount where that is unknown.

        Args:
            reservation: The reservation.
            usage: Token usage of the attempt.
            nano_usd: Cost of this usage, ``None`` when unknown.
            now: Monotonic seconds.
            unreported: Whether the usage is an estimate. The vendor may bill more, for output after the caller left or for
                reasoning that it does not show, so a budget that reserves the maximum counts the reserved amount.
        """
        if reservation is None:
            return
        usage = usage or {}
        prompt, output = reported_tokens(usage.get("prompt_tokens")), reported_tokens(usage.get("completion_tokens"))
        tokens = None if prompt is None and output is None else (prompt or 0) + (output or 0)
        cost = nano_usd if usage else None

        def consumed(limit: Limit, reserved: int) -> int:
            if limit.metric is Metric.COST and cost is not None:
                return max(cost, reserved) if unreported and limit.reserve is Reserve.MAXIMUM else cost
            if limit.metric is Metric.TOKENS and tokens is not None:
                return tokens
            return reservation.plan.without_report(limit) or 0

        self._close(reservation, consumed, now)

    def fail(self, reservation: Reservation | None, *, sent: bool, billed: Billed, now: float) -> None:
        """Settle a failed attempt: nothing if it was not sent, the expected amount if the vendor may charge for it."""
        if reservation is None:
            return
        if not sent:
            self._close(reservation, lambda *_: 0, now)
        elif billed == Billed.NO:
            self._close(reservation, lambda limit, _: int(limit.metric is Metric.REQUESTS), now)
        else:
            self._close(reservation, lambda limit, _: reservation.plan.without_report(limit) or 0, now)

    def discard(self, reservation: Reservation | None, now: float) -> None:
        """Release a reservation that another process settles, without publishing the release."""
        if reservation is None:
            return
        for counter, reserved in reservation.amounts:
            counter.reserved -= reserved
            self._enforcement.update(counter, now)
        for counter, bucket, amount in reservation.published:
            counter.note_published(bucket, -amount)
        reservation.amounts, reservation.published = [], []

    def _close(self, reservation: Reservation, amount: Callable[[Limit, int], int], now: float) -> None:
        when = self.clock.unix(now)
        while reservation.amounts:  # one at a time, so that a settlement that was interrupted is not repeated
            counter, reserved = reservation.amounts.pop()
            counter.advance_window(when)
            counter.reserved -= reserved
            consumed = amount(counter.limit, reserved)
            counter.add(consumed, when)
            if self.shared.pending is not None:
                self.shared.add(counter.bucket, consumed)
            self._enforcement.update(counter, now)
        for counter, bucket, published in reservation.published:
            self.shared.add(bucket, -published)  # from the bucket it was published to, though a new window may have begun
            counter.note_published(bucket, -published)
        reservation.published = []

    def recheck(self, counters: Iterable[LimitCounter], now: float) -> None:
        """Bring suspensions up to date after the reserved amounts of counters were corrected."""
        for counter in counters:
            self._enforcement.update(counter, now)

    def reset(self, target: SuspensionTarget) -> None:
        """Reset the counters of a target by a manual step, here and in the shared counts."""
        for counter in self.counters_of(target):
            for bucket, amount in counter.reset().items():
                self.shared.add(bucket, -amount)

    # -- shared and stored counts -----------------------------------------------------------------------------------

    def apply_totals(
        self, reservation: Reservation, totals: Mapping[str, int], now: float, later: Mapping[str, int] = MappingProxyType({})
    ) -> LimitExceeded | None:
        """Apply the totals of all processes. Return a limit that reservations before this one exceed.

        Args:
            reservation: The reservation, which the totals contain.
            totals: The totals by shared bucket.
            now: Monotonic seconds.
            later: Amounts in the totals that were reserved after this reservation.
        """
        for counter, amount in reservation.amounts:
            total, limit = counter.apply_totals(totals, self.clock.unix(now)), counter.limit
            if total is None:
                continue
            total -= later.get(counter.bucket, 0)
            if limit.enforce and amount and total > limit.amount:
                return LimitExceeded(counter, amount, f"{shortage(limit, total - amount, amount)} (all processes together)")
            self._enforcement.update(counter, now)
        return None

    def apply_all_totals(self, counters: Mapping[str, LimitCounter], totals: Mapping[str, int], now: float) -> None:
        """Apply the totals of all processes to every counter that they contain."""
        when = self.clock.unix(now)
        for counter in counters.values():
            counter.advance_window(when)
            if counter.apply_totals(totals, when) is not None:
                self._enforcement.update(counter, now)

    def restore(self, counters: Mapping[str, LimitCounter], saved: Mapping[str, Any], now: float) -> None:
        """Restore the counts of an earlier run."""
        for name, counter in counters.items():
            if name in saved:
                counter.restore(saved[name], self.clock.unix(now))
                self._enforcement.update(counter, now)

    def restore_callers(self, saved: Mapping[str, Any], now: float) -> None:
        """Restore the counts of tokens and teams, or keep them until these are known."""
        found = {name: row for name, row in saved.items() if name.startswith(KEYS)}
        self.callers.unclaimed |= {name: row for name, row in found.items() if name not in self.callers.counters}
        self.restore(self.callers.counters, found, now)

    def limit_callers(self, callers: Iterable[CallerLimits], now: float) -> dict[str, LimitCounter]:
        """Set the limits of all tokens and teams. Those that existed before keep their counts.

        Returns:
            The new counters by name.
        """
        added, removed = self.callers.replace(callers)
        when, unclaimed = self.clock.unix(now), self.callers.unclaimed
        for name, counter in added.items():
            counter.advance_window(when)
            if name in unclaimed:
                counter.restore(unclaimed.pop(name), when)
        for counter in self.callers.counters.values():
            self._enforcement.update(counter, now)
        self._enforcement.exhausted.difference_update(removed)
        return added

    def forecasts(self, model: LimitedModel, now: float) -> Iterator[dict[str, Any]]:
        """Yield what remains of each limit of a model and of its provider account."""
        for counter in (*self.counters_of(model.health), *self.counters_of(model.account)):
            yield forecast(counter, self.clock.unix(now))
        yield from reported_forecasts(model, now, self.clock)


def _first_exceeded(counters: Sequence[LimitCounter], plan: SpendingPlan, *, released: bool = False) -> LimitExceeded | None:
    """Return the exceeded limit that decides: one that ends the request precedes the others.

    Args:
        counters: Counters that limit the attempt.
        plan: Expected consumption of the attempt.
        released: Whether to ignore what is reserved for other attempts.
    """
    exceeded_limits = []
    for counter in counters:
        limit = counter.limit
        if not limit.enforce:
            continue
        amount = plan.needed(limit)
        if amount is None:
            if not limit.unknown_price:
                exceeded_limits.append(
                    LimitExceeded(counter, None, f"its price is unknown, and the budget of {limit} requires one")
                )
        elif not counter.fits(amount, released=released):
            exceeded_limits.append(LimitExceeded(counter, amount, shortage(limit, counter.used + counter.reserved, amount)))
    if not exceeded_limits:
        return None
    return min(exceeded_limits, key=lambda exceeded: exceeded.counter.limit.on_exhausted is not OnExhausted.ERROR)

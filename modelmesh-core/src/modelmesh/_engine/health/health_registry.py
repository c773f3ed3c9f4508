"""Health registry of one mesh: applies the results of attempts, probes and manual steps to breakers.

All times are monotonic seconds that the caller passes in. Jitter comes from a random source that the caller passes in.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import Effect, FailureClass, Scope
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.admission_queue import Ticket
from modelmesh._engine.health.changes import ChangeKind, ChangeLog
from modelmesh._engine.health.circuit_breaker import KEY_FAILURES, BreakerState, CircuitBreaker
from modelmesh._engine.health.circuit_policy import REFUSED_PARAMETER_S, CircuitPolicy
from modelmesh._engine.health.cooldown import cooldown, rule_cooldown
from modelmesh._engine.health.lease import NO_PROBES, Lease
from modelmesh._engine.health.maintenance import MaintenanceWindow
from modelmesh._engine.health.model_health import ModelHealth
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.health.suspensions import Suspensions
from modelmesh._engine.health.timers import HealthTimers, RefusalTimer
from modelmesh._engine.health.transitions import Transitions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelmesh.errors import ProviderError

OUTAGES = frozenset({FailureClass.CONNECT, FailureClass.SERVER, FailureClass.TIMEOUT})
"""Failures that may indicate an outage of the whole vendor."""


class HealthRegistry:
    """Health of every model and provider account of one mesh.

    Attributes:
        changes: Changes that were not published yet.
        leases: Leases that are not settled yet.
        lost: Leases whose owners were garbage-collected. The next request returns them.
        on_lost: Receives a lost lease.
    """

    def __init__(self, *, draw: Callable[[], float]) -> None:
        """Start with everything healthy.

        Args:
            draw: Returns random numbers in [0, 1), for jitter.
        """
        self._draw = draw
        self._now = 0.0
        self._timers = HealthTimers()
        self.changes = ChangeLog()
        self._transitions = Transitions(self._timers, self.changes)
        self._suspensions = Suspensions(self._timers, self.changes, self._transitions)
        self.leases: set[Lease] = set()
        self.lost: deque[Lease] = deque()
        self.on_lost: Callable[[Lease], None] = self.lost.append

    def advance(self, now: float) -> None:
        """Apply every timer that is due."""
        self._now = now
        if now < self._timers.next_at:
            return
        for model, feature in self._timers.refusals.pop_due(now):
            for listener, place in model.listeners:
                listener.set_refused(feature, place, on=False)
        self._suspensions.advance(now)
        self._transitions.advance(now)
        self._timers.refresh()

    # -- attempts ---------------------------------------------------------------------------------------------------

    def begin(self, lease: Lease, now: float) -> None:
        """Take a place in flight for an attempt. On a half-open breaker the attempt is the probe."""
        model, account = lease.model, lease.account
        lease.generations, lease.began = (model.generation, account.generation), now
        self.leases.add(lease)
        account.leases.add(lease)
        model.leases.add(lease)
        if model.state is not BreakerState.CLOSED or account.state is not BreakerState.CLOSED:
            lease.probes = (self._transitions.begin_probe(model, now), self._transitions.begin_probe(account, now))
        if not account.has_room:
            self._transitions.notify(account)

    def release(self, lease: Lease) -> bool:
        """Return the place in flight. The result is ``False`` when it was returned before.

        Each step has the same effect when it is repeated, so that an interrupted release can run again.
        """
        if lease.settled:
            return False
        model, account = lease.model, lease.account
        account.leases.discard(lease)
        model.leases.discard(lease)
        if lease.probes != NO_PROBES:
            for breaker, probe in zip((model, account), lease.probes, strict=True):
                self._transitions.end_probe(breaker, probe)
        if not account.accepts:
            self._transitions.notify(account)
        self.leases.discard(lease)
        lease.settled = True
        return True

    def enqueue(self, ticket: Ticket, accounts: Iterable[ProviderHealth]) -> None:
        """Add a request to the admission queues of accounts."""
        for account in accounts:
            account.admission.join(ticket)
            self._transitions.notify(account)

    def dequeue(self, ticket: Ticket, accounts: Iterable[ProviderHealth]) -> None:
        """Remove a request from admission queues. A place that it was granted and did not take goes to the next request."""
        for account in accounts:
            account.admission.leave(ticket)
            self._transitions.notify(account)

    def record_success(self, lease: Lease, now: float) -> None:
        """Apply a successful attempt."""
        if not self.release(lease):
            return
        account = lease.account
        for breaker, generation in ((lease.model, lease.generations[0]), (account, lease.generations[1])):
            if breaker.generation != generation:
                continue  # it opened while the attempt was in flight, and a late success does not close it
            breaker.record_success(now)
            if breaker.state is not BreakerState.CLOSED:
                self._transitions.close(breaker, now)
            if breaker.backoff_steps:
                breaker.backoff_steps.clear()
        if account.outages:
            account.outages.clear()
        if account.concurrency_limit < account.max_concurrency:
            account.increase_limit()
            self._transitions.notify(account)

    def record_failure(self, lease: Lease, error: ProviderError, now: float, policy: CircuitPolicy) -> None:
        """Apply a failed attempt by the rule of its failure class."""
        if not self.release(lease):
            return
        rule, account = RULES[error.failure], lease.account
        if error.failure is FailureClass.THROTTLE:
            account.decrease_limit(lease.began, now)
            self._transitions.notify(account)
        if error.failure is FailureClass.CAPABILITY and error.feature:
            self._exclude_parameter(lease.model, error.feature, now)
        is_counted_status = policy.error_codes is not None and error.status in policy.error_codes
        if rule.effect is Effect.NONE and not is_counted_status:
            return
        of_account = rule.scope is Scope.ACCOUNT
        breaker: CircuitBreaker = account if of_account else lease.model
        stale = breaker.generation != lease.generations[of_account]
        if rule.effect is Effect.COOLDOWN and not (is_counted_status and _is_undelayed_throttle(error)):
            until = self._open_until(breaker, error, now, policy)
            given = error.upstream_delay_s is not None
            self._transitions.open(breaker, error.failure, now, until, retry_after_given=given, stale=stale)
            return
        if policy.error_codes is not None and not is_counted_status:
            return
        breaker.record_failure(now)
        # A stale result was in flight when the breaker opened, and the opening took it into account.
        if not stale and (breaker.state is BreakerState.HALF_OPEN or breaker.exceeds_threshold(now, policy)):
            self._transitions.open(breaker, error.failure, now, self._open_until(breaker, error, now, policy))
        if policy.outage_takes_account and error.failure in OUTAGES:
            self._record_outage(lease, error, now, policy)

    def _record_outage(self, lease: Lease, error: ProviderError, now: float, policy: CircuitPolicy) -> None:
        """Open the breaker of an account when several of its models fail at the same time, or its probe failed."""
        account = lease.account
        account.record_outage(lease.model, now)
        if account.generation != lease.generations[1] or account.state is BreakerState.OPEN:
            return
        if account.state is BreakerState.HALF_OPEN or account.has_outage(now):
            self._transitions.open(account, error.failure, now, self._open_until(account, error, now, policy))

    def _open_until(self, breaker: CircuitBreaker, error: ProviderError, now: float, policy: CircuitPolicy) -> float:
        seconds = cooldown(breaker, error, policy, self._draw)
        return math.inf if policy.account_by_hand and isinstance(breaker, ProviderHealth) else now + seconds

    def _exclude_parameter(self, model: ModelHealth, feature: str, now: float) -> None:
        """Exclude a model from requests with a parameter that it refused, for a while."""
        for listener, place in model.listeners:
            listener.set_refused(feature, place, on=True)
        self._timers.push(self._timers.refusals, now + REFUSED_PARAMETER_S, RefusalTimer(model, feature))

    # -- active health checks ---------------------------------------------------------------------------------------

    def probe_succeeded(self, account: ProviderHealth, generation: int, now: float) -> bool:
        """Close the breaker of an account after a successful probe.

        Args:
            account: The account.
            generation: Generation of its breaker when the probe began. A late success does not close it.
            now: Monotonic seconds.

        Returns:
            Whether the breaker closed.
        """
        if account.generation != generation or not account.is_probe_decisive:
            return False
        account.record_probe_success()
        self.changes.record(ChangeKind.HEALTHY, account, account.reason)
        self._transitions.close(account, now)
        return True

    def probe_failed(
        self, account: ProviderHealth, generation: int, failure: FailureClass, now: float, seconds: float | None
    ) -> bool:
        """Open the breaker of an account, or extend its cooldown, after a probe found its key rejected.

        Args:
            account: The account.
            generation: Generation of its breaker when the probe began.
            failure: Class of the probe's failure.
            now: Monotonic seconds.
            seconds: The cooldown, ``None`` for that of a request with this failure.

        Returns:
            Whether the probe had an effect.
        """
        undecided = failure not in KEY_FAILURES or not (account.state is BreakerState.CLOSED or account.is_probe_decisive)
        if undecided or account.generation != generation:
            return False
        if seconds is None:
            seconds = rule_cooldown(account, failure)
        if account.state is BreakerState.CLOSED:
            self.changes.record(ChangeKind.UNHEALTHY, account, failure)
        self._transitions.open(account, failure, now, now + seconds)
        return True

    # -- stored state and manual steps ------------------------------------------------------------------------------

    def restore_open(
        self,
        breaker: CircuitBreaker,
        failure: FailureClass,
        until: float,
        *,
        retry_after_given: bool,
        backoff_steps: Mapping[FailureClass, int],
    ) -> None:
        """Open a breaker as in an earlier run."""
        breaker.restore_open(failure, until, self._now, retry_after_given=retry_after_given, backoff_steps=backoff_steps)
        self._transitions.restore_open(breaker)

    def restore_closed(self, breaker: CircuitBreaker, now: float) -> None:
        """Close a breaker that another process closed."""
        breaker.consecutive_failures = 0
        breaker.backoff_steps.clear()
        self._transitions.close(breaker, now)

    def reset(self, breaker: CircuitBreaker) -> None:
        """Close a breaker and end its suspensions by a manual step."""
        breaker.clear()
        breaker.suspensions.clear()
        if isinstance(breaker, ModelHealth):
            breaker.leave_standby()
        breaker.end_downtime(self._now)
        self._transitions.notify(breaker)

    def force_close(self, account: ProviderHealth) -> None:
        """Close the breaker of an account by a manual step, failed health checks included. Exhausted limits remain."""
        was_ready = account.ready
        account.clear()
        if account.suspensions.pop(SuspensionReason.HEALTH_CHECK, None) is not None:
            self.changes.record(ChangeKind.HEALTHY, account, SuspensionReason.MANUAL)
        self._transitions.notify(account)
        if account.ready and not was_ready:
            self.changes.record_up(account, SuspensionReason.MANUAL, self._now)

    def record_manual(self, kind: ChangeKind, model: ModelHealth, pool: str) -> None:
        """Record that a manual step removed a model from a pool, or returned it."""
        self.changes.record(kind, model, SuspensionReason.MANUAL, pool)

    # -- suspensions ------------------------------------------------------------------------------------------------

    def add_window(self, window: MaintenanceWindow, now: float) -> None:
        """Suspend the models of a maintenance window while it is open, now and each time it opens."""
        self._suspensions.add_window(window, now)

    def join_window(self, window: MaintenanceWindow, model: ModelHealth, now: float) -> None:
        """Add a model to a maintenance window, and suspend it if the window is open."""
        window.breakers.append(model)
        if window.is_open(now):
            self.suspend(model, SuspensionReason.MAINTENANCE_WINDOW, window.next_at)

    def suspend(self, breaker: CircuitBreaker, reason: SuspensionReason, until: float) -> None:
        """Suspend a model or account until a time. A later expiry of the same reason remains."""
        self._suspensions.suspend(breaker, reason, until, self._now)

    def resume(self, breaker: CircuitBreaker, reason: SuspensionReason) -> None:
        """End the suspension of a model or account for a reason."""
        self._suspensions.resume(breaker, reason, self._now)


def _is_undelayed_throttle(error: ProviderError) -> bool:
    """Return whether a throttled request, without a delay from the vendor, may count as a failure instead of a cooldown."""
    return error.failure is FailureClass.THROTTLE and error.upstream_delay_s is None

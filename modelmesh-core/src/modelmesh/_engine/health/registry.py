"""The health book: what attempts and time do to the circuits of one mesh.

All times are monotonic seconds that the caller hands in; nothing here draws a random number of its own.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import Effect, FailureClass, Scope
from modelmesh._engine.health.admission_queue import Ticket
from modelmesh._engine.health.circuit_breaker import (
    KEY_FAILURES,
    BreakerState,
    CircuitBreaker,
    Lease,
    ModelHealth,
    ProviderHealth,
    SuspensionReason,
)
from modelmesh._engine.health.cooldown import cooldown
from modelmesh._engine.health.retry_policy import FORGET_FEATURE_S, PROBE_TIMEOUT_S, RETRY_BUDGET_CAPACITY, CircuitPolicy

if TYPE_CHECKING:
    from modelmesh._engine.health.maintenance import MaintenanceWindow
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.errors import ProviderError

OUTAGES = frozenset({FailureClass.CONNECT, FailureClass.SERVER, FailureClass.TIMEOUT})
"""Failures that may mean that the whole vendor is down."""

MAX_CHANGES = 1000
"""Changes kept until somebody is told; without a listener the oldest go."""

Change = tuple[str, CircuitBreaker, FailureClass | SuspensionReason | None, str | None]
"""What happened to what, why, and in which pool where it is about one alone."""


class HealthRegistry:
    """The health of everything one mesh has, and the timers that bring it back."""

    def __init__(self, *, draw: Callable[[], float]) -> None:
        """Start with everything healthy.

        Args:
            draw: Gives numbers in [0, 1), for jitter.
        """
        self._draw = draw
        self._timers: list[tuple[float, int, CircuitBreaker, int, int]] = []
        self._forget: list[tuple[float, int, Candidate, str]] = []
        self._suspended: list[tuple[float, int, CircuitBreaker, SuspensionReason]] = []
        self._windows: list[tuple[float, int, MaintenanceWindow]] = []
        self._now = 0.0
        self._sequence = 0
        self._probes = 0
        self.changes: deque[Change] = deque(maxlen=MAX_CHANGES)
        self.leases: set[Lease] = set()  # not settled yet
        self.lost: deque[Lease] = deque()  # their owners are gone; the next flow gives them back
        self.on_lost: Callable[[Lease], None] = self.lost.append

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Let every timer that is due take effect."""
        self._now = now
        while self._forget and self._forget[0][0] <= now:
            _, _, candidate, feature = heapq.heappop(self._forget)
            for pool, bit in candidate.memberships:
                pool.set_refused(feature, bit, on=False)
        self._resume_expired(now)
        while self._timers and self._timers[0][0] <= now:
            _, _, circuit, generation, probe = heapq.heappop(self._timers)
            if circuit.generation != generation:
                continue  # it was opened again since, with a timer of its own
            if probe:
                if circuit.probe == probe:
                    circuit.probe = 0
                    self._notify(circuit)
            elif circuit.state is BreakerState.OPEN and circuit.until <= now:
                circuit.state = BreakerState.HALF_OPEN
                self._notify(circuit)

    def _resume_expired(self, now: float) -> None:
        """End the holds that are over, and begin the windows that are due."""
        while self._suspended and self._suspended[0][0] <= now:
            until, _, held, reason = heapq.heappop(self._suspended)
            if held.suspensions.get(reason) == until and not self._extend_if_policy_says(held, reason, now):
                self.resume(held, reason)
        while self._windows and self._windows[0][0] <= now:
            self.add_window(heapq.heappop(self._windows)[2], now)

    def _remember(self, candidate: Candidate, feature: str, now: float) -> None:
        """Do not offer this model requests with a parameter that it refused, for a while."""
        for pool, bit in candidate.memberships:
            pool.set_refused(feature, bit, on=True)
        self._sequence += 1
        heapq.heappush(self._forget, (now + FORGET_FEATURE_S, self._sequence, candidate, feature))

    def _schedule(self, when: float, circuit: CircuitBreaker, probe: int = 0) -> None:
        self._sequence += 1
        heapq.heappush(self._timers, (when, self._sequence, circuit, circuit.generation, probe))

    # -- attempts -----------------------------------------------------------------------------------------------

    def begin(self, lease: Lease, now: float) -> None:
        """Take the place in flight for an attempt; on a half-open circuit the attempt is the probe."""
        health, account = lease.candidate.health, lease.candidate.account
        lease.generations, lease.began = (health.generation, account.generation), now
        self.leases.add(lease)
        account.leases.add(lease)
        health.leases.add(lease)
        lease.probes = (self._probe(health, now), self._probe(account, now))
        if not account.has_room:
            self._notify(account)

    def _probe(self, circuit: CircuitBreaker, now: float) -> int:
        if circuit.state is not BreakerState.HALF_OPEN or circuit.probe:
            return 0
        self._probes += 1
        circuit.probe = self._probes
        self._schedule(now + PROBE_TIMEOUT_S, circuit, circuit.probe)
        self._notify(circuit)
        return circuit.probe

    def release(self, lease: Lease) -> bool:
        """Give back the place in flight; ``False`` when that was done before.

        Each step has the same effect when it is repeated, so that an interrupted release can be run again.
        """
        if lease.settled:
            return False
        account = lease.candidate.account
        account.leases.discard(lease)
        lease.candidate.health.leases.discard(lease)
        for circuit, probe in zip((lease.candidate.health, account), lease.probes, strict=True):
            if probe and circuit.probe == probe:
                circuit.probe = 0
                self._notify(circuit)
        if not account.accepts:
            self._notify(account)
        self.leases.discard(lease)
        lease.settled = True
        return True

    def enqueue(self, ticket: Ticket, accounts: Iterable[ProviderHealth]) -> None:
        """Let a request wait for a place at any of these accounts."""
        for account in accounts:
            account.admission.join(ticket)
            self._notify(account)

    def dequeue(self, ticket: Ticket, accounts: Iterable[ProviderHealth]) -> None:
        """Take a request out of the queues; a place that it was granted and did not take goes to the next one."""
        for account in accounts:
            account.admission.leave(ticket)
            self._notify(account)

    def record_success(self, lease: Lease, now: float) -> None:
        """Apply an answer."""
        if not self.release(lease):
            return
        for circuit, generation in zip((lease.candidate.health, lease.candidate.account), lease.generations, strict=True):
            if circuit.generation != generation:
                continue  # it opened while this one was under way; a late answer does not close it
            circuit.samples.append((now, True))
            circuit.consecutive_failures = 0
            circuit.retry_budget = min(RETRY_BUDGET_CAPACITY, circuit.retry_budget + 1)
            if circuit.state is not BreakerState.CLOSED:
                self._close(circuit, now)
            circuit.backoff_steps.clear()
        account = lease.candidate.account
        account.outages.clear()
        if account.concurrency_limit < account.max_concurrency:
            account.increase_limit()
            self._notify(account)

    def _close(self, circuit: CircuitBreaker, now: float) -> None:
        reason, circuit.state = circuit.reason, BreakerState.CLOSED
        circuit.reason, circuit.retry_after_given, circuit.probe = None, False, 0
        circuit.recovered_at = now
        self._notify(circuit)
        if circuit.ready:  # else it is withheld for something else, and the end of that is its recovery
            self._record_up(circuit, reason, now)

    def record_failure(self, lease: Lease, error: ProviderError, now: float, policy: CircuitPolicy) -> None:
        """Apply a failure by the row of its class."""
        if not self.release(lease):
            return
        rule = RULES[error.failure]
        if error.failure is FailureClass.THROTTLE:
            lease.candidate.account.decrease_limit(lease.began, now)
            self._notify(lease.candidate.account)
        if error.failure is FailureClass.CAPABILITY and error.feature:
            self._remember(lease.candidate, error.feature, now)
        if rule.effect is Effect.NONE and not self._is_counted_status(error, policy):
            return
        which = 1 if rule.scope is Scope.ACCOUNT else 0
        circuit: CircuitBreaker = (lease.candidate.health, lease.candidate.account)[which]
        stale = circuit.generation != lease.generations[which]
        if rule.effect is Effect.COOLDOWN and not self._counts_by_status(error, policy):
            self._open(
                circuit,
                error.failure,
                now,
                cooldown(circuit, error, policy, self._draw),
                told=error.upstream_delay_s is not None,
                stale=stale,
                by_hand=which == 1 and policy.account_by_hand,
            )
            return
        if policy.error_codes is not None and error.status not in policy.error_codes:
            return
        circuit.samples.append((now, False))
        circuit.consecutive_failures += 1
        # A stale result was under way when the circuit opened, and the opening took it into account.
        if not stale and (circuit.state is BreakerState.HALF_OPEN or circuit.exceeds_threshold(now, policy)):
            seconds, by_hand = cooldown(circuit, error, policy, self._draw), which == 1 and policy.account_by_hand
            self._open(circuit, error.failure, now, seconds, told=False, stale=False, by_hand=by_hand)
        if policy.outage_takes_account and error.failure in OUTAGES:
            self._outage(lease, error, now, policy)

    def _outage(self, lease: Lease, error: ProviderError, now: float, policy: CircuitPolicy) -> None:
        """Open the breaker of the whole account when several of its models fail together, or its probe failed."""
        account = lease.candidate.account
        account.outages.append((now, lease.candidate.health))
        if account.generation != lease.generations[1] or account.state is BreakerState.OPEN:
            return
        if account.state is BreakerState.HALF_OPEN or account.has_outage(now):
            seconds = cooldown(account, error, policy, self._draw)
            self._open(account, error.failure, now, seconds, told=False, stale=False, by_hand=policy.account_by_hand)

    @staticmethod
    def _is_counted_status(error: ProviderError, policy: CircuitPolicy) -> bool:
        return policy.error_codes is not None and error.status in policy.error_codes

    @staticmethod
    def _counts_by_status(error: ProviderError, policy: CircuitPolicy) -> bool:
        """A throttled model that the configuration counts by its status, and that was told no delay, takes a strike."""
        return (
            policy.error_codes is not None
            and error.failure is FailureClass.THROTTLE
            and error.upstream_delay_s is None
            and error.status in policy.error_codes
        )

    def _open(
        self,
        circuit: CircuitBreaker,
        failure: FailureClass,
        now: float,
        seconds: float,
        *,
        told: bool,
        stale: bool,
        by_hand: bool,
    ) -> None:
        until = math.inf if by_hand else now + seconds
        if stale or circuit.state is BreakerState.OPEN:
            # Already off: a failure that was under way may lengthen that, never shorten it, and is no further step.
            if until <= circuit.until or not (told or circuit.state is BreakerState.OPEN):
                return
        else:
            circuit.backoff_steps[failure] = circuit.backoff_steps.get(failure, 0) + 1
        was_ready = circuit.state is not BreakerState.OPEN
        circuit.state = BreakerState.OPEN
        circuit.generation += 1
        circuit.until = max(circuit.until, until)
        circuit.reason, circuit.retry_after_given = failure, told
        circuit.probe = 0
        if not by_hand:
            self._schedule(circuit.until, circuit)
        self._notify(circuit)
        if was_ready:
            self._record_down(circuit, failure, now)

    # -- probes that are no requests --------------------------------------------------------------------------------

    def probe_succeeded(self, account: ProviderHealth, generation: int, now: float) -> bool:
        """Close the circuit of an account that answered a probe; ``False`` when a probe does not decide that.

        Args:
            account: Who was probed.
            generation: Of its circuit when the probe began; a late answer does not close it.
            now: Monotonic seconds.
        """
        if account.generation != generation or not account.is_probe_decisive:
            return False
        account.consecutive_failures = 0
        account.outages.clear()
        account.backoff_steps.clear()
        account.generation += 1  # its timer is of the time before
        self.changes.append(("healthy", account, account.reason, None))
        self._close(account, now)
        return True

    def probe_failed(
        self, account: ProviderHealth, generation: int, failure: FailureClass, now: float, seconds: float | None
    ) -> bool:
        """Open the circuit of an account whose probe says that nobody there can be asked, or keep it open for longer.

        Args:
            account: Who was probed.
            generation: Of its circuit when the probe began.
            failure: What the probe failed with.
            now: Monotonic seconds.
            seconds: For how long; ``None`` for as long as a request that failed so.
        """
        undecided = failure not in KEY_FAILURES or not (account.state is BreakerState.CLOSED or account.is_probe_decisive)
        if undecided or account.generation != generation:
            return False
        if seconds is None:
            rule = RULES[failure]
            seconds = min(rule.cooldown_cap_s, rule.cooldown_s * 2.0 ** min(account.backoff_steps.get(failure, 0), 20))
        if account.state is BreakerState.CLOSED:
            self.changes.append(("unhealthy", account, failure, None))
        self._open(account, failure, now, seconds, told=False, stale=False, by_hand=False)
        return True

    # -- what is remembered and what a person says ------------------------------------------------------------------

    def restore_open(self, circuit: CircuitBreaker, failure: FailureClass, until: float, *, told: bool) -> None:
        """Open a circuit as it was in an earlier run."""
        circuit.down_since = self._now if circuit.down_since is None else circuit.down_since
        circuit.state, circuit.until, circuit.reason, circuit.retry_after_given = BreakerState.OPEN, until, failure, told
        circuit.generation += 1
        if not math.isinf(until):
            self._schedule(until, circuit)
        self._notify(circuit)

    def reset(self, circuit: CircuitBreaker) -> None:
        """Close a circuit by hand."""
        self._clear(circuit)
        circuit.suspensions.clear()
        if isinstance(circuit, ModelHealth):
            circuit.standby_policy = None
        self._add_downtime(circuit, self._now)
        self._notify(circuit)

    def force_close(self, account: ProviderHealth) -> None:
        """Close the circuit of an account by hand, and take no failed probe for an answer; what is spent stays spent."""
        was_ready = account.ready
        self._clear(account)
        if account.suspensions.pop(SuspensionReason.HEALTH_CHECK, None) is not None:
            self.changes.append(("healthy", account, SuspensionReason.MANUAL, None))
        self._notify(account)
        if account.ready and not was_ready:
            self._record_up(account, SuspensionReason.MANUAL, self._now)

    @staticmethod
    def _clear(circuit: CircuitBreaker) -> None:
        circuit.state, circuit.reason, circuit.retry_after_given = BreakerState.CLOSED, None, False
        circuit.generation += 1
        circuit.consecutive_failures, circuit.until, circuit.probe = 0, 0.0, 0
        circuit.backoff_steps.clear()
        circuit.samples.clear()
        if isinstance(circuit, ProviderHealth):
            circuit.outages.clear()

    # -- what is withheld though nothing failed -----------------------------------------------------------------

    def add_window(self, window: MaintenanceWindow, now: float) -> None:
        """Withhold what a maintenance window is for while it lasts, now and whenever it comes again."""
        ends = window.turn(now)
        for circuit in window.circuits if ends is not None else ():
            self.suspend(circuit, SuspensionReason.MAINTENANCE_WINDOW, ends or 0.0)
        if not math.isinf(window.due):
            self._sequence += 1
            heapq.heappush(self._windows, (window.due, self._sequence, window))

    def _extend_if_policy_says(self, circuit: CircuitBreaker, reason: SuspensionReason, now: float) -> bool:
        """Whether a policy withholds for longer what was due to come back."""
        if reason is not SuspensionReason.POLICY or not isinstance(circuit, ModelHealth) or circuit.standby_policy is None:
            return False
        until = circuit.standby_policy.extends_until(circuit, now)
        if until is None:
            circuit.standby_policy = None
            return False
        self.suspend(circuit, reason, until)
        return True

    def suspend(self, circuit: CircuitBreaker, reason: SuspensionReason, until: float) -> None:
        """Withhold something until then; what holds it longer already, stays."""
        if circuit.suspensions.get(reason, -math.inf) >= until:
            return
        was_ready = circuit.ready
        circuit.suspensions[reason] = until
        if not math.isinf(until):
            self._sequence += 1
            heapq.heappush(self._suspended, (until, self._sequence, circuit, reason))
        if was_ready:
            self._notify(circuit)
            self._record_down(circuit, reason, self._now)

    def resume(self, circuit: CircuitBreaker, reason: SuspensionReason) -> None:
        """Let go of what was withheld for a reason."""
        if circuit.suspensions.pop(reason, None) is None:
            return
        if reason in LIMITS:
            circuit.quota_resets += 1
        if circuit.suspensions:
            return
        self._notify(circuit)
        if circuit.ready:
            self._record_up(circuit, reason, self._now)

    def record_manual(self, what: str, health: ModelHealth, pool: str) -> None:
        """Note that a person took a model out of a pool, or brought it back: ``deactivated`` or ``recovered``."""
        self.changes.append((what, health, SuspensionReason.MANUAL, pool))

    # -- who hears of it --------------------------------------------------------------------------------------------

    def _record_down(self, circuit: CircuitBreaker, reason: FailureClass | SuspensionReason, now: float) -> None:
        if circuit.down_since is None:
            circuit.down_since = now
            circuit.standby_events += 1
        self.changes.append(("deactivated", circuit, reason, None))

    def _record_up(self, circuit: CircuitBreaker, reason: FailureClass | SuspensionReason | None, now: float) -> None:
        self._add_downtime(circuit, now)
        self.changes.append(("recovered", circuit, reason, None))

    @staticmethod
    def _add_downtime(circuit: CircuitBreaker, now: float) -> None:
        if circuit.down_since is not None:
            circuit.downtime += max(now - circuit.down_since, 0.0)
            circuit.down_since = None

    # -- who sees it --------------------------------------------------------------------------------------------

    @staticmethod
    def _notify(circuit: CircuitBreaker) -> None:
        if isinstance(circuit, ProviderHealth):
            if circuit.ready:
                circuit.admission.grant(circuit.free_slots)
            else:
                circuit.admission.notify_all()
            circuit.accepts = on = circuit.ready and circuit.has_room
            for pool, mask in circuit.places:
                pool.set_account(circuit, mask, on=on)
        elif isinstance(circuit, ModelHealth) and circuit.candidate is not None:
            for pool, bit in circuit.candidate.memberships:
                pool.set_ready(bit, on=circuit.ready)


LIMITS = frozenset(
    {
        SuspensionReason.QUOTA_EXHAUSTED,
        SuspensionReason.BUDGET_EXCEEDED,
        SuspensionReason.TOKEN_LIMIT,
        SuspensionReason.REQUEST_LIMIT,
    }
)

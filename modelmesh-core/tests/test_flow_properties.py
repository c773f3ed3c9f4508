"""Laws of the flow for any interleaving of requests, outcomes and time.

The model is plain: a list of requests, and for each candidate what was sent and how it ended.
"""

from __future__ import annotations

import math
import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from modelmesh._engine.builtin.stick_until_failure import StickUntilFailure
from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.circuit_breaker import BreakerState
from modelmesh._engine.health.circuit_policy import CircuitPolicy
from modelmesh._engine.health.cron import Cron
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.maintenance import MaintenanceWindow
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.routing import attempt_settlement as settlement
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.flow import serve
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.pool_policy import MAX_CALLS, PoolPolicy, RetryPolicy
from modelmesh._engine.routing.steps import Opened, Send, Served, Wait
from modelmesh._engine.routing.stream_progress import Progress
from modelmesh.contracts import CHAT, RULES, Effect, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.errors import AllProvidersExhaustedError, ModelMeshError, NoActiveModelError, ProviderError
from modelmesh.testing import VirtualClock

GOOD = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}
HELD_BY_HAND = (SuspensionReason.BUDGET_EXCEEDED, SuspensionReason.POLICY)
NEUTRAL = [kind for kind, row in RULES.items() if row.effect is Effect.NONE]


class _Stream:
    headers: dict[str, str] = {}
    adapted: tuple[str, ...] = ()


def health_of(candidate: Candidate) -> tuple[Any, ...]:
    circuits = (candidate.health, candidate.account)
    return tuple((c.state, c.until, c.generation, c.consecutive_failures, c.reason, len(c.samples)) for c in circuits)


class FlowMachine(RuleBasedStateMachine):
    """Drives several flows."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.rng = random.Random(3)
        self.open: list[dict[str, Any]] = []
        self.streams: list[Served] = []
        self.begun = self.ended = self.answered = self.failed = self.cancelled = 0
        self.untils: dict[int, tuple[int, float]] = {}
        self.suspended: dict[tuple[int, SuspensionReason], float] = {}

    @initialize(
        models=st.integers(1, 6),
        accounts=st.integers(1, 3),
        cooldown=st.sampled_from([None, 5.0, 60.0]),
        retries=st.sampled_from([None, 0, 2]),
        limit=st.integers(1, 4),
        panic=st.booleans(),
        quota=st.sampled_from([None, None, 1, 5]),
        window=st.sampled_from([None, None, "*/2 * * * *", "5-9 * * * *"]),
    )
    def build(
        self,
        models: int,
        accounts: int,
        cooldown: float | None,
        retries: int | None,
        limit: int,
        panic: bool,
        quota: int | None,
        window: str | None,
    ) -> None:
        self.health = HealthRegistry(draw=self.rng.random)
        self.accounts = [
            ProviderHealth(provider_id=f"p{n}", connector_id="test.v1", names=(f"p{n}",), concurrency_limit=limit)
            for n in range(accounts)
        ]
        members = [
            Candidate(f"m{n}", f"m{n}", ModelInfo(f"m{n}"), None, self.accounts[n % accounts])  # type: ignore[arg-type]
            for n in range(models)
        ]
        policy = PoolPolicy(circuit=CircuitPolicy(cooldown=cooldown), retry=RetryPolicy(max_attempts=retries), panic=panic)
        self.pool = Pool("chat", "", members, StickUntilFailure(), self.health, policy)
        self.policy = policy
        if quota is not None:
            limited = members[0].health
            of = Limit("model:m0", Metric.REQUESTS, quota, Window(Period.HOUR), SuspensionReason.QUOTA_EXHAUSTED)
            self.pool.reservations.attach(limited, [LimitCounter(of)])
        self.window = None if window is None else Cron.parse(window)
        self.maintained = [members[-1].health] if window else []
        if self.window is not None:
            self.health.add_window(MaintenanceWindow(self.window, self.maintained, Clock()), self.clock())

    @property
    def circuits(self) -> list[Any]:
        return [*(c.health for c in self.pool.members), *self.accounts]

    # -- events ------------------------------------------------------------------------------------------------

    @rule(stream=st.booleans())
    def begin(self, stream: bool) -> None:
        if len(self.open) >= 8:
            return
        call = Call(CHAT, "chat", {"messages": []}, stream=stream)
        request = {
            "flow": serve(call, self.pool, clock=self.clock, rng=self.rng),
            "sent": [],
            "call": call,
            "step": None,
            "began": self.clock(),
        }
        self.begun += 1
        self._drive(request, None)

    @precondition(lambda self: self.open)
    @rule(
        pick=st.integers(0, 99),
        kind=st.sampled_from([*FailureClass]),
        delay=st.sampled_from([None, None, 3.0, 300.0]),
        after=st.floats(0, 40),
    )
    def outcome(self, pick: int, kind: FailureClass | None, delay: float | None, after: float) -> None:
        self._respond(pick, kind, delay, after)

    def _respond(self, pick: int, kind: FailureClass | None, delay: float | None, after: float) -> None:
        sent = [one for one in self.open if isinstance(one["step"], Send)]
        among = sent if sent and pick % 4 else self.open  # else queued requests take nearly all steps
        request = among[pick % len(among)]
        self.open.remove(request)
        step = request["step"]
        if isinstance(step, Wait):
            self.clock.advance(step.seconds)
            self._drive(request, None)
            return
        self.clock.advance(after)
        if kind is None:
            outcome: Any = Answer(dict(GOOD))
            if request["call"].stream:
                outcome = Opened(_Stream(), iter(()), [], Progress())
            self._drive(request, outcome)
            return
        before = {id(c): health_of(c) for c in self.pool.members}
        error = RULES[kind].error(kind.value, failure=kind, status=500, upstream_delay_s=delay)
        candidate = step.candidate
        self.health.advance(self.clock())
        after_time = {id(c): health_of(c) for c in self.pool.members}
        self._drive(request, error)
        if kind in NEUTRAL:  # 1: a neutral failure changes no health, except what time changed
            assert health_of(candidate)[0][3:] == before[id(candidate)][0][3:]
        del after_time

    @precondition(lambda self: self.open)
    @rule(pick=st.integers(0, 99), after=st.floats(0, 40))
    def answer(self, pick: int, after: float) -> None:
        """Answer a request. A separate rule, so that histories contain many answers and open streams."""
        self._respond(pick, None, None, after)

    @precondition(lambda self: self.open)
    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        request = self.open.pop(pick % len(self.open))
        before = {id(c): health_of(c) for c in self.pool.members}
        request["flow"].close()
        self.cancelled += 1
        self.ended += 1
        assert before == {id(c): health_of(c) for c in self.pool.members}  # 2: a caller that leaves changes no health

    @precondition(lambda self: self.streams)
    @rule(pick=st.integers(0, 99), how=st.sampled_from(["end", "break", "leave", "twice"]))
    def end_stream(self, pick: int, how: str) -> None:
        served = self.streams.pop(pick % len(self.streams))
        before = health_of(served.candidate)
        if how in ("end", "twice"):
            settlement.settle(served, usage=None, output=0, now=self.clock(), seconds=1.0)
        elif how == "break":
            error = ProviderError("broke", failure=FailureClass.PROTOCOL)
            settlement.interrupt(served, error, now=self.clock())
        else:
            settlement.abandon(served, self.clock())
            assert health_of(served.candidate) == before  # 3: nor does one that leaves a stream
        if how == "twice":  # 4: an attempt is settled once
            count = served.candidate.account.in_flight
            settlement.abandon(served, self.clock())
            settlement.settle(served, usage=None, output=0, now=self.clock(), seconds=1.0)
            assert served.candidate.account.in_flight == count

    @rule(seconds=st.one_of(st.floats(0, 2), st.floats(0, 4000)))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(pick=st.integers(0, 99), reason=st.sampled_from(HELD_BY_HAND), seconds=st.floats(0, 400))
    def hold(self, pick: int, reason: SuspensionReason, seconds: float) -> None:
        circuit = self.circuits[pick % len(self.circuits)]
        self.health.advance(self.clock())
        until = max(circuit.suspensions.get(reason, 0.0), self.clock() + seconds)
        self.health.suspend(circuit, reason, self.clock() + seconds)
        assert circuit.suspensions[reason] == until  # 39: a suspension is extended and never shortened
        assert not circuit.ready  # 40
        self.suspended[id(circuit), reason] = until

    @rule(pick=st.integers(0, 99))
    def recover(self, pick: int) -> None:
        candidate = self.pool.members[pick % len(self.pool.members)]
        self.pool.recover(candidate)
        self.untils.pop(id(candidate.health), None)
        for reason in SuspensionReason:
            self.suspended.pop((id(candidate.health), reason), None)
        self.maintained = [circuit for circuit in self.maintained if circuit is not candidate.health]
        assert candidate.health.ready  # 5: a model recovered by hand is ready
        assert candidate.failure_count == 0  # 6: and has no failures

    @rule(pick=st.integers(0, 99))
    def put_in_standby(self, pick: int) -> None:
        candidate = self.pool.members[pick % len(self.pool.members)]
        others = self.pool.available & ~(1 << (self.pool.position(candidate) or 0))
        try:
            following = self.pool.rotate(candidate)
        except NoActiveModelError:
            assert not others  # 7: rotate() fails only without another model
        else:
            assert following is not candidate  # 8: and returns another
            assert others >> (self.pool.position(following) or 0) & 1  # 9: that is active
            self.pool.manual_standby.remove(candidate)  # the rest of the history uses every member

    # -- driving --------------------------------------------------------------------------------------------------------

    def _drive(self, request: dict[str, Any], outcome: Any) -> None:
        self.health.advance(self.clock())
        # The request's own failed attempt returns its probe and its slot, so only open breakers count as unavailable here.
        ready = {id(c) for c in self.pool.members if BreakerState.OPEN not in (c.health.state, c.account.state)}
        suspended = {id(circuit): set(circuit.suspensions) for circuit in self.circuits}  # before the reservation of this attempt
        healthy_untried = [c for c in self.pool.get_active_models() if c not in request["sent"]]
        try:
            step = request["flow"].send(outcome)
        except StopIteration as end:
            served: Served = end.value
            self.ended += 1
            self.answered += 1
            assert served.candidate is request["sent"][-1]  # 10: the last candidate answered
            assert len(served.attempts) == len(request["sent"])  # 11: every attempt is recorded
            assert served.attempts[-1].billed == "yes"
            if isinstance(served.outcome, Opened):
                assert served.attempts[-1].outcome == "streaming"
                self.streams.append(served)
            else:
                assert served.attempts[-1].outcome == "answered"
            return
        except ModelMeshError as error:
            self.ended += 1
            self.failed += 1
            attempts = getattr(error, "attempts", ())
            assert len(attempts) == len(request["sent"])  # 12: also when it ends in an error
            assert all(a.outcome == "failed" and a.failure for a in attempts)  # 13
            if not isinstance(error, ProviderError) or RULES[error.failure].rotate:
                retry_after = getattr(error, "retry_after", None)
                assert retry_after is None or (retry_after >= 0 and math.isfinite(retry_after))  # 14
            if isinstance(outcome, ProviderError) and not RULES[outcome.failure].rotate:
                assert error is outcome  # 15: a caller error is returned unchanged
            if isinstance(error, AllProvidersExhaustedError) and "ended" not in error.details:
                tried = {id(c.account) for c in request["sent"]}
                unlimited = [
                    c for c in healthy_untried if not self.pool.reservations.counters_of(c.health)
                ]  # a quota may refuse a candidate
                assert {id(c.account) for c in unlimited} <= tried  # 44: every account that could serve is tried
            return
        request["step"] = step
        self.open.append(request)
        if isinstance(step, Wait):
            assert 0 <= step.seconds <= self.policy.max_retry_after * 1.1  # 16: waits are bounded and not negative
            return
        assert isinstance(step, Send)
        candidate, sent = step.candidate, request["sent"]
        again = bool(sent) and sent[-1] is candidate
        if not again:
            assert candidate not in sent  # 17: failover never returns to a candidate
            for circuit in (candidate.health, candidate.account):
                assert not suspended[id(circuit)] & set(
                    circuit.suspensions
                )  # 41: suspended candidates are not tried, not even in a panic
        sent.append(candidate)
        assert len(sent) <= MAX_CALLS  # 18: attempts are bounded
        assert step.attempt.number == len(sent)  # 19: and numbered
        assert step.limits.total <= self.policy.limits.total  # 20: no attempt outlasts the request
        if not again and id(candidate) not in ready:
            assert self.policy.panic  # 21: unavailable candidates are tried only in a panic,
            assert all(c.account is not candidate.account for c in sent[:-1])  # 22: at an account that was not tried,
            assert not [c for c in healthy_untried if c is not candidate]  # 23: and only when no other is available
            circuits = [c for c in (candidate.health, candidate.account) if c.state is BreakerState.OPEN]
            assert circuits
            assert all(not c.retry_after_given for c in circuits)  # 24: and never within a stated delay of the vendor

    # -- invariants ----------------------------------------------------------------------------------------------

    @invariant()
    def every_request_ends_once(self) -> None:
        if hasattr(self, "pool"):
            assert self.begun == self.ended + len(self.open)  # 25
            assert self.ended == self.answered + self.failed + self.cancelled  # 26

    @invariant()
    def places_in_flight_are_exact(self) -> None:
        if hasattr(self, "pool"):
            sending = [r["step"].candidate.account for r in self.open if isinstance(r["step"], Send)]
            streaming = [s.candidate.account for s in self.streams]
            for account in self.accounts:
                assert account.in_flight == sending.count(account) + streaming.count(account) >= 0  # 27
                assert 1 <= account.concurrency_limit <= account.max_concurrency  # 28
                assert 0 <= account.admission.waiting + account.admission.granted_slots <= len(self.open)  # 29
            in_flight_candidates = [r["step"].candidate for r in self.open if isinstance(r["step"], Send)]
            in_flight_candidates += [s.candidate for s in self.streams]
            for member in self.pool.members:
                assert member.health.in_flight == sum(one is member for one in in_flight_candidates)

    @invariant()
    def one_probe_at_a_time(self) -> None:
        if hasattr(self, "pool"):
            for circuit in [*(c.health for c in self.pool.members), *self.accounts]:
                if circuit.probe:
                    assert circuit.state is BreakerState.HALF_OPEN  # 30
                    assert not circuit.ready  # 31: no other request is sent during a probe
                assert 0 <= circuit.retry_budget <= 100  # 32
                assert 0 <= circuit.error_rate <= 1  # 33

    @invariant()
    def masks_say_what_circuits_say(self) -> None:
        if hasattr(self, "pool"):
            for place, candidate in enumerate(self.pool.members):
                shown = bool(self.pool.available >> place & 1)
                assert shown == (candidate.health.ready and candidate.account.ready and candidate.account.has_room)  # 34

    @invariant()
    def holds_last_as_long_as_was_said(self) -> None:
        if hasattr(self, "pool"):
            now = self.clock()
            self.health.advance(now)
            for circuit in self.circuits:
                for reason in HELD_BY_HAND:
                    until = self.suspended.get((id(circuit), reason))
                    assert (reason in circuit.suspensions) == (until is not None and until > now)  # 42: exactly these suspensions
            for circuit in self.maintained:
                assert self.window is not None
                assert (SuspensionReason.MAINTENANCE_WINDOW in circuit.suspensions) == self.window.matches(
                    now
                )  # 43: by its cron expression

    @invariant()
    def cooldowns_never_shrink(self) -> None:
        if hasattr(self, "pool"):
            for circuit in [*(c.health for c in self.pool.members), *self.accounts]:
                known = self.untils.get(id(circuit))
                if (
                    known is not None
                    and circuit.state is BreakerState.OPEN
                    and known[0] <= circuit.generation
                    and circuit.generation
                ):
                    assert circuit.until >= known[1] or circuit.until >= self.clock()  # 35
                self.untils[id(circuit)] = (circuit.generation, circuit.until)
                if circuit.state is BreakerState.OPEN:
                    assert circuit.reason is not None  # 36: an open breaker has a reason

    def teardown(self) -> None:
        if not hasattr(self, "pool"):
            return
        for request in self.open:
            request["flow"].close()
        for served in self.streams:
            settlement.abandon(served, self.clock())
        assert all(account.in_flight == 0 for account in self.accounts)  # 37: nothing is in flight at the end
        self.clock.advance(100_000)
        self.health.advance(self.clock())
        for candidate in self.pool.members:  # a window may be open at any time
            self.health.resume(candidate.health, SuspensionReason.MAINTENANCE_WINDOW)
        assert all(c.status == "active" for c in self.pool.members)  # 38: every model becomes active again


FlowMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestFlow = FlowMachine.TestCase

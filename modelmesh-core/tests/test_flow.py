"""Request flow under a virtual clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmesh._engine.builtin.stick_until_failure import StickUntilFailure
from modelmesh._engine.foundation.failure_rules import classify
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.circuit_policy import CircuitPolicy
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.explain import explain
from modelmesh._engine.routing.flow import serve
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.pool_policy import PoolPolicy, RetryPolicy, RetryScope
from modelmesh._engine.routing.steps import Send, Wait
from modelmesh.contracts import CHAT, RULES, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.errors import (
    AllProvidersExhaustedError,
    BadRequestError,
    ConnectorError,
    NoActiveModelError,
    ProviderError,
    RoutingError,
)
from modelmesh.testing import VirtualClock

GOOD = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}


def failed(kind: FailureClass, status: int | None = None, delay: float | None = None) -> ProviderError:
    return RULES[kind].error(kind.value, failure=kind, status=status, upstream_delay_s=delay)


class FirstInOrder:
    """Selects the first candidate in pool order, or the last."""

    id = "test.first.v1"

    def __init__(self, *, reverse: bool = False) -> None:
        self.reverse = reverse

    def select(self, candidates: Any, request: Any) -> Candidate:
        return list(candidates)[-1 if self.reverse else 0]


class World:
    """A pool of models with scripted answers, by default one account for each model."""

    def __init__(
        self,
        models: str = "ab",
        *,
        accounts: dict[str, str] | None = None,
        info: dict[str, ModelInfo] | None = None,
        **policy: Any,
    ) -> None:
        self.clock = VirtualClock()
        self.rng = random.Random(7)
        self.health = HealthRegistry(draw=self.rng.random)
        made: dict[str, ProviderHealth] = {}
        members = []
        for name in models:
            owner = (accounts or {}).get(name, f"p{name}")
            account = made.setdefault(owner, ProviderHealth(provider_id=owner, connector_id="test.v1", names=(owner,)))
            members.append(Candidate(name, name, (info or {}).get(name, ModelInfo(name)), None, account))  # type: ignore[arg-type]
        self.pool = Pool("chat", "", members, StickUntilFailure(), self.health, PoolPolicy(**policy))
        self.sent: list[str] = []
        self.answers: dict[str, Callable[[], Any]] = {}
        self.waits: list[float] = []

    def call(self, **payload: Any) -> Call:
        return Call(CHAT, "chat", {"messages": [], **payload})

    def ask(self, call: Call | None = None) -> Any:
        flow = serve(call or self.call(), self.pool, clock=self.clock, rng=self.rng)
        outcome: Any = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as end:
                return end.value
            if isinstance(step, Wait):
                self.waits.append(step.seconds)
                self.clock.advance(step.seconds)
                outcome = None
            else:
                assert isinstance(step, Send)
                self.sent.append(step.candidate.model_id)
                outcome = self.answers.get(step.candidate.model_id, lambda: Answer(GOOD))()

    def fails(self, model: str, kind: FailureClass, status: int | None = None, delay: float | None = None) -> None:
        self.answers[model] = lambda: failed(kind, status, delay)

    def recovers(self, model: str) -> None:
        self.answers.pop(model, None)

    def candidate(self, model: str) -> Candidate:
        return next(c for c in self.pool.members if c.model_id == model)


def test_first_attempts_share_the_limits_of_the_pool() -> None:
    world = World("ab")
    sent: list[Send] = []
    for answer in (Answer(GOOD), failed(FailureClass.SERVER, 500)):
        flow = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
        sent.append(next(flow))
        world.clock.advance(200)
        with suppress(StopIteration):
            sent.append(flow.send(answer))
    first, second, third = (step.limits for step in sent)
    assert first is second is world.pool.policy.limits
    assert (third.total, third.answer, third.connect) == (400, 300, 5)


@pytest.mark.parametrize("kind", [kind for kind, rule in RULES.items() if rule.rotate])
def test_flow_after_failure_uses_next_candidate(kind: FailureClass) -> None:
    world = World()
    world.fails("a", kind, 500)
    served = world.ask()
    assert served.candidate.model_id == "b"
    assert world.sent == ["a", "b"]
    assert world.waits == []
    assert [attempt.outcome for attempt in served.attempts] == ["failed", "answered"]


@pytest.mark.parametrize("kind", [FailureClass.CALLER, FailureClass.POLICY])
def test_flow_returns_caller_error_at_once(kind: FailureClass) -> None:
    world = World()
    world.fails("a", kind, 400)
    with pytest.raises(BadRequestError):
        world.ask()
    assert world.sent == ["a"]
    assert world.candidate("a").failure_count == 0


def refusing(failure: FailureClass = FailureClass.REFUSED, status: int = 400, **facts: Any) -> Any:
    def answer() -> Any:
        error = failed(failure, status)
        for name, value in {"body": {"error": {"message": "no"}}, **facts}.items():
            setattr(error, name, value)
        return error

    return answer


def test_unexplained_refusal_is_tried_at_one_other_account() -> None:
    world = World("abc")
    world.answers["a"] = refusing()
    assert world.ask().candidate.model_id == "b"
    assert world.sent == ["a", "b"]


@pytest.mark.parametrize("second", [refusing(status=422), refusing(FailureClass.CAPABILITY), refusing(FailureClass.REFUSED, 404)])
def test_unexplained_refusal_by_two_accounts_is_the_first_one(second: Any) -> None:
    world = World("abc")
    world.answers |= {"a": refusing(code="first"), "b": second}
    with pytest.raises(BadRequestError) as caught:
        world.ask()
    assert (caught.value.code, caught.value.status, len(caught.value.attempts), world.sent) == ("first", 400, 2, ["a", "b"])
    assert world.pool.available == 0b111


def test_unexplained_refusal_goes_on_after_an_outage_elsewhere() -> None:
    world = World("abcd")
    world.answers["a"] = refusing()
    world.fails("b", FailureClass.SERVER, 503)
    world.fails("c", FailureClass.THROTTLE, 429)
    assert world.ask().candidate.model_id == "d"
    assert world.sent == ["a", "b", "c", "d"]


def test_unexplained_refusal_skips_an_account_that_was_not_tried() -> None:
    world = World("abc")
    world.answers |= {"a": refusing(), "b": refusing(FailureClass.CAPABILITY, body=None)}  # its connector cannot express it
    assert world.ask().candidate.model_id == "c"


def test_unexplained_refusal_is_the_error_when_all_others_fail() -> None:
    world = World("abc")
    world.answers["a"] = refusing(code="first")
    world.fails("b", FailureClass.SERVER, 503)
    world.fails("c", FailureClass.CREDENTIAL, 401)
    with pytest.raises(BadRequestError) as caught:
        world.ask()
    assert caught.value.code == "first"
    assert [attempt.failure for attempt in caught.value.attempts][:1] == ["refused"]
    assert {"server", "credential"} <= {attempt.failure for attempt in caught.value.attempts}


def test_unexplained_refusal_is_raised_without_other_accounts() -> None:
    world = World("ab", circuit=CircuitPolicy(cooldown=60.0))
    world.fails("b", FailureClass.QUOTA, 402)
    world.answers["a"] = refusing(FailureClass.SERVER, 500)
    with pytest.raises(RoutingError):
        world.ask()
    world.answers["a"] = refusing(code="first")
    sent = len(world.sent)
    with pytest.raises(BadRequestError):
        world.ask()
    assert world.sent[sent:] == ["a"]


def test_status_in_error_codes_is_a_failure_and_not_a_refusal() -> None:
    world = World("abc", circuit=CircuitPolicy(error_codes=frozenset({400})))
    world.answers |= {"a": refusing(), "b": refusing()}
    assert world.ask().candidate.model_id == "c"


@pytest.mark.parametrize("listed", [True, False])
def test_non_retryable_status_overrides_the_vendor(listed: bool) -> None:
    world = World("a", retry=RetryPolicy(non_retryable_codes=frozenset({503} if listed else {500})))
    world.answers["a"] = refusing(FailureClass.SERVER, 503, should_retry=True)
    with pytest.raises(RoutingError):
        world.ask()
    assert (len(world.sent) == 1) is listed


def test_stick_until_failure_stays_with_the_replacement() -> None:
    world = World("abc")
    world.ask()
    world.fails("a", FailureClass.SERVER, 500)
    world.ask()
    world.recovers("a")
    world.clock.advance(3600)
    world.ask()
    assert world.sent == ["a", "a", "b", "b"]


def test_breaker_opens_on_failures_and_closes_on_success() -> None:
    world = World("a", circuit=CircuitPolicy(cooldown=60.0), retry=RetryPolicy(max_attempts=0), panic=False)
    world.fails("a", FailureClass.SERVER, 500)
    for _ in range(3):
        with pytest.raises(AllProvidersExhaustedError):
            world.ask()
    with pytest.raises(NoActiveModelError) as caught:
        world.ask()
    assert caught.value.retry_after == pytest.approx(60, abs=1)  # type: ignore[attr-defined]
    assert len(world.sent) == 3
    world.clock.advance(60.1)
    world.recovers("a")
    world.ask()
    assert world.candidate("a").status == "active"
    assert world.candidate("a").failure_count == 0


def test_cooldown_configured_is_literal_and_default_doubles() -> None:
    for cooldown, expected in ((10.0, [10, 10, 10]), (None, [30, 60, 120])):
        world = World(
            "a", circuit=CircuitPolicy(failure_threshold=1, cooldown=cooldown), retry=RetryPolicy(max_attempts=0), panic=False
        )
        world.fails("a", FailureClass.SERVER, 500)
        for seconds in expected:
            with pytest.raises(AllProvidersExhaustedError):
                world.ask()
            left = world.candidate("a").health.until - world.clock()
            assert seconds <= left <= seconds * 1.2
            world.clock.advance(left + 0.01)


def test_retry_after_is_never_shortened() -> None:
    world = World("ab")
    world.fails("a", FailureClass.THROTTLE, 429, delay=3600)
    world.ask()
    first = world.candidate("a").health.until - world.clock()
    assert 3600 <= first <= 3960
    world.clock.advance(3599)
    world.ask()
    assert world.sent == ["a", "b", "b"]


def test_exhausted_account_makes_all_its_models_unavailable() -> None:
    world = World("abc", accounts={"a": "one", "b": "one", "c": "two"})
    world.fails("a", FailureClass.QUOTA, 429)
    assert world.ask().candidate.model_id == "c"
    assert [c.status for c in world.pool.members] == ["standby", "standby", "active"]
    assert world.sent == ["a", "c"]


def test_models_of_a_dead_account_leave_attempts_for_others() -> None:
    world = World("abcdefg", accounts=dict.fromkeys("abcdef", "dead"))
    for name in "abcdef":
        world.fails(name, FailureClass.CONNECT)
    assert world.ask().candidate.model_id == "g"
    assert world.sent == ["a", "g"]


def test_rotation_over_eight_dead_accounts_tries_each_once() -> None:
    world = World("abcdefgh")
    for name in "abcdefgh":
        world.fails(name, FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError) as caught:
        world.ask()
    assert world.sent == list("abcdefgh")
    assert "ended" not in caught.value.details


def test_failover_over_twenty_dead_accounts_ends_at_16_calls() -> None:
    names = "abcdefghijklmnopqrst"
    world = World(names)
    for name in names:
        world.fails(name, FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError) as caught:
        world.ask()
    assert len(world.sent) == 16
    assert caught.value.details["ended"] == "a request makes at most 16 calls"
    assert "a request makes at most 16 calls" in str(caught.value)


def test_billable_calls_at_one_account_are_capped() -> None:
    world = World("abcdefgh", accounts=dict.fromkeys("abcdefgh", "one"), circuit=CircuitPolicy(outage_takes_account=False))
    for name in "abcdefgh":
        world.fails(name, FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError) as caught:
        world.ask()
    assert world.sent == list("abcd")
    assert caught.value.details["ended"] == "a request makes at most 4 calls that may be billed"


ACCOUNT_FAILURES = [
    FailureClass.CONNECT,
    FailureClass.DISCONNECT,
    FailureClass.TIMEOUT,
    FailureClass.CREDENTIAL,
    FailureClass.PERMISSION,
    FailureClass.QUOTA,
    FailureClass.THROTTLE,
    FailureClass.SERVER,
    FailureClass.MISCONFIGURED,
    FailureClass.PROTOCOL,
]


@pytest.mark.parametrize("kind", ACCOUNT_FAILURES)
def test_failure_of_an_account_tries_another_account_next(kind: FailureClass) -> None:
    world = World("abcdefghz", accounts={**dict.fromkeys("abcdefgh", "dead"), "z": "healthy"})
    for name in "abcdefgh":
        world.fails(name, kind, 500)
    for _ in range(12):
        assert world.ask().candidate.model_id == "z"
    assert world.sent[:2] == ["a", "z"]


def test_models_not_found_leave_calls_for_other_accounts() -> None:
    world = World("abcdefghz", accounts={**dict.fromkeys("abcdefgh", "one"), "z": "two"})
    for name in "abcdefgh":
        world.fails(name, FailureClass.NOT_FOUND, 404)
    assert world.ask().candidate.model_id == "z"
    assert world.sent == ["a", "b", "z"]


def test_models_not_found_are_tried_until_one_answers() -> None:
    world = World("abcdefgh", accounts=dict.fromkeys("abcdefgh", "one"))
    for name in "abcdefg":
        world.fails(name, FailureClass.NOT_FOUND, 404)
    assert world.ask().candidate.model_id == "h"
    assert world.sent == list("abcdefgh")


@pytest.mark.parametrize("kind", [FailureClass.CONNECT, FailureClass.CREDENTIAL, FailureClass.SERVER])
def test_four_dead_accounts_do_not_hide_the_healthy_fifth(kind: FailureClass) -> None:
    world = World("abcde")
    for name in "abcd":
        world.fails(name, kind, 500)
    assert world.ask().candidate.model_id == "e"


def test_untried_account_is_reached_after_any_failures() -> None:
    names = "abcdefghijklmnopqr"
    world = World(
        names + "z", accounts={**dict.fromkeys(names, "many"), "z": "last"}, retry=RetryPolicy(scope=RetryScope.SAME_PROVIDER)
    )
    for name in names:
        world.fails(name, FailureClass.NOT_FOUND, 404)
    assert world.ask().candidate.model_id == "z"
    assert len(world.sent) <= 16


def test_deadline_that_ends_a_request_is_in_the_error() -> None:
    world = World("ab")

    def slow() -> ProviderError:
        world.clock.advance(599.5)
        return failed(FailureClass.SERVER, 500)

    world.answers["a"] = slow
    with pytest.raises(AllProvidersExhaustedError) as caught:
        world.ask()
    assert caught.value.details["ended"] == "the deadline of the request has passed"


def test_sole_candidate_is_retried_with_backoff() -> None:
    world = World("a")
    world.fails("a", FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    assert world.sent == ["a"] * 4
    assert len(world.waits) == 3
    assert all(0 <= wait <= bound for wait, bound in zip(world.waits, (0.5, 1, 2), strict=True))


def test_sole_candidate_waits_for_retry_after_or_fails() -> None:
    world = World("a")
    answers = [failed(FailureClass.THROTTLE, 429, 20), Answer(GOOD)]
    world.answers["a"] = lambda: answers.pop(0)
    assert world.ask().candidate.model_id == "a"
    assert 20 <= world.waits[0] <= 22
    world = World("a")
    world.fails("a", FailureClass.THROTTLE, 429, delay=500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    assert world.waits == []


def test_configured_retries_come_before_failover() -> None:
    world = World("ab", retry=RetryPolicy(max_attempts=2))
    world.fails("a", FailureClass.SERVER, 500)
    assert world.ask().candidate.model_id == "b"
    assert world.sent == ["a", "a", "a", "b"]
    assert len(world.waits) == 2


def test_retry_scope_selects_the_candidates() -> None:
    accounts = {"a": "one", "b": "two", "c": "one"}
    for scope, expected in ((RetryScope.SAME_PROVIDER, ["a", "c", "b"]), (RetryScope.ANY, ["a", "b"])):
        world = World("abc", accounts=accounts, retry=RetryPolicy(scope=scope))
        world.fails("a", FailureClass.SERVER, 500)
        world.fails("c", FailureClass.SERVER, 500)
        assert world.ask().candidate.model_id == "b"
        assert world.sent == expected


def test_should_retry_forbids_or_requests_a_retry() -> None:
    for stated, calls in ((False, 1), (True, 2)):
        world = World("a")
        kind = FailureClass.SERVER if stated is False else FailureClass.PROTOCOL

        def failing(kind: FailureClass = kind, stated: bool = stated) -> Any:
            error = failed(kind, 500)
            error.should_retry = stated
            return error

        world.answers["a"] = failing
        with pytest.raises(AllProvidersExhaustedError):
            world.ask()
        assert len(world.sent) == calls


def test_retries_spend_the_retry_budget() -> None:
    policy = CircuitPolicy(failure_threshold=1000, error_rate_threshold=2, outage_takes_account=False)
    world = World("a", circuit=policy)
    world.fails("a", FailureClass.SERVER, 500)
    for _ in range(20):
        with pytest.raises(AllProvidersExhaustedError):
            world.ask()
    assert len(world.sent) == 20 + 10
    world.recovers("a")
    for _ in range(100):
        world.ask()
    assert world.candidate("a").health.retry_budget == 100


def test_full_outage_costs_one_call_for_each_account() -> None:
    world = World("abcd")
    for name in "abcd":
        world.fails(name, FailureClass.SERVER, 500)
    for _ in range(20):
        with pytest.raises(RoutingError):
            world.ask()
    before = len(world.sent)
    for _ in range(200):
        world.clock.advance(0.5)
        with pytest.raises(RoutingError):
            world.ask()
    assert len(world.sent) - before <= 4 * 200


def test_recovered_account_answers_while_breakers_are_open() -> None:
    world = World("abcd", circuit=CircuitPolicy(failure_threshold=1, cooldown=300.0))
    for name in "abcd":
        world.fails(name, FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    world.recovers("c")
    assert world.ask().candidate.model_id == "c"


def test_refused_parameter_is_avoided_for_an_hour() -> None:
    world = World("ab")

    def refusing() -> Any:
        error = failed(FailureClass.CAPABILITY, 400)
        error.code, error.feature = "unsupported_parameter", "seed"
        return error

    world.answers["a"] = refusing
    assert world.ask(world.call(seed=1)).candidate.model_id == "b"
    world.recovers("a")
    assert world.ask(world.call(seed=1)).candidate.model_id == "b"
    assert world.ask().candidate.model_id == "a"
    world.clock.advance(3601)
    assert world.ask(world.call(seed=1)).candidate.model_id == "a"


def test_too_long_prompt_goes_to_larger_windows_only() -> None:
    info = {
        "a": ModelInfo("a", context_window=100),
        "b": ModelInfo("b", context_window=100),
        "c": ModelInfo("c", context_window=200),
    }
    world = World("abc", info=info)

    def too_long() -> Any:
        error = failed(FailureClass.CAPABILITY, 400)
        error.code = "context_length_exceeded"
        return error

    world.answers["a"] = too_long
    assert world.ask().candidate.model_id == "c"
    world.answers["c"] = too_long
    with pytest.raises(BadRequestError):
        world.ask()
    assert world.sent == ["a", "c", "a", "c"]


def test_throttled_account_has_a_lower_concurrency_limit() -> None:
    world = World("ab")
    account = world.candidate("a").account
    world.fails("a", FailureClass.THROTTLE, 429, delay=1)
    world.ask()
    assert account.concurrency_limit == 70
    world.recovers("a")
    world.clock.advance(2)
    world.pool.deactivate(world.candidate("b"))
    for _ in range(70):
        world.ask()
    assert account.concurrency_limit == 71


def test_full_account_is_waited_for_until_the_deadline() -> None:
    world = World("a")
    world.candidate("a").account.concurrency_limit = world.candidate("a").account.max_concurrency = 1
    first = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
    assert isinstance(next(first), Send)
    with pytest.raises(NoActiveModelError, match=r"no slot became free within 599.0 s at pa \(1 in flight, 0 waiting\)"):
        world.ask()
    assert sum(world.waits) == pytest.approx(599.0)
    first.close()
    assert world.ask().candidate.model_id == "a"


def test_full_account_is_waited_for_as_long_as_it_allows() -> None:
    world = World("a")
    account = world.candidate("a").account
    account.concurrency_limit = account.max_concurrency = 1
    account.admission.wait_s = 2.5
    first = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
    next(first)
    with pytest.raises(NoActiveModelError, match=r"within 2.5 s"):
        world.ask()
    assert sum(world.waits) == pytest.approx(2.5)


def test_queue_grants_places_in_the_order_of_arrival() -> None:
    world = World("a")
    account = world.candidate("a").account
    account.concurrency_limit = account.max_concurrency = 1
    flows = [serve(world.call(), world.pool, clock=world.clock, rng=world.rng) for _ in range(4)]
    assert isinstance(next(flows[0]), Send)
    waits = [next(flow) for flow in flows[1:]]
    assert all(isinstance(wait, Wait) for wait in waits)
    for finished, following in pairwise(flows):
        with pytest.raises(StopIteration):
            finished.send(Answer(GOOD))
        newcomer = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
        assert isinstance(next(newcomer), Wait)  # a new request does not take the slot of a waiting one
        newcomer.close()
        assert isinstance(following.send(None), Send)
    flows[-1].close()
    assert (account.in_flight, account.admission.waiting, account.admission.granted_slots) == (0, 0, 0)


def test_queue_that_is_full_refuses_at_once() -> None:
    world = World("a")
    account = world.candidate("a").account
    account.concurrency_limit = account.max_concurrency = 1
    account.admission.size = 2
    first, *queued = (serve(world.call(), world.pool, clock=world.clock, rng=world.rng) for _ in range(3))
    next(first)
    assert all(isinstance(next(flow), Wait) for flow in queued)
    with pytest.raises(NoActiveModelError, match=r"the queue is full at pa \(1 in flight, 2 waiting\)"):
        world.ask()
    assert world.waits == []


def test_queued_request_goes_to_another_available_account() -> None:
    world = World("ab")
    for name in "ab":
        account = world.candidate(name).account
        account.concurrency_limit = account.max_concurrency = 1
    busy = [serve(world.call(), world.pool, clock=world.clock, rng=world.rng) for _ in range(2)]
    for flow in busy:
        next(flow)
    queued = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
    assert isinstance(next(queued), Wait)
    busy[1].close()
    step = queued.send(None)
    assert isinstance(step, Send)
    assert step.candidate.model_id == "b"


def test_granted_place_that_is_not_taken_goes_to_the_next() -> None:
    world = World("a")
    account = world.candidate("a").account
    account.concurrency_limit = account.max_concurrency = 1
    first, second, third = (serve(world.call(), world.pool, clock=world.clock, rng=world.rng) for _ in range(3))
    next(first)
    assert isinstance(next(second), Wait)
    assert isinstance(next(third), Wait)
    first.close()
    second.close()  # its caller left after the slot was granted
    assert isinstance(third.send(None), Send)


def test_outage_of_two_models_opens_the_breaker_of_the_account() -> None:
    accounts = {"a": "one", "b": "one", "c": "one", "d": "two"}
    world = World("abcd", accounts=accounts)
    for name in "abc":
        world.fails(name, FailureClass.SERVER, 500)
    world.fails("d", FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    assert world.sent == ["a", "d", "b"]
    assert [c.status for c in world.pool.members] == ["standby", "standby", "standby", "active"]


def test_five_outages_of_one_model_open_the_account_breaker() -> None:
    world = World("a", circuit=CircuitPolicy(failure_threshold=1000, error_rate_threshold=2), retry=RetryPolicy(max_attempts=0))
    world.fails("a", FailureClass.SERVER, 500)
    for _ in range(5):
        assert world.candidate("a").account.ready
        with pytest.raises(AllProvidersExhaustedError):
            world.ask()
    assert not world.candidate("a").account.ready


def test_outage_in_an_answer_between_leaves_the_account_closed() -> None:
    world = World("ab", accounts=dict.fromkeys("ab", "one"))
    world.fails("a", FailureClass.SERVER, 500)
    for _ in range(8):
        assert world.ask().candidate.model_id == "b"
    assert world.candidate("b").account.ready


def test_account_recovery_on_manual_stays_open_until_reset() -> None:
    accounts = {"a": "one", "b": "one", "c": "two"}
    world = World("abc", accounts=accounts, circuit=CircuitPolicy(account_by_hand=True))
    for name in "abc":
        world.fails(name, FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    world.clock.advance(1e6)
    for name in "abc":
        world.recovers(name)
    world.ask()
    assert [c.status for c in world.pool.members] == ["standby", "standby", "active"]
    world.health.reset(world.candidate("a").account)
    assert [c.status for c in world.pool.members] == ["active"] * 3


def test_slow_start_weight_rises_after_a_recovery() -> None:
    world = World("ab", circuit=CircuitPolicy(failure_threshold=1, cooldown=10.0))
    health = world.candidate("a").health
    assert health.slow_start_weight(world.clock()) == 1
    world.fails("a", FailureClass.SERVER, 500)
    world.ask()
    world.recovers("a")
    world.clock.advance(11)
    world.pool.deactivate(world.candidate("b"))
    world.ask()
    assert health.slow_start_weight(world.clock()) == 0.1
    assert health.slow_start_weight(world.clock() + 15) == 0.5
    assert health.slow_start_weight(world.clock() + 30) == 1


def test_same_seed_gives_same_trace() -> None:
    def trace(seed: int) -> list[Any]:
        world = World("abc")
        world.rng.seed(seed)
        script = random.Random(1)
        for _ in range(200):
            for name in "abc":
                kind = script.choice([None, None, *FailureClass])
                world.recovers(name) if kind is None else world.fails(name, kind, 500)
            try:
                world.ask()
            except (RoutingError, ProviderError) as error:
                world.sent.append(type(error).__name__)
            world.clock.advance(script.random() * 20)
        return [*world.sent, *world.waits, *(c.health.until for c in world.pool.members)]

    assert trace(1) == trace(1)
    assert trace(1) != trace(2)


def test_half_open_breaker_lets_one_probe_through() -> None:
    world = World("ab", circuit=CircuitPolicy(failure_threshold=1, cooldown=10.0), retry=RetryPolicy(max_attempts=0))
    world.pool.strategy = FirstInOrder()  # type: ignore[assignment]
    world.fails("a", FailureClass.SERVER, 500)
    world.ask()
    world.clock.advance(10.1)
    probe = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
    assert next(probe).candidate.model_id == "a"  # type: ignore[union-attr]
    assert world.ask().candidate.model_id == "b"
    world.clock.advance(31)  # a probe without outcome for 30 s is replaced by the next
    second = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
    assert next(second).candidate.model_id == "a"  # type: ignore[union-attr]
    second.close()
    probe.close()
    assert world.candidate("a").account.in_flight == 0


def test_half_open_sole_candidate_serves_every_request() -> None:
    world = World("a", circuit=CircuitPolicy(failure_threshold=1, cooldown=10.0), retry=RetryPolicy(max_attempts=0), panic=False)
    world.fails("a", FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    world.recovers("a")
    world.clock.advance(10.1)
    flows = [serve(world.call(), world.pool, clock=world.clock, rng=world.rng) for _ in range(5)]
    assert all(isinstance(next(flow), Send) for flow in flows)
    for flow in flows:
        with pytest.raises(StopIteration):
            flow.send(Answer(GOOD))
    assert world.candidate("a").account.in_flight == 0
    assert world.candidate("a").health.state == "closed"


def test_half_open_candidates_under_probe_serve_as_last_resort() -> None:
    world = World("ab", circuit=CircuitPolicy(failure_threshold=1, cooldown=10.0), retry=RetryPolicy(max_attempts=0))
    for name in "ab":
        world.fails(name, FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    world.clock.advance(12)
    flows = [serve(world.call(), world.pool, clock=world.clock, rng=world.rng) for _ in range(4)]
    assert all(isinstance(next(flow), Send) for flow in flows)


def test_rotated_model_is_the_last_resort_of_a_request() -> None:
    world = World("ab")
    world.pool.rotate(world.candidate("a"))
    assert world.ask().candidate.model_id == "b"
    world.fails("b", FailureClass.SERVER, 500)
    served = world.ask()
    assert served.candidate.model_id == "a"
    assert served.reason == "no other candidate is available, and it was rotated out"
    assert world.candidate("a") in world.pool.manual_standby


def test_deactivated_model_is_not_a_last_resort() -> None:
    world = World("ab", retry=RetryPolicy(max_attempts=0))
    world.pool.deactivate(world.candidate("a"))
    world.fails("b", FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    assert world.sent == ["b"]


def test_panic_tries_open_breaker_of_another_account() -> None:
    world = World("ab", circuit=CircuitPolicy(failure_threshold=1, cooldown=60.0), retry=RetryPolicy(max_attempts=0))
    world.fails("b", FailureClass.SERVER, 500)
    world.candidate("a").account.concurrency_limit = 100
    world.pool.strategy = FirstInOrder(reverse=True)  # type: ignore[assignment]
    world.ask()
    world.recovers("b")
    world.fails("a", FailureClass.SERVER, 500)
    assert world.ask().candidate.model_id == "b"


def test_strategy_that_raises_in_picked_releases_the_lease() -> None:
    world = World("a")

    class Broken(StickUntilFailure):
        def picked(self, *_: Any) -> None:
            raise RuntimeError("bug")

    world.pool.strategy = Broken()
    with pytest.raises(ConnectorError):
        world.ask()
    assert not world.health.leases
    assert world.candidate("a").account.in_flight == 0
    assert world.sent == []


@pytest.mark.parametrize("notice", ["failed", "succeeded"])
def test_strategy_that_raises_in_succeeded_releases_the_lease(notice: str) -> None:
    world = World("a", retry=RetryPolicy(max_attempts=0))

    def raises(self: Any, *_: Any) -> None:
        raise RuntimeError("bug")

    world.pool.strategy = type("Broken", (StickUntilFailure,), {notice: raises})()
    if notice == "failed":
        world.fails("a", FailureClass.SERVER, 500)
    with pytest.raises(ConnectorError):
        world.ask()
    assert not world.health.leases
    assert world.candidate("a").account.in_flight == 0


def test_breaker_closed_by_late_probe_has_no_probe() -> None:
    world = World("a", circuit=CircuitPolicy(failure_threshold=1, cooldown=10.0), retry=RetryPolicy(max_attempts=0), panic=False)
    world.fails("a", FailureClass.SERVER, 500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    world.clock.advance(10.1)
    late, second = (serve(world.call(), world.pool, clock=world.clock, rng=world.rng) for _ in range(2))
    assert isinstance(next(late), Send)
    world.clock.advance(31)
    assert isinstance(next(second), Send)
    with pytest.raises(StopIteration):
        late.send(Answer(GOOD))
    health = world.candidate("a").health
    assert (health.state, health.probe) == ("closed", 0)
    second.close()
    assert health.ready


def test_late_answer_does_not_close_a_reopened_breaker() -> None:
    world = World("ab", circuit=CircuitPolicy(failure_threshold=1, cooldown=100.0))
    early = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
    assert isinstance(next(early), Send)
    world.fails("a", FailureClass.SERVER, 500)
    world.ask()
    assert world.candidate("a").status == "standby"
    with pytest.raises(StopIteration):
        early.send(Answer(GOOD))
    assert world.candidate("a").status == "standby"


def test_panic_tries_estimated_cooldowns_soonest_first() -> None:
    world = World("ab", circuit=CircuitPolicy(failure_threshold=1))
    world.fails("a", FailureClass.SERVER, 500)
    world.fails("b", FailureClass.SERVER, 500)
    with pytest.raises(RoutingError):
        world.ask()
    before = len(world.sent)
    with pytest.raises(RoutingError):
        world.ask()
    assert sorted(world.sent[before:]) == ["a", "b"]
    world.recovers("a")
    world.recovers("b")
    assert world.ask().candidate.model_id in "ab"


@pytest.mark.parametrize(
    ("kind", "status"), [(FailureClass.CREDENTIAL, 401), (FailureClass.QUOTA, 402), (FailureClass.THROTTLE, 429)]
)
def test_panic_respects_retry_after(kind: FailureClass, status: int) -> None:
    world = World("a", retry=RetryPolicy(max_attempts=0))
    world.fails("a", kind, status, delay=500)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    with pytest.raises(NoActiveModelError):
        world.ask()
    assert world.sent == ["a"]


def test_capable_excludes_only_stated_lacks() -> None:
    world = World("abc", info={"a": ModelInfo("a", features={"tool_calling": False}), "b": ModelInfo("b", context_window=100)})
    assert world.ask(world.call(tools=[{"type": "function"}])).candidate.model_id == "b"
    assert world.ask(world.call(messages=[{"role": "user", "content": "x" * 2000}])).candidate.model_id == "a"
    both = world.call(tools=[{}], messages=[{"role": "user", "content": "x" * 2000}])
    assert world.ask(both).candidate.model_id == "c"
    assert world.ask().candidate.model_id == "a"
    reasons = {row.model: row.reason for row in explain(both, world.pool, clock=world.clock, rng=world.rng).candidates}
    assert "tool_calling" in reasons["a"]
    assert "100 tokens" in reasons["b"]


def test_explain_changes_nothing() -> None:
    world = World("ab")
    for _ in range(3):
        shown = explain(world.call(), world.pool, clock=world.clock, rng=world.rng)
        assert (shown.selected_model, shown["reason"]) == ("a", "first eligible model in pool order")
    assert world.pool.total_requests == 0
    assert world.candidate("a").account.in_flight == 0


def test_account_at_capacity_is_skipped() -> None:
    world = World("ab")
    world.candidate("a").account.concurrency_limit = 1
    first = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
    assert isinstance(next(first), Send)
    assert world.ask().candidate.model_id == "b"
    with pytest.raises(StopIteration):
        first.send(Answer(GOOD))
    assert world.pool.available == 0b11


@pytest.mark.parametrize(
    ("status", "code", "delay", "expected"),
    [
        (400, None, False, "refused"), (400, "context_length_exceeded", False, "capability"), (400, "content_filter", False, "policy"),
        (401, None, False, "credential"), (402, None, False, "quota"), (403, None, False, "permission"), (404, None, False, "refused"), (404, "model_not_found", False, "not-found"), (409, None, False, "refused"),
        (408, None, False, "transient"), (418, None, False, "refused"), (422, None, False, "refused"), (425, None, False, "transient"),
        (429, None, False, "throttle"), (429, "insufficient_quota", False, "quota"), (500, None, False, "server"), (501, None, False, "refused"),
        (503, None, False, "server"), (503, None, True, "throttle"), (529, None, True, "throttle"), (599, None, False, "server"),
        (302, None, False, "misconfigured"), (204, None, False, "protocol"), (700, None, False, "protocol"),
    ],
)  # fmt: skip
def test_candidate_status_follows_the_breakers(status: int, code: str | None, delay: bool, expected: str) -> None:
    assert classify(status, code, delay_given=delay) == expected


def test_rules_cover_every_failure_class() -> None:
    assert set(RULES) == set(FailureClass)
    assert all(rule.meaning and rule.billed in ("yes", "no", "unknown") for rule in RULES.values())


steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([*FailureClass, None]), st.floats(0, 400)), min_size=1, max_size=60
)


@settings(max_examples=300, deadline=None)
@given(steps, st.sampled_from([None, 1.0, 30.0]))
def test_flow_laws_hold_for_any_history(history: list[tuple[str, FailureClass | None, float]], cooldown: float | None) -> None:
    world = World("abc", circuit=CircuitPolicy(cooldown=cooldown))
    for model, kind, passed in history:
        if kind is None:
            world.recovers(model)
        else:
            world.fails(model, kind, 500)
        world.clock.advance(passed)
        world.health.advance(world.clock())
        before = len(world.sent)
        healthy = [c.model_id for c in world.pool.get_active_models() if c.model_id not in world.answers]
        untils = {c.model_id: c.health.until for c in world.pool.members if not c.health.ready}
        try:
            served = world.ask()
        except RoutingError:
            served = None
        except ProviderError as error:
            assert not RULES[error.failure].rotate or RULES[error.failure].rotate_once
            served = None
        tried = world.sent[before:]
        assert len(tried) <= 16
        if served is not None:
            assert tried[-1] == served.candidate.model_id
            assert tried[-1] not in world.answers
        elif healthy:
            kinds = [world.answers[m]().failure for m in tried if m in world.answers]
            refused = sum(RULES[kind].rotate_once for kind in kinds)  # by two accounts: the request itself is wrong
            assert refused > 1 or any(not RULES[kind].rotate for kind in kinds)
        for candidate in world.pool.members:
            assert candidate.account.in_flight == 0
            if candidate.model_id in untils and not candidate.health.ready:
                assert candidate.health.until >= untils[candidate.model_id]


@pytest.mark.parametrize("kind", [FailureClass.THROTTLE, FailureClass.NOT_FOUND, FailureClass.SERVER])
def test_sole_candidate_in_estimated_cooldown_is_tried(kind: FailureClass) -> None:
    world = World("a", retry=RetryPolicy(max_attempts=0))
    world.fails("a", kind, 500)
    for _ in range(6):
        with pytest.raises(AllProvidersExhaustedError):
            world.ask()
    world.recovers("a")
    assert world.ask().candidate.model_id == "a"


def test_sole_candidate_within_retry_after_is_not_tried() -> None:
    world = World("a", retry=RetryPolicy(max_attempts=0))
    world.fails("a", FailureClass.THROTTLE, 429, 30.0)
    with pytest.raises(AllProvidersExhaustedError):
        world.ask()
    with pytest.raises(NoActiveModelError) as caught:
        world.ask()
    assert caught.value.retry_after == pytest.approx(30, abs=4)


def test_unexplained_refusal_prefers_another_vendor() -> None:
    world = World("abc")
    for name, connector in (("a", "x.one.v1"), ("b", "x.one.v1"), ("c", "x.two.v1")):
        account = world.candidate(name).account
        account.connector_id = connector
    world.pool.index._by_provider["x.one.v1"] = 0b011
    for name in "ab":
        world.fails(name, FailureClass.REFUSED, 400)
    assert world.ask().candidate.model_id == "c"
    assert world.sent == ["a", "c"]


def test_failures_at_one_account_leave_calls_for_many_others() -> None:
    others = "bcdefghijklmnop"  # sixteen with the first account
    many = "123456"
    world = World(many + others, accounts=dict.fromkeys(many, "many"))
    for name in many + others[:-1]:
        world.fails(name, FailureClass.NOT_FOUND, 404)
    assert world.ask().candidate.model_id == others[-1]
    assert len(world.sent) == 16


def test_granted_place_that_cannot_be_used_is_given_up() -> None:
    world = World("ab", accounts={"a": "one", "b": "two"}, retry=RetryPolicy(max_attempts=0))
    for name in "ab":
        account = world.candidate(name).account
        account.concurrency_limit = account.max_concurrency = 1
    busy = [serve(world.call(), world.pool, clock=world.clock, rng=world.rng) for _ in range(2)]
    for flow in busy:
        next(flow)
    queued = serve(world.call(), world.pool, clock=world.clock, rng=world.rng)
    assert isinstance(next(queued), Wait)
    busy[0].close()  # grants the slot
    world.health.suspend(world.candidate("a").account, SuspensionReason.BUDGET_EXCEEDED, world.clock() + 60)
    assert isinstance(queued.send(None), Wait)  # for the other account
    queued.close()
    busy[1].close()
    for name in "ab":
        queue = world.candidate(name).account.admission
        assert (queue.waiting, queue.granted_slots) == (0, 0)

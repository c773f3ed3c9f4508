"""Conformance tests of strategies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any, ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelmesh import ModelMesh
from modelmesh._engine.assembly.policies import strategy_settings
from modelmesh._engine.config.schema import PoolSection
from modelmesh._engine.plugins.resolver import build
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import CHAT, Candidate, FailureClass, Kind
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.strategy import SelectionRequest, SelectionResult
from modelmesh.errors import ProviderServerError
from modelmesh_cdk.testing.accounts import InProcessAccount, pool_of
from modelmesh_cdk.testing.naming import NamedConnector

MOST = 6
_MASKS = st.integers(1, 2**MOST - 1)
_QUIETLY = settings(max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))


class StrategyConformance(NamedConnector):
    """Derive a test class and set ``strategy_class``. The tests need no network and do not measure speed."""

    kind = Kind.STRATEGY

    strategy_class: ClassVar[Any]
    """Class of the entry point."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """The ``selection`` section of the pool, as in a configuration file."""

    prices: ClassVar[Sequence[ModelPricing | None]] = (None, ModelPricing(0.001, 0.002), ModelPricing(0.0, 0.0))
    """Prices of the models in turn, including an unknown one."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.strategy_class

    def make(self) -> Any:
        """Return a strategy as the mesh creates it. Override this for another construction."""
        section = PoolSection("chat-completion", selection=dict(deepcopy(self.settings)))
        return build(self.strategy_class, strategy_settings(section), self.strategy_class.id)

    def pool(self, size: int = MOST, strategy: Any = None) -> Pool:
        """Return a pool of this many models at two providers, with a new strategy."""
        infos = [ModelInfo(f"model-{n}", pricing=self.prices[n % len(self.prices)]) for n in range(size)]
        return pool_of(infos, strategy or self.make())

    # -- choosing -----------------------------------------------------------------------------------------------------

    def test_choice_is_a_candidate(self) -> None:
        """The choice is always one of the candidates."""

        def check(size: int, mask: int) -> None:
            pool = self.pool(size)
            offered = Candidates(pool, (mask & (1 << size) - 1) or 1)
            assert chosen(pool.strategy.select(offered, request())) in offered

        _QUIETLY(given(st.integers(1, MOST), _MASKS)(check))()

    def test_choice_exists_after_any_history(self) -> None:
        """After any history of reports, the strategy chooses one of the candidates."""

        def check(steps: list[tuple[int, int, str]]) -> None:
            pool = self.pool()
            for place, mask, what in steps:
                report_outcome(pool.strategy, what, pool.members[place])
                offered = Candidates(pool, mask)
                assert chosen(pool.strategy.select(offered, request())) in offered

        heard = st.sampled_from(("picked", "succeeded", "failed"))
        _QUIETLY(given(st.lists(st.tuples(st.integers(0, MOST - 1), _MASKS, heard), max_size=12))(check))()

    def test_select_is_repeatable(self) -> None:
        """Two equal selections give the same choice. A strategy learns from reports only."""

        def check(history: list[int], mask: int, looks: int) -> None:
            pool = self.pool()
            for place in history:
                report_outcome(pool.strategy, "picked", pool.members[place])
            offered = Candidates(pool, mask)
            assert len({id(chosen(pool.strategy.select(offered, request()))) for _ in range(looks)}) == 1

        places = st.lists(st.integers(0, MOST - 1), max_size=6)
        _QUIETLY(given(places, _MASKS, st.integers(2, 5))(check))()

    def test_select_with_same_seed_is_repeatable(self) -> None:
        """Randomness comes from ``request.rng`` only, so that a simulation can be repeated."""
        for seed in range(20):
            first, second = (
                [str(chosen(strategy.select(Candidates(pool, 2**MOST - 1), request(seed)))) for _ in range(3)]
                for strategy, pool in ((pool.strategy, pool) for pool in (self.pool(), self.pool()))
            )
            assert first == second

    def test_request_is_not_changed(self) -> None:
        """Selection and reports do not modify the request or the models."""
        pool = self.pool()
        selection = request()
        before = deepcopy((selection.call.payload, selection.call.options, [member.info for member in pool.members]))
        for member in pool.members:
            pool.strategy.select(Candidates(pool, 2**MOST - 1), selection)
            for what in ("picked", "succeeded", "failed"):
                report_outcome(pool.strategy, what, member, selection)
        assert (selection.call.payload, selection.call.options, [member.info for member in pool.members]) == before

    def test_settings_are_not_changed(self) -> None:
        """The strategy does not modify the settings of the pool."""
        section = PoolSection("chat-completion", selection=dict(deepcopy(self.settings)))
        given_settings = strategy_settings(section)
        before = deepcopy(given_settings)
        strategy = build(self.strategy_class, given_settings, self.strategy_class.id)
        pool = self.pool(strategy=strategy)
        strategy.select(Candidates(pool, 2**MOST - 1), request())
        assert given_settings == before

    def test_instances_share_no_state(self) -> None:
        """Each pool has its own strategy instance, and reports to one do not affect another."""
        fresh, quiet = self.pool(), self.pool()
        first = str(chosen(fresh.strategy.select(Candidates(fresh, 2**MOST - 1), request())))
        for _ in range(3):
            report_outcome(fresh.strategy, "picked", fresh.members[0])
            report_outcome(fresh.strategy, "failed", fresh.members[0])
        assert str(chosen(quiet.strategy.select(Candidates(quiet, 2**MOST - 1), request()))) == first

    # -- explaining ---------------------------------------------------------------------------------------------------

    def test_score_is_a_finite_number(self) -> None:
        """A score is a finite number for every candidate and for the choice."""
        pool = self.pool()
        result = pool.strategy.select(Candidates(pool, 2**MOST - 1), request())
        scores = [result.score] if isinstance(result, SelectionResult) else []
        score: Callable[..., Any] | None = getattr(pool.strategy, "score", None)
        scores += [score(member, request()) for member in pool.members] if score else []
        wrong = [one for one in scores if isinstance(one, bool) or not isinstance(one, int | float) or not math.isfinite(one)]
        assert not wrong

    def test_reason_is_one_line(self) -> None:
        """The reason is one line of text for ``explain()`` and for logs."""
        pool = self.pool()
        result = pool.strategy.select(Candidates(pool, 2**MOST - 1), request())
        if isinstance(result, SelectionResult):
            assert isinstance(result.reason, str)
            assert result.reason.strip()
            assert "\n" not in result.reason

    # -- in a mesh ----------------------------------------------------------------------------------------------------

    def mesh(self, accounts: Mapping[str, InProcessAccount]) -> ModelMesh:
        """Return a mesh of these accounts with one pool of this strategy and a stopped clock."""
        mesh = ModelMesh(clock=lambda: 0.0, sleep=lambda _: None, rng=Random(7))  # noqa: S311 - chance, not secrecy
        providers = {key: {"instance": account} for key, account in accounts.items()}
        mesh.initialize({"providers": providers, "pools": {"chat-completion": {"strategy_instance": self.make()}}})
        return mesh

    def test_explain_does_not_advance(self) -> None:
        """An explanation does not affect later selections."""

        def answers(looks: int) -> list[str]:
            mesh = self.mesh({key: InProcessAccount(f"model-{key}") for key in "abc"})
            answered = []
            for _ in range(5):
                for _ in range(looks):
                    mesh.client.explain("chat-completion")
                answered.append(mesh.client.chat.completions.create(model="chat-completion", messages=[]).model)
            mesh.shutdown()
            return answered

        assert answers(0) == answers(2)

    def test_choice_receives_the_request(self) -> None:
        """In a mesh, the chosen model receives the request. If it fails, each other model is tried at most once."""
        tried: list[str] = []
        dead = {"a": ["model-a"], "b": ["model-b"], "c": []}
        mesh = self.mesh({key: InProcessAccount(f"model-{key}", down=dead[key], requested_models=tried) for key in "abc"})
        foreseen = mesh.client.explain("chat-completion").selected_model
        answer = mesh.client.chat.completions.create(model="chat-completion", messages=[])
        mesh.shutdown()
        assert answer.model == "model-c"
        assert tried[0] == foreseen
        assert sorted(tried) == sorted(set(tried))


def request(seed: int = 7) -> SelectionRequest:
    """Return a request with its own seed."""
    call = Call(CHAT, "chat-completion", {"messages": [{"role": "user", "content": "Hello!"}], "temperature": 0})
    return SelectionRequest(call, "chat-completion", 100.0, Random(seed), None)  # noqa: S311 - chance, not secrecy


def chosen(result: SelectionResult | Candidate) -> Candidate:
    """Return the candidate of a choice."""
    return result.candidate if isinstance(result, SelectionResult) else result


def report_outcome(strategy: Any, what: str, candidate: Candidate, selection: SelectionRequest | None = None) -> None:
    """Report a result to a strategy that accepts reports."""
    facts: dict[str, tuple[Any, ...]] = {
        "picked": (),
        "succeeded": ({"seconds": 0.2, "first_content_seconds": None, "usage": {"total_tokens": 7}, "headers": {}},),
        "failed": (ProviderServerError("down", failure=FailureClass.SERVER, status=500),),
    }
    report = getattr(strategy, what, None)
    if report is not None:
        report(candidate, selection or request(), *facts[what])

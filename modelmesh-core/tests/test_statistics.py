"""Statistics of models, providers and pools, for queries and for sinks."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh import ModelMesh
from modelmesh._engine.telemetry.scope_counts import RequestMetrics
from modelmesh._engine.telemetry.statistics import StatisticsCollector
from modelmesh.contracts import RULES, FailureClass
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.observability import AggregateStats
from modelmesh.errors import ModelMeshError
from modelmesh.testing import VirtualClock

CHAT = "generation.text-generation.chat-completion"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
DOWN = RULES[FailureClass.SERVER].error("down", failure=FailureClass.SERVER, status=500)


class Sink:
    id = "test.sink.v1"

    def __init__(self) -> None:
        self.flushed: list[dict[str, AggregateStats]] = []

    def emit(self, event: Any) -> None: ...

    def log(self, entry: Any) -> None: ...

    def flush(self, stats: dict[str, AggregateStats]) -> None:
        self.flushed.append(dict(stats))


class World:
    pool: dict[str, Any] = {}

    def __init__(self, scripted: Any, body: Any, **statistics: Any) -> None:
        self.clock, self.sink, self.down, self.body = VirtualClock(), Sink(), set[str](), body
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep, wall=lambda: NOON)
        price = ModelPricing(input_per_1k_tokens=1.0, output_per_1k_tokens=0.0)
        vendor = scripted(ModelInfo("m", pricing=price), ModelInfo("n"), answer=self.answer)
        observability: dict[str, Any] = {"instance": self.sink}
        if statistics:
            observability["statistics"] = statistics
        self.mesh.initialize(
            {
                "providers": {"a": {"instance": vendor}},
                "pools": {"p": {"capability": "chat-completion", "retry": {"max_attempts": 0}, **self.pool}},
                "observability": observability,
            }
        )

    def answer(self, call: Any, model: str) -> Any:
        self.clock.advance(0.1 if model == "m" else 0.3)
        return DOWN if model in self.down else self.body("ok")

    def ask(self) -> str:
        return str(self.mesh.client.chat.completions.create(model="p", messages=[]).model)


def test_statistics_by_model_provider_and_pool(scripted: Any, body: Any) -> None:
    world = World(scripted, body)
    assert world.ask() == "m"
    world.down = {"m"}
    assert world.ask() == "n"
    world.down = {"m", "n"}
    with pytest.raises(ModelMeshError):
        world.ask()
    stats = world.mesh.get_statistics()
    assert world.mesh.stats() is stats
    m, n, a, p = stats.model("m"), stats.query("model", "n"), stats.provider("a"), stats.pool("p")
    assert [(s.requests_total, s.requests_success, s.requests_failed) for s in (m, n, a, p)] == [
        (3, 1, 2), (2, 1, 1), (5, 2, 3), (3, 2, 1),
    ]  # fmt: skip
    assert [(s.tokens_in, s.tokens_out, s.cost_total) for s in (m, n, p)] == [(5, 2, 0.005), (5, 2, None), (10, 4, 0.005)]
    assert [s.rotation_events for s in (m, n, p)] == [1, 1, 2]
    assert (m.latency_avg, n.latency_avg, p.latency_avg) == pytest.approx((100, 300, 250))
    assert m.error_rate == pytest.approx(2 / 3)
    assert m.last_updated == pytest.approx(NOON + 0.9)
    for one, other in (
        ("total_requests", "requests_total"), ("successful_requests", "requests_success"), ("failed_requests", "requests_failed"),
        ("total_tokens_in", "tokens_in"), ("total_tokens_out", "tokens_out"), ("total_cost", "cost_total"),
        ("avg_latency_ms", "latency_avg"), ("p50_latency_ms", "latency_p50"), ("p95_latency_ms", "latency_p95"),
        ("p99_latency_ms", "latency_p99"),
    ):  # fmt: skip
        assert getattr(m, one) == getattr(m, other)
    world.mesh.shutdown()


def test_query_of_an_unknown_name_is_a_key_error(scripted: Any, body: Any) -> None:
    world = World(scripted, body, scopes=["pool"])
    stats = world.mesh.stats()
    assert stats.pool("p") == AggregateStats()
    assert stats.pool("p").error_rate is None
    for scope, name in (("pool", "q"), ("model", "m"), ("planet", "p")):
        with pytest.raises(KeyError, match=f"{scope}:{name}"):
            stats.query(scope, name)
    world.mesh.shutdown()


class Strict(World):
    pool = {"deactivation": {"retry_limit": 1}}


def test_standby_time_is_counted_during_and_after(scripted: Any, body: Any) -> None:
    world = Strict(scripted, body)
    world.down = {"m"}
    assert world.ask() == "n"
    stats = world.mesh.stats()
    began = stats.model("m").downtime_total
    world.clock.advance(20)
    assert stats.model("m").downtime_total - began == pytest.approx(20_000)
    assert stats.model("m").standby_events == 1
    world.clock.advance(60)
    world.down = {"n"}
    assert world.ask() == "m"
    total = stats.model("m").downtime_total
    assert 80_000 <= total < 81_000
    world.clock.advance(60)
    assert stats.model("m").downtime_total == total
    assert stats.model("n").downtime_total == pytest.approx(60_100)
    world.mesh.shutdown()


def test_flush_sends_new_counts_at_interval_and_end(scripted: Any, body: Any) -> None:
    world = World(scripted, body, flush_interval="30s", scopes=["model", "pool"])
    world.ask(), world.ask()
    world.mesh._running.tasks.scheduler.run_due()
    assert world.sink.flushed == []
    world.clock.advance(30)
    world.mesh._running.tasks.scheduler.run_due()
    assert [{k: v.requests_total for k, v in flushed.items()} for flushed in world.sink.flushed] == [{"model:m": 2, "pool:p": 2}]
    world.clock.advance(30)
    world.mesh._running.tasks.scheduler.run_due()
    assert len(world.sink.flushed) == 1  # nothing happened
    world.ask()
    world.mesh.shutdown()
    assert {k: v.requests_total for k, v in world.sink.flushed[1].items()} == {"model:m": 1, "pool:p": 1}
    assert world.mesh.stats().pool("p").requests_total == 3


def test_sinks_without_statistics_role_get_no_flush(scripted: Any, body: Any) -> None:
    world = World(scripted, body)
    world.ask()
    world.mesh.shutdown()
    assert world.sink.flushed == []
    assert world.mesh._running.tasks.scheduler._thread is None


def collector(**settings: Any) -> tuple[StatisticsCollector, list[float]]:
    now = [0.0]
    made = StatisticsCollector(now=lambda: now[0], clock=lambda: now[0], breakers=lambda *_: None, **settings)
    return made, now


@given(st.lists(st.floats(0.01, 1e7), min_size=1, max_size=200))
def test_percentiles_are_within_the_documented_error(times: list[float]) -> None:
    stats, _ = collector()
    for ms in times:
        stats.record("m", None, None, RequestMetrics(ms))
    kept = sorted(times)
    for share, estimate in (
        (0.5, stats.model("m").latency_p50),
        (0.95, stats.model("m").latency_p95),
        (0.99, stats.model("m").latency_p99),
    ):
        rank = next(place for place in range(len(kept)) if place + 1 >= share * len(kept))
        assert estimate == pytest.approx(kept[rank], rel=0.0454)


def test_retention_drops_counts_without_requests() -> None:
    stats, now = collector(retention=100.0)
    stats.record("m", "a", "p", RequestMetrics(1.0))
    now[0] = 50
    stats.record(None, None, "p", RequestMetrics(1.0))
    now[0] = 120
    stats.flush()
    assert stats.pool("p").requests_total == 2
    with pytest.raises(KeyError):
        stats.model("m")


def test_statistics_count_again_after_reset_and_retention() -> None:
    stats, now = collector(retention=100.0, scopes=("model", "pool"))
    for _ in range(2):
        stats.record("m", "a", "p", RequestMetrics(1.0))
        assert (stats.model("m").requests_total, stats.pool("p").requests_total) == (1, 1)
        with pytest.raises(KeyError):
            stats.provider("a")
        stats.reset()
    stats.record("m", "a", "p", RequestMetrics(1.0))
    assert list(stats.flush()) == ["model:m", "pool:p"]
    now[0] = 200
    stats.flush()  # drops the counts of names without requests
    stats.record("m", "a", "p", RequestMetrics(1.0, success=False))
    assert (stats.model("m").requests_total, stats.pool("p").requests_failed) == (1, 1)
    assert list(stats.flush()) == ["model:m", "pool:p"]


def test_statistics_are_exact_with_threads() -> None:
    stats, _ = collector()
    with ThreadPoolExecutor(8) as threads:
        for _ in range(8):
            threads.submit(lambda: [stats.record("m", "a", "p", RequestMetrics(1.0, 1, 2, 0.001)) for _ in range(500)])
    m = stats.model("m")
    assert (m.requests_total, m.tokens_in, m.tokens_out) == (4000, 4000, 8000)
    assert m.cost_total == pytest.approx(4.0)
    stats.reset()
    with pytest.raises(KeyError):
        stats.model("m")


def started(thread: Thread) -> Thread:
    thread.start()
    return thread


def test_record_is_reentrant_during_garbage_collection() -> None:
    from modelmesh.testing import MockResponse, mock_client

    client = mock_client(responses=[MockResponse(content="hello")] * 2)
    pool = client.mesh.list_pools()[0].name
    for lock in (client.mesh.stats()._lock, client.mesh.usage._lock):
        stream = client.chat.completions.create(model=pool, messages=[], stream=True)
        next(iter(stream))
        kept = [stream]
        del stream

        def collect(lock: Any = lock, kept: list[Any] = kept) -> None:
            with lock:
                kept.clear()  # as the garbage collector may do

        thread = Thread(target=collect, daemon=True)
        with pytest.warns(ResourceWarning, match="dropped before its end"):
            started(thread).join(10)
        assert not thread.is_alive()
    client.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_child_records_after_a_held_lock() -> None:
    from modelmesh.testing import MockResponse, mock_client

    client = mock_client(responses=[MockResponse(content="hello")])
    pool = client.mesh.list_pools()[0].name
    counting, forked = Event(), Event()

    def count() -> None:
        with client.mesh.stats()._lock, client.mesh.usage._lock:
            counting.set()
            forked.wait(20)

    thread = started(Thread(target=count))
    counting.wait(20)
    child = os.fork()
    if not child:
        signal.alarm(20)  # ends a deadlock
        client.chat.completions.create(model=pool, messages=[])
        os._exit(client.mesh.stats().pool(pool).requests_total)
    forked.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    client.close()


def test_stream_is_recorded_when_it_ends(body: Any) -> None:
    from modelmesh.testing import MockResponse, mock_client

    client = mock_client(responses=[MockResponse(content="hello")])
    stats = client.mesh.stats()
    pool = client.mesh.list_pools()[0].name
    stream = client.chat.completions.create(model=pool, messages=[], stream=True)
    assert stats.pool(pool).requests_total == 0
    list(stream)
    assert stats.pool(pool).requests_success == 1
    client.close()

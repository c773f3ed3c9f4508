"""Proxies whose Redis is away when they start, or goes away later: counts are local, and no spend is lost."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from http_calls import send
from redis_process import RedisProcess
from running_proxy import RunningProxy
from waiting import wait_for

from modelmesh_cdk.testing.upstream import Upstream
from modelmesh_proxy import ProxyServer

BUDGET = {"daily_limit": 0.1}
"""Pays for five answers."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path, "--appendonly", "yes", "--appendfsync", "always")
    yield server
    server.stop()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def config(store: RedisProcess, upstream: Upstream, **storage: Any) -> dict[str, Any]:
    models = [{"id": "acme-1", "pricing": {"per_request": 0.02}, "capabilities": ["chat-completion"]}]
    acme = {"connector": "openai.llm.v1", "api_key": "test", "base_url": upstream.url}
    providers = {
        "limited": {**acme, "models": models, "budget": BUDGET},
        "free": {**acme, "models": [{**models[0], "id": "acme-2"}]},
    }
    members = {"limited": "acme-1", "free": "acme-2"}
    pools = {name: {"capability": "chat-completion", "models": [model]} for name, model in members.items()}
    connection = {"connector": "redis.redis.v1", "port": store.port, "sync_policy": "immediate"}
    open_to_all = {"auth": {"enabled": False}}  # otherwise every caller is rejected while tokens in the store cannot be read
    return {"providers": providers, "pools": pools, "storage": {**connection, **storage}, "proxy": open_to_all}


def spent(store: RedisProcess) -> int:
    with redis.Redis(port=store.port, protocol=2) as client:
        return sum(int(client.get(name)) for name in client.scan_iter("modelmesh:~counter/*:cost:day@*"))


def statuses(proxy: RunningProxy, times: int, pool: str = "limited") -> list[int]:
    return [proxy.chat(pool)[0] for _ in range(times)]


def test_store_that_was_away_at_the_start_is_used_when_it_comes(
    store: RedisProcess, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    given = config(store, upstream)
    with caplog.at_level(logging.INFO, "modelmesh.state"), RunningProxy(given) as one, RunningProxy(given) as two:
        assert {proxy.counts.counts for proxy in (one, two)} == {"local"}
        assert one.counts.is_store_down
        status, report = one.get("/ready")
        assert (status, report["counts"]) == (200, "local")
        assert "cannot be reached" in report["counts_reason"]
        assert statuses(one, 2) + statuses(two, 2) == [200] * 4
        store.start()
        wait_for(lambda: spent(store) == 4 * 20_000_000 and one.counts.counts == two.counts.counts == "shared")
        assert sorted(statuses(one, 2) + statuses(two, 2)) == [200, 429, 429, 429]
        wait_for(lambda: spent(store) == 5 * 20_000_000)
        warnings = [record.message for record in caplog.records if "Counts are local" in record.message]
        assert len(warnings) == 2, "one for each proxy"


def test_spend_during_an_outage_reaches_the_other_proxy_afterwards(store: RedisProcess, upstream: Upstream) -> None:
    store.start()
    given = config(store, upstream)
    with RunningProxy(given) as one, RunningProxy(given) as two:
        assert statuses(one, 1) == [200]
        store.stop()
        assert statuses(one, 4) == [200] * 4, "the outage fails no request"
        assert one.counts.counts == "local"
        store.start()
        wait_for(lambda: spent(store) == 5 * 20_000_000)
        assert statuses(two, 1) == [429]


def test_a_reload_during_an_outage_neither_resets_a_budget_nor_loses_spend(
    store: RedisProcess, upstream: Upstream, tmp_path: Path
) -> None:
    store.start()
    path = tmp_path / "modelmesh.json"
    path.write_text(json.dumps(config(store, upstream)))
    with ProxyServer(path, port=0) as server:

        def chat() -> int:
            body = {"model": "limited", "messages": [{"role": "user", "content": "Hi"}]}
            return send("POST", f"{server.url}/v1/chat/completions", body).status

        def reload() -> None:
            run: Any = server._run
            before = run.app.services.mesh
            run._server.call_soon(run._reloader.request)
            wait_for(lambda: run.app.services.mesh is not before and not run._reloader._finishing)

        assert [chat(), chat()] == [200, 200]
        store.stop()
        assert chat() == 200
        reload()
        assert [chat() for _ in range(3)] == [200, 200, 429]
        reload()
        assert chat() == 429
        store.start()
        wait_for(lambda: spent(store) == 5 * 20_000_000)


def test_refuse_answers_503_to_requests_of_a_budget_and_serves_the_others(store: RedisProcess, upstream: Upstream) -> None:
    with RunningProxy(config(store, upstream, on_store_down="refuse")) as proxy:
        status, body = proxy.chat("limited")
        assert (status, body["error"]["code"]) == (503, "store_unavailable")
        assert int(body["headers"]["retry-after"]) > 0
        assert not upstream.received
        assert statuses(proxy, 2, "free") == [200, 200]
        status, report = proxy.get("/ready")
        assert (status, report["reasons"][0]["code"], report["counts"]) == (503, "store_unavailable", "local")
        store.start()
        wait_for(lambda: proxy.get("/ready")[0] == 200)
        assert proxy.get("/ready")[1]["counts"] == "shared"
        assert statuses(proxy, 6) == [200] * 5 + [429], "refused requests cost nothing"
        wait_for(lambda: spent(store) == 5 * 20_000_000)


def test_callers_are_admitted_when_the_tokens_of_the_store_can_be_read(store: RedisProcess, upstream: Upstream) -> None:
    with RunningProxy(config(store, upstream) | {"proxy": {}}) as proxy:
        assert statuses(proxy, 1, "free") == [401], "a token may be required"
        assert proxy.get("/ready")[1]["counts"] == "local", "before the first count"
        for _ in range(25):
            status, body = proxy.chat("free", authorization="Bearer mm-" + 40 * "x")
            assert (status, body["error"]["code"], "retry-after" in body["headers"]) == (503, "store_unavailable", True)
        store.start()
        wait_for(lambda: statuses(proxy, 1, "free") == [200])

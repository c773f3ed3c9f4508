"""Proxies that share one Redis share budgets, quotas, health and sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import redis
from redis_process import RedisProcess
from running_proxy import RunningProxy
from waiting import wait_for

from modelmesh_cdk.testing.upstream import Upstream

PRICE = {"per_request": 0.02}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


def provider(upstream: Upstream, model: str, **more: Any) -> dict[str, Any]:
    models = [{"id": model, "pricing": PRICE, "capabilities": ["chat-completion"]}]
    return {"connector": "openai.llm.v1", "api_key": "test", "base_url": upstream.url, "models": models, **more}


def config(store: RedisProcess, prefix: str, providers: Mapping[str, Any], **pool: Any) -> dict[str, Any]:
    storage = {"connector": "redis.redis.v1", "port": store.port, "key_prefix": f"{prefix}:", "sync_policy": "immediate"}
    return {"providers": providers, "pools": {"chat": {"capability": "chat-completion", **pool}}, "storage": storage}


@pytest.mark.parametrize(
    ("limit", "code"),
    [({"quota": {"requests_per_day": 5}}, "no_active_model"), ({"budget": {"daily_limit": 0.1}}, "budget_exceeded")],
)
def test_quota_and_daily_budget_hold_over_both_proxies(store: RedisProcess, limit: dict[str, Any], code: str) -> None:
    with Upstream() as upstream:
        given = config(store, code, {"acme": provider(upstream, "acme-1", **limit)})
        with RunningProxy(given) as one, RunningProxy(given) as two:
            replies = [proxy.chat() for _ in range(4) for proxy in (one, two)]
        assert [status for status, _ in replies].count(200) == len(upstream.received) == 5
        assert {body["error"]["code"] for status, body in replies if status != 200} == {code}


def test_breaker_that_opens_or_closes_in_one_proxy_does_so_in_the_other(store: RedisProcess) -> None:
    with Upstream() as first, Upstream() as second:
        given = config(store, "health", {"first": provider(first, "one"), "second": provider(second, "two")})
        with RunningProxy(given) as here, RunningProxy(given) as there:
            first.fail(401)
            assert here.chat()[0] == 200
            wait_for(lambda: there.mesh.active_providers() == ["second"])
            before = len(first.received)
            assert there.chat()[0] == 200
            assert len(first.received) == before, "the other proxy learned of the rejected key"
            there.mesh.recover("chat")
            wait_for(lambda: here.mesh.active_providers() == ["first", "second"])


def test_conversation_stays_on_its_model_on_every_proxy(store: RedisProcess) -> None:
    with Upstream() as first, Upstream() as second:
        providers = {"first": provider(first, "one"), "second": provider(second, "two")}
        given = config(store, "sticky", providers, strategy="modelmesh.session-stickiness.v1")
        with RunningProxy(given) as here, RunningProxy(given) as there:
            first.fail(401)
            assert here.chat(x_modelmesh_session_id="s-1")[0] == 200
            here.mesh.recover("chat")
            wait_for(lambda: there.mesh.active_providers() == ["first", "second"])
            strategy: Any = there.mesh.list_pools()[0].strategy
            wait_for(lambda: len(strategy._sessions))
            before = len(first.received)
            assert there.chat(x_modelmesh_session_id="s-1")[0] == 200
            assert len(first.received) == before, "the conversation began on the second model"
            assert there.chat(x_modelmesh_session_id="s-2")[0] == 200
            assert len(first.received) == before + 1, "a new conversation begins on the first model"


def test_session_ids_are_not_stored(store: RedisProcess) -> None:
    with Upstream() as upstream:
        given = config(store, "private", {"acme": provider(upstream, "acme-1")}, strategy="modelmesh.session-stickiness.v1")
        with RunningProxy(given) as proxy:
            proxy.chat(x_modelmesh_session_id="jane@example.com")
        with redis.Redis(port=store.port, protocol=2) as client:
            stored = b"".join(name + client.get(name) for name in client.scan_iter("private:modelmesh*"))
        assert b"choices/chat" in stored
        assert b"jane" not in stored

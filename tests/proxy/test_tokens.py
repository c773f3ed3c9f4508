"""Tokens of applications: from the command line to a proxy that serves the official SDK."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import openai
import pytest
from http_calls import send
from proxy_process import proxy as proxy_process
from redis_process import RedisProcess
from running_proxy import RunningProxy
from slow_vendor import SlowVendor
from waiting import wait_for

from modelmesh.contracts.observability import RequestLogEntry
from modelmesh_cdk.testing.upstream import Upstream
from modelmesh_proxy.tokens.administration import change
from modelmesh_proxy.tokens.records import TokenLimits
from modelmesh_proxy.tokens.registry import TokenRegistry
from modelmesh_proxy.tokens.token_store import TokenStore

PRICE = {"per_request": 0.02}
QUESTION: Any = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


class Recorder:
    """Sink that keeps the records of requests."""

    id = "test.recorder.v1"

    def __init__(self) -> None:
        self.entries: list[RequestLogEntry] = []

    def emit(self, _: Any) -> None:
        """Routing events are not recorded."""

    def log(self, entry: RequestLogEntry) -> None:
        self.entries.append(entry)


def sqlite(folder: Path, **more: Any) -> dict[str, Any]:
    return {"connector": "modelmesh.sqlite.v1", "path": str(folder / "state.db"), "sync_policy": "immediate", **more}


def config(upstream: Upstream, storage: Mapping[str, Any] | None, **sections: Any) -> dict[str, Any]:
    models = [{"id": one, "pricing": PRICE, "capabilities": ["chat-completion"]} for one in ("acme-1", "acme-2")]
    provider = {"connector": "openai.llm.v1", "api_key": "test", "base_url": upstream.url, "models": models}
    pools = {name: {"capability": "chat-completion", "models": [f"acme/{name}"]} for name in ("acme-1", "acme-2")}
    pools = {"chat": pools["acme-1"], "large": pools["acme-2"]}
    stored = {} if storage is None else {"storage": dict(storage)}
    return {"providers": {"acme": provider}, "pools": pools, **stored, **sections}


def command(file: Path, *arguments: str) -> str:
    """Run ``modelmesh tokens`` as a process, and return what it prints."""
    run = [sys.executable, "-m", "modelmesh.cli", "tokens", *arguments, "--config", str(file)]
    return subprocess.run(run, check=True, capture_output=True, text=True, timeout=60).stdout


def registry(proxy: RunningProxy) -> TokenRegistry:
    assert proxy.mesh.state is not None
    return TokenRegistry(TokenStore(proxy.mesh.state.storage))


@cache
def http_client() -> Any:
    """Return the connections of all clients. A client of its own for each token would cost more than the requests."""
    return openai.DefaultHttpxClient()


def client(proxy: RunningProxy, token: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{proxy.url}/v1", api_key=token, max_retries=0, http_client=http_client())


def ask(sdk: openai.OpenAI, model: str = "chat", *, stream: bool = False) -> str:
    """Send a chat. Return ``""``, or the code of the error."""
    try:
        answer: Any = sdk.chat.completions.create(model=model, messages=QUESTION, max_tokens=10, stream=stream)
        if stream:
            assert "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)
    except openai.APIStatusError as error:
        return str(error.code)
    return ""


def test_application_gets_a_token_and_its_budget_holds_until_it_is_revoked(upstream: Upstream, tmp_path: Path) -> None:
    """From the command line to the SDK: streams at once, the budget, and the end of the token."""
    given, file = config(upstream, sqlite(tmp_path)), tmp_path / "modelmesh.json"
    file.write_text(json.dumps(given))
    with RunningProxy(given) as proxy:
        assert ask(client(proxy, "anything")) == "", "without a token every caller is served"
        text = command(file, "create", "shop", "--pools", "chat", "--budget-total", "0.2").strip()
        shop = client(proxy, text)
        wait_for(lambda: ask(client(proxy, "anything")) == "invalid_api_key")
        assert [one.id for one in shop.models.list()] == ["chat", "acme-1"]
        assert ask(shop, "large") == ask(shop, "acme-2") == "model_not_allowed"
        before = len(upstream.received)
        with ThreadPoolExecutor(8) as threads:
            codes = list(threads.map(lambda turn: ask(shop, stream=turn % 2 == 0), range(24)))
        assert codes.count("") == len(upstream.received) - before == 10
        assert set(codes) == {"", "budget_exceeded"}
        with pytest.raises(openai.RateLimitError, match=r"budget of the token 'shop' permits \$0.20 in all") as caught:
            shop.chat.completions.create(model="chat", messages=QUESTION)
        assert caught.value.type == "insufficient_quota"
        assert proxy.mesh.state is not None
        proxy.mesh.state.sync()
        (row,) = json.loads(command(file, "list", "--json"))["tokens"]
        assert (row["name"], row["status"], row["amounts"][0]["used"]) == ("shop", "active", 200_000_000)
        command(file, "create", "trial", "--budget-daily", "0.00001")
        assert "$0.00 of $0.00001 a" in command(file, "list")
        command(file, "revoke", "shop")
        wait_for(lambda: ask(shop) == "invalid_api_key")
        assert ask(client(proxy, "anything")) == "invalid_api_key", "the end of the last token opens nothing"
    stored = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert text.split("-", 2)[2].encode() not in stored


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_two_proxies_share_tokens_and_counts(kind: str, upstream: Upstream, tmp_path: Path) -> None:
    with ExitStack() as stack:
        storage = sqlite(tmp_path)
        if kind == "redis":
            server = RedisProcess(tmp_path).start()
            stack.callback(server.stop)
            storage = {"connector": "redis.redis.v1", "port": server.port, "sync_policy": "immediate"}
        given = config(upstream, storage)
        here, there = (stack.enter_context(RunningProxy(given)) for _ in range(2))
        tokens = registry(here)
        tokens.set_team("apps", {"budget_total": 0.12})
        texts = [tokens.create(name, team="apps").text for name in ("one", "two")]
        clients = [client(proxy, text) for proxy in (here, there) for text in texts]
        for proxy in (here, there):
            wait_for(lambda proxy=proxy: ask(client(proxy, "wrong")) == "invalid_api_key")
        before = len(upstream.received)
        with ThreadPoolExecutor(4) as threads:
            codes = list(threads.map(lambda turn: ask(clients[turn % 4], stream=turn % 3 == 0), range(16)))
        assert codes.count("") == len(upstream.received) - before == 6
        assert set(codes) == {"", "budget_exceeded"}
        tokens.set_team("apps", {"budget_total": 0.14})
        wait_for(lambda: ask(clients[3]) == "")
        assert {ask(one) for one in clients} == {"budget_exceeded"}, "a raised budget keeps its count"
        earlier, rotated = clients[2], tokens.rotate("one", grace_s=600)
        assert registry(there).rotate("two").text not in texts
        wait_for(lambda: ask(clients[1], "none") == ask(clients[3], "none") == "invalid_api_key")
        assert ask(client(there, rotated.text), "none") == ask(earlier, "none") == "model_not_found"


def test_counts_and_tokens_survive_a_restart_of_the_proxy(upstream: Upstream, tmp_path: Path) -> None:
    given = config(upstream, sqlite(tmp_path, sync_policy="sync-on-boundary"))
    with RunningProxy(given) as proxy:
        text = registry(proxy).create("shop", limits=TokenLimits(budget_daily=0.06)).text
        wait_for(lambda: ask(client(proxy, "x")) == "invalid_api_key")
        assert [ask(client(proxy, text)) for _ in range(2)] == ["", ""]
    with RunningProxy(given) as proxy:
        assert [ask(client(proxy, text)) for _ in range(2)] == ["", "budget_exceeded"]


def test_rates_return_the_seconds_to_wait(upstream: Upstream, tmp_path: Path) -> None:
    with RunningProxy(config(upstream, sqlite(tmp_path))) as proxy:
        services: Any = proxy.app.services
        new = change(services, lambda tokens: tokens.create("shop", limits=TokenLimits(rpm=2)))
        assert new is not None
        shop = client(proxy, new.text)
        assert [ask(shop), ask(shop)] == ["", ""], "a change by the administration holds at once"
        with pytest.raises(
            openai.RateLimitError, match="the token 'shop' has reached its limit of 2 requests a minute"
        ) as caught:
            shop.chat.completions.create(model="chat", messages=QUESTION)
        assert caught.value.code == "rate_limit_exceeded"
        assert 0 < int(caught.value.response.headers["retry-after"]) <= 60
        change(services, lambda tokens: tokens.update("shop", limits={"rpm": None}))
        assert ask(shop) == ""


def test_configured_tokens_have_rights_and_limits(upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "shop-test-text")
    rows: list[Any] = ["plain-test-text", {"name": "shop", "token": "${env:SHOP_TOKEN}", "pools": ["chat"], "budget_total": 0.04}]
    rows.append({"name": "root", "token": "root-test-text", "admin": True})
    rows.append({"name": "prometheus", "token": "prometheus-test-text", "metrics": True})
    sink = Recorder()
    given = config(upstream, None, proxy={"auth": {"tokens": rows}}, observability={"instance": sink})
    with RunningProxy(given) as proxy:
        plain, shop = (client(proxy, f"{name}-test-text") for name in ("plain", "shop"))
        assert ask(client(proxy, "wrong")) == "invalid_api_key"
        assert ask(plain, "large") == ""
        assert [ask(shop, "large"), ask(shop), ask(shop), ask(shop)] == ["model_not_allowed", "", "", "budget_exceeded"]
        for path, codes in (
            ("/metrics", (403, 200, 200)),
            ("/admin/tokens", (403, 200, 403)),
            ("/v1/models", (200, 200, 403)),
            ("/openapi.json", (200, 200, 403)),
            ("/ui", (403, 200, 403)),
        ):
            found = tuple(_status(f"{proxy.url}{path}", f"Bearer {name}-test-text") for name in ("shop", "root", "prometheus"))
            assert found == codes, path
        wait_for(lambda: len(sink.entries) == 4)
    named = [(entry.caller, entry.pool_id, entry.error) for entry in sink.entries]
    assert named == [("token-1", "large", None), *[("shop", "chat", None)] * 2, ("shop", "chat", "BudgetExceededError")]


def test_files_and_batches_follow_the_allowed_pools(upstream: Upstream, tmp_path: Path) -> None:
    rows = [
        {"name": "shop", "token": "shop-test-text", "pools": ["chat"]},
        {"name": "none", "token": "none-test", "pools": ["gone"]},
        {"name": "paid", "token": "paid-test", "budget_total": 5},
    ]
    with RunningProxy(config(upstream, None, proxy={"auth": {"tokens": rows}})) as proxy:
        shop, none = client(proxy, "shop-test-text"), client(proxy, "none-test")
        assert shop.files.list().data is not None
        with pytest.raises(openai.PermissionDeniedError, match="the models of a batch are in its file"):
            shop.batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
        with pytest.raises(openai.PermissionDeniedError, match="the vendor bills a batch later"):
            client(proxy, "paid-test").batches.create(
                input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h"
            )
        with pytest.raises(openai.PermissionDeniedError, match="no account has a model in a pool that it may use"):
            none.files.list()


def test_known_tokens_stay_valid_while_the_store_is_away(
    upstream: Upstream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And an unread store admits nobody, because it may have tokens."""
    server = RedisProcess(tmp_path).start()
    try:
        storage = {"connector": "redis.redis.v1", "port": server.port, "sync_policy": "immediate"}
        given = config(upstream, storage)
        with RunningProxy(given) as proxy, caplog.at_level(logging.WARNING):
            text = registry(proxy).create("shop").text
            wait_for(lambda: ask(client(proxy, "x")) == "invalid_api_key")
            server.stop()
            wait_for(lambda: "1 known tokens stay valid" in caplog.text)
            assert ask(client(proxy, text)) == ""
            assert ask(client(proxy, "x")) == "invalid_api_key"
            with RunningProxy(given) as late:
                assert (ask(client(late, text)), ask(client(late, "x"))) == ("store_unavailable", "invalid_api_key")
                assert "tokens_unknown" in json.dumps(late.get("/ready"))
                assert text not in caplog.text
    finally:
        server.stop()


def test_stream_that_its_caller_leaves_is_counted(tmp_path: Path) -> None:
    with SlowVendor() as vendor:
        given = vendor.config(storage=sqlite(tmp_path))
        price = {"input_per_1k_tokens": 1.0, "output_per_1k_tokens": 1.0}
        given["models"] = {"gpt-4o-mini": {"provider": "slow", "pricing": price}}
        with RunningProxy(given) as proxy:
            services: Any = proxy.app.services
            new = change(services, lambda tokens: tokens.create("shop", limits=TokenLimits(budget_daily=9, tpm=100_000)))
            assert new is not None
            shop = client(proxy, new.text)
            stream: Any = shop.chat.completions.create(model="chat", messages=QUESTION, max_tokens=10, stream=True)
            assert next(iter(stream)).choices[0].delta.content == "Hel"
            tokens, money = services.authenticator.authenticate(new.text, None).limits
            assert min(tokens.reserved, money.reserved) > 0, "reserved while it runs"
            stream.close()
            wait_for(lambda: tokens.reserved == money.reserved == 0)
            assert min(tokens.used, money.used) > 0, "what was produced is counted"


def test_reload_keeps_counts_and_rejects_invalid_tokens(tmp_path: Path, upstream: Upstream) -> None:
    """Without a storage, so that only the running process has the counts."""
    file = tmp_path / "modelmesh.json"
    row: dict[str, Any] = {"name": "shop", "token": "shop-test-text", "budget_total": 0.06}

    def write(**more: Any) -> None:
        file.write_text(json.dumps(config(upstream, None, proxy={"auth": {"tokens": [{**row, **more}]}})))

    write()
    with proxy_process(tmp_path, "--config", str(file)) as process:
        shop = openai.OpenAI(base_url=f"http://127.0.0.1:{process.port}/v1", api_key="shop-test-text", max_retries=0)
        assert [ask(shop), ask(shop, stream=True)] == ["", ""]
        write(rpm=1000)
        process.send(signal.SIGHUP)
        process.wait_for_log("configuration applied")
        assert [ask(shop), ask(shop), ask(shop, "large")] == ["", "budget_exceeded", "budget_exceeded"]
        file.write_text(json.dumps(config(upstream, None)))
        process.send(signal.SIGHUP)
        process.wait_for_log(r"configuration not applied.*the configuration has no token")
        assert process.get("/v1/models")[0] == 401
        write(rpm="many")
        process.send(signal.SIGHUP)
        process.wait_for_log(r"configuration not applied.*'many' is not a number")
        assert ask(shop) == "budget_exceeded"


@pytest.mark.parametrize(
    ("path", "body", "header"),
    [
        ("/v1/messages", {"model": "{}", "max_tokens": 5, "messages": QUESTION}, "x-api-key"),
        ("/v1/responses", {"model": "{}", "input": "Hello!"}, "authorization"),
        ("/v1beta/models/{}:generateContent", {"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]}, "x-goog-api-key"),
    ],
)
def test_allowed_pools_hold_in_every_format(pools_proxy: RunningProxy, path: str, body: Any, header: str) -> None:
    for model, status in (("chat", 200), ("large", 403), ("acme-2", 403)):
        data = body | {"model": model} if "model" in body else body
        url, text = f"{pools_proxy.url}{path.replace('{}', model)}", "shop-test-text"
        assert _status(url, f"Bearer {text}" if header == "authorization" else text, header, data) == status, model


@pytest.fixture(scope="module")
def pools_proxy(upstream: Upstream) -> Iterator[RunningProxy]:
    rows = [{"name": "shop", "token": "shop-test-text", "pools": ["chat"]}]
    with RunningProxy(config(upstream, None, proxy={"auth": {"tokens": rows}})) as proxy:
        yield proxy


def _status(url: str, token: str, header: str = "authorization", body: Any = None) -> int:
    return send("GET" if body is None else "POST", url, body, **{header: token}).status

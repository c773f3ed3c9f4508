"""``/metrics`` shows what happened, in the formats of Prometheus, for one worker and for several."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse
from slow_vendor import SlowVendor
from waiting import wait_for

from modelmesh._engine.foundation.attempts import Attempt, AttemptOutcome
from modelmesh._engine.mesh.watching import observe_requests
from modelmesh_cdk.testing import Script, Upstream, chunk, event
from modelmesh_proxy import ProxyServer
from modelmesh_proxy.metrics import definitions
from modelmesh_proxy.metrics.definitions import METRICS, Kind
from modelmesh_proxy.metrics.exposition import encode
from modelmesh_proxy.metrics.requests import RequestCounts
from modelmesh_proxy.metrics.route_labels import route_label
from modelmesh_proxy.metrics.series import MAX_SERIES, SeriesStore, merge
from modelmesh_proxy.metrics.worker_files import WorkerFiles

MODEL = {"capabilities": ["chat-completion"], "pricing": {"input_per_1k_tokens": 0.001, "output_per_1k_tokens": 0.002}}
TOKEN = "mm-test-token-of-a-shop-with-32-characters"
CHAT = {"model": "chat-completion", "messages": [{"role": "user", "content": "PROMPT-CANARY"}]}


@pytest.fixture(scope="module")
def good() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def port(good: Upstream) -> Iterator[int]:
    with Upstream() as broken:
        broken.always(Script(500, b"{}"))
        providers = {
            name: {"connector": "openai.llm.v1", "api_key": f"sk-test-{name}", "base_url": one.url}
            for name, one in (("broken", broken), ("good", good))
        }
        providers["good"]["budget"] = {"daily_limit": 5.0}
        models = {"m": {**MODEL, "provider": "broken"}, "n": {**MODEL, "provider": "good"}}
        pool = {"models": ["m", "n"], "retry": {"max_attempts": 0}}
        tokens = [{"name": "shop", "token": TOKEN, "admin": True, "budget_daily": 1.0, "rpm": 100}]
        config = {
            "providers": providers,
            "models": models,
            "pools": {"chat-completion": pool},
            "proxy": {"auth": {"tokens": tokens}},
        }
        server = ProxyServer(config, port=0)
        server.start(block=False)
        try:
            yield server.get_status().port
        finally:
            server.stop()


def _send(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(
            method, path, text, {"content-type": "application/json", "authorization": f"Bearer {TOKEN}", **headers}
        )
        answer = connection.getresponse()
        return answer.status, answer.getheader("content-type") or "", answer.read().decode()
    finally:
        connection.close()


class Values:
    """Samples of a scrape, by name and labels."""

    def __init__(self, text: str, parser: Any = parse) -> None:
        samples = [sample for family in parser(text) for sample in family.samples]
        self.rows = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}

    def __call__(self, name: str, /, **labels: str) -> float:
        return self.rows[f"modelmesh_{name}", frozenset(labels.items())]


def test_requests_attempts_tokens_and_cost_are_counted(port: int) -> None:
    assert _send(port, "POST", "/v1/chat/completions", CHAT)[0] == 200
    assert _send(port, "POST", "/v1/chat/completions", {**CHAT, "stream": True})[0] == 200
    assert _send(port, "POST", "/v1/chat/completions", {**CHAT, "model": "absent"})[0] == 404
    assert _send(port, "GET", "/v1/absent/secret-path")[0] == 404
    status, media_type, text = _send(port, "GET", "/metrics")
    assert status == 200
    assert media_type.startswith("text/plain; version=0.0.4")
    value, chat, good = Values(text), {"route": "/v1/chat/completions"}, {"provider": "good", "model": "n"}
    assert value("http_requests_total", method="POST", status="200", **chat) == 2
    assert value("http_requests_total", method="POST", status="404", **chat) == 1
    assert value("http_requests_total", method="GET", status="404", route="other") == 1
    assert value("http_request_duration_seconds_count", **chat) == 3
    assert value("http_time_to_first_byte_seconds_count", **chat) == 3
    assert value("attempts_total", outcome="answered", failure="", **good) == 2
    assert value("attempts_total", outcome="failed", failure="server", provider="broken", model="m") == 1
    assert value("failovers_total", pool="chat-completion") == 1
    assert value("pool_requests_total", pool="chat-completion", outcome="answered") == 2
    tokens = [value("tokens_total", direction=way, **good) for way in ("input", "output")]
    assert all(tokens)
    cost = value("cost_dollars_total", **good)
    assert cost == pytest.approx((tokens[0] + 2 * tokens[1]) / 1e6)
    budget = {"kind": "provider", "name": "good", "window": "day"}
    assert value("budget_spent_dollars", **budget) == pytest.approx(cost)
    assert value("budget_limit_dollars", **budget) == 5.0
    shop = {"kind": "token", "name": "shop"}
    assert value("budget_spent_dollars", window="day", **shop) == pytest.approx(cost)
    assert value("quota_remaining", unit="requests", window="minute", **shop) == 98
    assert value("circuit_breaker_state", provider="good", model="") == 0
    assert value("counts_shared") == 0
    assert value("config_reloads_total", result="failed") == 0
    assert value("workers") == 1
    assert value.rows["process_resident_memory_bytes", frozenset()] > 1e7
    assert not any(labels >= {("model", "m")} for name, labels in value.rows if "tokens" in name or "dollars" in name)
    for secret in ("PROMPT-CANARY", "secret-path", "sk-test", TOKEN):
        assert secret not in text


def test_requests_that_wait_for_an_account_are_shown_and_explained() -> None:
    """More streams than the account permits are all answered."""
    with SlowVendor() as vendor:
        config = vendor.config()
        config["providers"]["slow"]["connection_pool"] = {"max_connections": 2}
        server = ProxyServer(config, port=0)
        server.start(block=False)
        try:
            port, services = server.get_status().port, server._run.app.services  # type: ignore[union-attr]
            notes: list[str] = []
            observe_requests(services.mesh, lambda _, attempts: notes.extend(one.reason for one in attempts))
            body = {**CHAT, "model": "chat", "stream": True}
            with ThreadPoolExecutor(5) as callers:
                replies = [callers.submit(_send, port, "POST", "/v1/chat/completions", body) for _ in range(5)]
                account = {"provider": "slow"}
                wait_for(lambda: Values(_send(port, "GET", "/metrics")[2])("account_requests", state="waiting", **account) == 3)
                value = Values(_send(port, "GET", "/metrics")[2])
                assert value("account_requests", state="in_flight", **account) == value("account_requests_limit", **account) == 2
                vendor.release()
                assert all("[DONE]" in reply.result()[2] for reply in replies)
        finally:
            server.stop()
    assert sum("s for a slot of slow (2 requests in flight at most)" in note for note in notes) == 3


def test_interrupted_streams_and_streams_that_callers_leave_are_counted(port: int, good: Upstream) -> None:
    good.stream([event(chunk({"content": "Hel"}))], cut=True)
    assert _send(port, "POST", "/v1/chat/completions", {**CHAT, "stream": True})[0] == 200
    good.stream([event(chunk({"content": "Hel"})), b""])  # an empty part keeps the connection open
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        body = json.dumps({**CHAT, "stream": True})
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
        caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert caller.recv(100).startswith(b"HTTP/1.1 200")
        assert Values(_send(port, "GET", "/metrics")[2])("http_requests_in_flight") == 2, "the stream and the scrape"

    def scrape_after_the_end() -> Values | None:
        value = Values(_send(port, "GET", "/metrics")[2])
        return value if value("http_requests_in_flight") == 1 else None

    value = wait_for(scrape_after_the_end)
    model = {"provider": "good", "model": "n"}
    assert value("streams_interrupted_total", **model) == 1
    assert value("attempts_total", outcome="interrupted", failure="protocol", **model) == 1
    assert value("attempts_total", outcome="cancelled", failure="", **model) == 1


def test_openmetrics_is_negotiated(port: int) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3"
    _, media_type, text = _send(port, "GET", "/metrics", Accept=accept)
    assert media_type.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert Values(text, parse_open)("workers") == 1


def test_names_follow_the_conventions() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith(("modelmesh_", "process_"))
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert metric.kind is not Kind.HISTOGRAM or metric.name.endswith("_seconds")
        assert metric.text.endswith(".")
        assert list(metric.bounds) == sorted(metric.bounds)


def test_values_of_several_workers_add_up(tmp_path: Path) -> None:
    for worker, (count, state) in enumerate([(2, 0.0), (3, 2.0)]):
        store = SeriesStore()
        store.cell(definitions.REQUESTS, "GET", "/health", "200")[0] += count
        store.cell(definitions.DURATION, "/health")[0] += count
        store.replace(definitions.BREAKER, [(("p", ""), state)])
        store.replace(definitions.IN_FLIGHT, [((), float(count))])
        WorkerFiles(tmp_path, worker).write(store.snapshot())
    store = SeriesStore()
    store.restore(WorkerFiles(tmp_path, 0).earlier())  # worker 0 is started again
    value = Values(encode(merge([store.snapshot(), *WorkerFiles(tmp_path, 0).others()]), "")[0].decode())
    assert value("http_requests_total", method="GET", route="/health", status="200") == 5
    assert value("http_request_duration_seconds_count", route="/health") == 5
    assert value("circuit_breaker_state", provider="p", model="") == 2
    assert value("http_requests_in_flight") == 3


def test_labels_are_bounded() -> None:
    store = SeriesStore()
    counts = RequestCounts(store)
    for number in range(MAX_SERIES + 50):
        counts.count_request(f"VERB{number}", f"/v1/files/file-{number}", 200, 0.1, None)
        attempt = Attempt(1, "p", f"m-{number}", outcome=AttemptOutcome.INTERRUPTED)
        counts.note_attempts(SimpleNamespace(name="pool"), [attempt])  # type: ignore[arg-type]
    counts.count_pending()
    rows = store.snapshot()
    assert len(rows[definitions.ATTEMPTS.name]) == MAX_SERIES + 1
    assert sum(values[0] for _, values in rows[definitions.INTERRUPTED.name]) == MAX_SERIES + 50
    assert [labels for labels, _ in rows[definitions.REQUESTS.name]] == [("other", "/v1/files/{file_id}", "200")]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/v1/models/groq/llama", "/v1/models/{model}"),
        ("/v1beta/models/gemini-2.5-flash:generateContent", "/v1beta/models/{model}:generateContent"),
        ("/v1beta/models/x:invented", "other"),
        ("/admin/tokens/ann", "/admin/*"),
        ("/v1/chat%2fcompletions", "other"),
    ],
)
def test_a_route_is_a_pattern(path: str, label: str) -> None:
    assert route_label(path) == label

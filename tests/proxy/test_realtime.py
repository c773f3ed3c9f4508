"""Realtime sessions through the proxy: the official SDK, the guard, failover, accounting and every kind of end."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from realtime_vendor import RealtimeVendor
from waiting import wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from modelmesh import ModelMesh
from modelmesh_proxy import ProxyServer

TOKEN = "test-token"
PRICING = {
    "input_per_1k_tokens": 0.1,
    "output_per_1k_tokens": 0.2,
    "audio_input_per_1k_tokens": 1.0,
    "audio_output_per_1k_tokens": 2.0,
}
COST = (10 * 0.1 + 20 * 1.0 + 10 * 0.2 + 20 * 2.0) / 1000
"""USD of one response of the vendor."""


@pytest.fixture(scope="module")
def vendors() -> Iterator[tuple[RealtimeVendor, RealtimeVendor]]:
    with RealtimeVendor() as first, RealtimeVendor() as second:
        yield first, second


@pytest.fixture(autouse=True)
def vendor(vendors: tuple[RealtimeVendor, RealtimeVendor]) -> RealtimeVendor:
    for one in vendors:
        one.status = 0
        one.requests, one.closed, one.received = [], [], []
    return vendors[0]


@pytest.fixture(scope="module")
def mesh(vendors: tuple[RealtimeVendor, RealtimeVendor]) -> Iterator[ModelMesh]:
    def provider(place: int, **more: Any) -> dict[str, Any]:
        return {"connector": "openai.llm.v1", "api_key": f"sk-test-{place}", "base_url": vendors[place].url, "models": [], **more}

    def model(name: str) -> dict[str, Any]:
        return {"provider": name, "capabilities": ["realtime-conversation"], "pricing": PRICING}

    config = {
        "providers": {"one": provider(0), "two": provider(1), "poor": provider(0, budget={"daily_limit": 2.5 * COST + 3.4})},
        "models": {"first": model("one"), "second": model("two"), "cheap": model("poor")},
        "pools": {
            "voice": {"models": ["first", "second"], "retry": {"max_attempts": 0}},
            "limited": {"models": ["cheap"], "retry": {"max_attempts": 0}},
        },
        "proxy": {"auth": {"tokens": [{"name": "app", "token": "test-app", "pools": ["limited"]}]}},
    }
    with ModelMesh(config) as mesh:
        yield mesh


@pytest.fixture(scope="module")
def server(mesh: ModelMesh) -> Iterator[ProxyServer]:
    with ProxyServer(mesh, port=0, token=TOKEN) as server:
        yield server


def address(server: ProxyServer, query: str = "model=voice") -> str:
    return f"ws://127.0.0.1:{server.get_status().port}/v1/realtime?{query}"


def session(server: ProxyServer, query: str = "model=voice", token: str = TOKEN, **options: Any) -> ClientConnection:
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    return connect(address(server, query), additional_headers=headers, proxy=None, **options)


def read(one: ClientConnection, kind: str) -> dict[str, Any]:
    while (event := json.loads(one.recv(timeout=20)))["type"] != kind:
        pass
    return event


def respond(one: ClientConnection) -> dict[str, Any]:
    one.send('{"type": "response.create"}')
    return read(one, "response.done")


def end_of(one: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            one.recv(timeout=20)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_the_official_sdk(server: ProxyServer, mesh: ModelMesh, vendor: RealtimeVendor) -> None:
    base, before = f"http://127.0.0.1:{server.get_status().port}/v1", mesh.usage.total_cost or 0.0
    with openai.OpenAI(api_key=TOKEN, base_url=base).realtime.connect(model="voice") as one:
        assert one.recv().type == "session.created"
        one.response.create()
        kinds = [one.recv().type for _ in range(3)]
    assert kinds == ["response.created", "response.output_text.delta", "response.done"]

    async def talk() -> None:
        async with openai.AsyncOpenAI(api_key=TOKEN, base_url=base).realtime.connect(
            model="one/first", extra_query={"x_new": "1"}, extra_headers={"X-New": "2"}
        ) as one:
            await one.recv()
            await one.response.create()
            async for event in one:
                if event.type == "response.done":
                    assert event.response.usage is not None
                    assert event.response.usage.total_tokens == 60
                    break

    asyncio.run(talk())
    path, headers = vendor.requests[-1]
    assert path == "/v1/realtime?model=first&x_new=1"
    assert (headers["authorization"], headers["x-new"]) == ("Bearer sk-test-0", "2")
    wait_for(lambda: vendor.closed == [1000, 1000])
    wait_for(lambda: (mesh.usage.total_cost or 0.0) > before + COST)
    assert mesh.usage.total_cost == pytest.approx(before + 2 * COST)


def test_events_pass_unchanged_in_both_directions(server: ProxyServer, vendor: RealtimeVendor) -> None:
    with session(server, headers={"x-request-id": "req-test"}) as one:
        assert one.response is not None
        headers = one.response.headers
        assert (headers["x-modelmesh-model"], headers["x-modelmesh-provider"]) == ("first", "one")
        assert (headers["x-modelmesh-attempts"], headers["x-request-id"]) == ("1", "req-test")
        assert read(one, "session.created")["session"] == {"model": "voice-1", "x_new": 1}
        text = '{ "type":"x.new",  "value": "\\u00e9 ' + "a" * 300_000 + '"}'
        one.send(text)
        assert read(one, "test.echo")["event"]["value"] == "é " + "a" * 300_000
        one.send(b"\x00\xff" * 500)
        assert one.recv(timeout=20) == b"\x00\xff" * 500
    assert vendor.received == [text, b"\x00\xff" * 500]
    wait_for(lambda: vendor.open == 0)


@pytest.mark.parametrize(
    ("headers", "subprotocols"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, None),
        ({"api-key": TOKEN}, None),
        ({"Origin": "https://app.example"}, ["realtime", f"openai-insecure-api-key.{TOKEN}"]),
    ],
)
def test_every_form_of_the_token(server: ProxyServer, vendor: RealtimeVendor, headers: dict[str, str], subprotocols: Any) -> None:
    with connect(address(server), additional_headers=headers, subprotocols=subprotocols, proxy=None) as one:
        assert one.subprotocol == (subprotocols and "realtime")
        read(one, "session.created")
    assert TOKEN not in str(vendor.requests)


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("model=voice", {}, 401, "invalid_api_key"),
        ("model=voice", {"Authorization": "Bearer wrong"}, 401, "invalid_api_key"),
        ("model=voice", {"Authorization": "Bearer test-app"}, 403, "model_not_allowed"),
        ("", {"Authorization": f"Bearer {TOKEN}"}, 400, "missing_required_parameter"),
        ("model=unknown", {"Authorization": f"Bearer {TOKEN}"}, 404, "model_not_found"),
    ],
)
def test_a_refusal_is_an_http_error_before_the_upgrade(
    server: ProxyServer, vendor: RealtimeVendor, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(address(server, query), additional_headers=headers, proxy=None)
    answer = refused.value.response
    assert (answer.status_code, json.loads(answer.body or b"")["error"]["code"]) == (status, code)
    assert not vendor.requests


@pytest.mark.parametrize("status", [401, 429, 503])
def test_failover_before_the_upgrade(
    server: ProxyServer, mesh: ModelMesh, vendors: tuple[RealtimeVendor, RealtimeVendor], status: int
) -> None:
    mesh.recover("voice")
    vendors[0].status = status
    with session(server) as one:
        assert one.response is not None
        assert one.response.headers["x-modelmesh-provider"] == "two"
        assert one.response.headers["x-modelmesh-attempts"] == "2"
        respond(one)
    vendors[1].status = status
    with pytest.raises(InvalidStatus) as refused:
        session(server)
    assert refused.value.response.status_code in (401, 429, 502, 503)
    mesh.recover("voice")


def test_a_budget_ends_the_session(server: ProxyServer, mesh: ModelMesh, vendor: RealtimeVendor) -> None:
    with session(server, "model=limited", token="test-app") as one:
        for _ in range(3):
            respond(one)
        assert read(one, "error")["error"]["code"] == "budget_exceeded"
        assert end_of(one) == (1008, "budget_exceeded")
    wait_for(lambda: vendor.closed == [1000])


def test_the_caller_leaves(server: ProxyServer, mesh: ModelMesh, vendor: RealtimeVendor) -> None:
    before = mesh.usage.total_cost or 0.0
    with session(server) as one:
        one.send('{"type": "response.create", "response": {"instructions": "hang"}}')
        read(one, "response.output_text.delta")
        one.socket.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: vendor.open == 0)
    wait_for(lambda: (mesh.usage.total_cost or 0.0) > before)  # the response that was not complete counts by estimate


def test_the_vendor_leaves(server: ProxyServer) -> None:
    with session(server) as one:
        one.send('{"type": "test.close", "code": 4001}')
        assert end_of(one) == (4001, "test reason")
    with session(server) as one:
        one.send('{"type": "test.abort"}')
        assert read(one, "error")["error"]["message"]
        assert end_of(one)[0] == 1011


def test_an_idle_session_ends(server: ProxyServer, mesh: ModelMesh, vendor: RealtimeVendor) -> None:
    with ProxyServer({**CONFIG, "providers": {"one": {**CONFIG["providers"]["one"], "base_url": vendor.url}}}, port=0) as own:
        with session(own) as one:
            assert read(one, "error")["error"]["code"] == "session_idle"
            assert end_of(one) == (1001, "idle")
        with session(own) as one:
            own.stop()
            assert end_of(one) == (1001, "server shutdown")


CONFIG: dict[str, Any] = {
    "providers": {"one": {"connector": "openai.llm.v1", "api_key": "test", "models": []}},
    "models": {"first": {"provider": "one", "capabilities": ["realtime-conversation"]}},
    "pools": {"voice": {"capability": "realtime-conversation"}},
    "proxy": {"drain": 0.1, "limits": {"realtime_idle": 0.3}},
}


@pytest.mark.parametrize(
    ("installed", "status", "code"), [(True, 426, "upgrade_required"), (False, 501, "realtime_not_installed")]
)
def test_a_plain_request_opens_no_session(
    server: ProxyServer, monkeypatch: pytest.MonkeyPatch, installed: bool, status: int, code: str
) -> None:
    monkeypatch.setattr("modelmesh_proxy.application.realtime_route.has_websockets", lambda: installed)
    monkeypatch.setattr("modelmesh_proxy.server.http_protocol.has_websockets", lambda: installed)
    client = openai.OpenAI(api_key=TOKEN, base_url=f"http://127.0.0.1:{server.get_status().port}/v1", max_retries=0)
    headers = {} if installed else {"Connection": "upgrade", "Upgrade": "websocket"}
    with pytest.raises(openai.APIStatusError) as refused:
        client.get("/realtime", cast_to=object, options={"headers": headers})
    assert (refused.value.status_code, refused.value.code) == (status, code)


def test_metrics_count_a_session_as_one_request(server: ProxyServer) -> None:
    client = openai.OpenAI(api_key=TOKEN, base_url=f"http://127.0.0.1:{server.get_status().port}", max_retries=0)
    with session(server) as one:
        respond(one)

    def series() -> str:
        return client.get("/metrics", cast_to=str)

    wait_for(lambda: 'modelmesh_http_requests_total{method="GET",route="/v1/realtime",status="101"}' in series())
    assert 'outcome="answered",provider=' in series()


def test_nothing_is_imported_without_a_session() -> None:
    code = (
        "import sys, modelmesh_proxy.application.app, modelmesh_proxy.server.http_server, modelmesh_connector_openai;"
        "print([name for name in sys.modules if name.startswith('websockets') or 'realtime' in name])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"

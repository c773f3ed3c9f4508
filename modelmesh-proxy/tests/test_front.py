"""Hosts, origins, media types, sizes, concurrency and headers of requests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgi_calls import EchoGateway, acall, call, make_app

from modelmesh._engine.config.schema import ProxyCorsSection, ProxyLimitsSection, Size
from modelmesh._engine.gateway.messages import GatewayRequest, GatewayResponse
from modelmesh.errors import ConfigurationError
from modelmesh_proxy.application.app import ProxyApp, create_gateway

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}
PAGE = "https://page.example"


@pytest.fixture(scope="module")
def app() -> ProxyApp:
    return make_app()


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({}, "127.0.0.1:8080", 200),
        ({}, "localhost", 200),
        ({}, "LOCALHOST.:1", 200),
        ({}, "app.localhost:8080", 200),
        ({}, "[::1]:8080", 200),
        ({}, "evil.example", 403),
        ({}, "127.0.0.1.evil.example", 403),
        ({}, "localhost.evil.example:8080", 403),
        ({}, "", 403),
        ({"host": "0.0.0.0"}, "evil.example", 200),
        ({"token": "test-token"}, "evil.example", 200),
        ({"hosts": ("ai.example", "*.corp.example")}, "ai.example:443", 200),
        ({"hosts": ("ai.example", "*.corp.example")}, "a.b.corp.example", 200),
        ({"hosts": ("ai.example", "*.corp.example")}, "corp.example", 403),
        ({"hosts": ("ai.example", "*.corp.example")}, "localhost", 403),
        ({"hosts": ("ai.example",), "token": "test-token"}, "evil.example", 403),
        ({"hosts": ("*",)}, "evil.example", 200),
    ],
)
def test_hosts(settings: dict[str, Any], host: str, status: int) -> None:
    reply = call(make_app(**settings), "GET", "/v1/models", {"host": host, "authorization": "Bearer test-token"})
    assert reply.status == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/models", 200),
        ("/v1/models/chat", 200),
        ("/v1/modelsx", 404),
        ("/v1/files", 404),
        ("/metrics", 404),
        ("/", 404),
        ("/health", 200),
        ("/ready", 200),
    ],
)
def test_only_configured_endpoints_are_served(path: str, status: int) -> None:
    assert call(make_app(endpoints=("v1/models/",)), "GET", path, {"host": "localhost"}).status == status


def test_every_origin_may_read_answers_by_default(app: ProxyApp) -> None:
    reply = call(app, "POST", CHAT, {"origin": PAGE, **JSON}, b"{}")
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, "*")
    assert "access-control-allow-credentials" not in reply.headers
    exposed = reply.headers["access-control-expose-headers"]
    assert "x-request-id" in exposed
    assert "x-modelmesh-cost" in exposed
    assert "access-control-allow-origin" not in call(app, "POST", CHAT, JSON, b"{}").headers


def test_a_preflight_needs_no_token() -> None:
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-os",
    }
    reply = call(make_app("test-token"), "OPTIONS", CHAT, asked)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-headers"] == asked["access-control-request-headers"]
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert reply.headers["access-control-max-age"] == "600"
    refused = call(make_app("test-token"), "POST", CHAT, {"origin": PAGE, **JSON}, b"{}")
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, "*")


def test_origins_may_be_listed() -> None:
    app = make_app(cors=ProxyCorsSection(origins=(PAGE,), credentials=True))
    reply = call(app, "POST", CHAT, {"origin": PAGE, **JSON}, b"{}")
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert reply.headers["access-control-allow-credentials"] == "true"
    assert reply.headers["vary"] == "origin"
    other = call(app, "POST", CHAT, {"origin": "https://evil.example", **JSON}, b"{}")
    assert other.status == 403
    assert "access-control-allow-origin" not in other.headers
    own = call(app, "POST", CHAT, {"origin": "http://127.0.0.1:8080", **JSON}, b"{}")
    assert own.status == 200


@pytest.mark.parametrize("origin", [PAGE, "null"])
def test_cors_can_be_switched_off(origin: str) -> None:
    app = make_app(cors=ProxyCorsSection(enabled=False))
    assert call(app, "POST", CHAT, {"origin": origin, **JSON}, b"{}").status == 403
    assert call(app, "OPTIONS", CHAT, {"origin": origin, "access-control-request-method": "POST"}).status == 403


def test_credentials_for_every_origin_are_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"proxy\.cors: credentials"):
        make_app(cors=ProxyCorsSection(credentials=True))


@pytest.mark.parametrize("headers", [{"origin": PAGE}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}])
def test_pages_of_other_origins_reach_no_administration(app: ProxyApp, headers: dict[str, str]) -> None:
    for path in ("/admin/status", "/metrics", "/ui"):
        reply = call(app, "GET", path, headers)
        assert reply.status == 403, path
        assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (JSON, 200),
        ({"content-type": "Application/JSON; charset=utf-8"}, 200),
        ({"content-type": "application/vnd.api+json"}, 200),
        ({"content-type": "multipart/form-data; boundary=x"}, 200),
        ({}, 200),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "text/plain;application/json"}, 415),
        ({"content-type": ""}, 415),
        ({"origin": PAGE}, 415),
        ({"sec-fetch-site": "cross-site"}, 415),
    ],
)
def test_media_types(app: ProxyApp, headers: dict[str, str], status: int) -> None:
    assert call(app, "POST", CHAT, headers, b"{}").status == status


def test_a_large_body_is_not_buffered() -> None:
    app = make_app(limits=ProxyLimitsSection(json_body=Size(1000), upload_body=Size(2000)))
    app.services.gateway = create_gateway(app.services.mesh, app.services.settings)
    stated = call(app, "POST", CHAT, {**JSON, "content-length": "1001"}, b"x" * 1001)
    assert (stated.status, stated.received) == (413, 0)
    assert json.loads(stated.body)["error"]["code"] == "request_too_large"
    streamed = call(app, "POST", CHAT, JSON, *[b"x" * 400] * 100)
    assert (streamed.status, streamed.received) == (413, 3)
    form = {"content-type": "multipart/form-data; boundary=x"}
    assert call(app, "POST", "/v1/files", {**form, "content-length": "2001"}, b"x").received == 0
    begin = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    upload = call(app, "POST", "/v1/files", form, begin, *[b"x" * 400] * 100)
    assert (upload.status, upload.received) == (413, 6)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 10_000, 400),
        (b'{"a":' * 10_000, 400),
        (b'{"model":NaN}', 400),
        (b'{"model":1e999}', 400),
        (b"\xff", 400),
        (b"[]", 400),
    ],
)
def test_hostile_json(body: bytes, status: int) -> None:
    app = make_app()
    app.services.gateway = create_gateway(app.services.mesh, app.services.settings)
    assert call(app, "POST", CHAT, JSON, body).status == status


def test_headers_cannot_be_injected(app: ProxyApp) -> None:
    app.services.gateway = EchoGateway(headers=[("x-modelmesh-model", "a\r\nset-cookie: b\0\x1b"), ("x-name", "n\u20acme")])  # type: ignore[assignment]
    reply = call(app, "POST", CHAT, JSON, b"{}")
    assert reply.headers["x-modelmesh-model"] == "a  set-cookie: b  "
    assert reply.headers["x-name"] == "n?me"
    app.services.gateway = create_gateway(app.services.mesh, app.services.settings)
    hostile = call(app, "POST", CHAT, {**JSON, "x-request-id": "a\xe9\x1b b"}, b'{"model":"a\\r\\nx: y","messages":[]}')
    assert hostile.headers["x-request-id"].startswith("req_")
    assert not any("\r" in value or "\n" in value for value in hostile.headers.values())
    kept = call(app, "POST", CHAT, {**JSON, "x-request-id": "trace-7"}, b"{}")
    assert kept.headers["x-request-id"] == "trace-7"


def test_every_response_has_a_request_id(app: ProxyApp) -> None:
    for path in ("/", "/health", "/ready", "/metrics", "/admin/status", "/ui", "/nothing", "/v1/models", "/v1/nothing"):
        app.services.gateway = create_gateway(app.services.mesh, app.services.settings)
        assert call(app, "GET", path).headers["x-request-id"].startswith("req_"), path


def test_a_destination_of_the_caller_is_never_used() -> None:
    """S8: neither headers, query nor body choose where a key is sent."""
    app = make_app()
    app.services.gateway = create_gateway(app.services.mesh, app.services.settings)
    body = json.dumps({"model": "openai@http://127.0.0.1:1", "messages": [], "api_base": "http://127.0.0.1:1"}).encode()
    reply = call(app, "POST", f"{CHAT}?base_url=http://127.0.0.1:1", {**JSON, "x-custom-host": "127.0.0.1:1"}, body)
    assert reply.status in (400, 404)


class HangingGateway:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def ahandle(self, request: GatewayRequest) -> GatewayResponse:
        await self.go.wait()
        return GatewayResponse(200, [], request.body if isinstance(request.body, bytes) else b"")


def test_concurrency_is_bounded() -> None:
    async def scenario() -> None:
        app = make_app(limits=ProxyLimitsSection(requests=2))
        gateway = app.services.gateway = HangingGateway()  # type: ignore[assignment]
        running = [asyncio.create_task(acall(app, "POST", CHAT, JSON, b"{}")) for _ in range(2)]
        await asyncio.sleep(0)
        refused = await acall(app, "POST", CHAT, JSON, b"{}")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert json.loads(refused.body)["error"]["type"] == "overloaded_error"
        assert (await acall(app, "GET", "/health")).status == 200
        assert (await acall(app, "GET", "/metrics")).status == 200
        gateway.go.set()
        assert [reply.status for reply in await asyncio.gather(*running)] == [200, 200]
        assert (await acall(app, "POST", CHAT, JSON, b"{}")).status == 200

    asyncio.run(scenario())

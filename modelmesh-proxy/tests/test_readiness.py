"""Readiness: what takes a proxy out of the service of a load balancer, and what does not."""

import json
from collections.abc import Iterator

import pytest
from asgi_calls import call

from modelmesh_cdk import QuickProvider
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_proxy.application.app import ProxyApp, create_app
from modelmesh_proxy.services import ReadinessProblem

CHAT = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hello!"}]}).encode()


@pytest.fixture(scope="module")
def app() -> Iterator[ProxyApp]:
    """A proxy whose only vendor is away."""
    with Upstream() as upstream:
        upstream.always(lambda _: Script(503, b'{"error":{"message":"later"}}', {"retry-after": "600"}))
        provider = QuickProvider(base_url=upstream.url, api_key="sk-test", models=["large"])
        config = {"providers": {"acme": {"instance": provider}}, "pools": {"chat": {"capability": "chat-completion"}}}
        app = create_app(config)
        yield app
        app.services.mesh.shutdown()


def test_outage_of_all_vendors_leaves_the_proxy_in_service(app: ProxyApp) -> None:
    assert json.loads(call(app, "GET", "/ready").body)["status"] == "ready"
    while app.services.mesh.active_providers():
        assert call(app, "POST", "/v1/chat/completions", {"content-type": "application/json"}, CHAT).status == 503
    reply = call(app, "GET", "/ready")
    report = json.loads(reply.body)
    assert (reply.status, report["status"]) == (200, "degraded")
    assert [reason["code"] for reason in report["reasons"]] == ["no_active_model"]
    status = json.loads(call(app, "GET", "/admin/status").body)
    assert status["readiness"] == {name: report[name] for name in ("status", "reasons")}
    refused = call(app, "POST", "/v1/chat/completions", {"content-type": "application/json"}, CHAT)
    assert refused.status == 503
    assert json.loads(refused.body)["error"]["message"]


def test_unknown_tokens_and_a_drain_take_the_proxy_out_of_service(app: ProxyApp) -> None:
    services = app.services
    services.readiness_checks.append(lambda: ReadinessProblem("tokens_unknown", "The storage cannot be read."))
    for code in ("tokens_unknown", "draining"):
        services.draining = code == "draining"
        reply = call(app, "GET", "/ready")
        report = json.loads(reply.body)
        assert (reply.status, report["status"], report["reasons"][0]["code"]) == (503, "not ready", code)
        assert reply.headers["retry-after"] == "1"

"""Access: every route of the table, and every path that tries to get around it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest
from sample_config import CONFIG

from modelmesh.contracts.operations import OPERATIONS
from modelmesh_proxy import ProxyServer
from modelmesh_proxy.admin.page_files import PAGE_FILES
from modelmesh_proxy.application.access import Access
from modelmesh_proxy.application.routes import NOT_FOUND, ROUTES, Route, find_route

TOKEN = "test-token-1"


@pytest.fixture(scope="module")
def guarded() -> Iterator[int]:
    with ProxyServer(CONFIG, port=0, token=TOKEN) as server:
        yield server.get_status().port


def ask(port: int, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def example(path: str) -> str:
    return f"{path}models" if path.endswith("/") and path != "/" else path


PAGE = {f"/ui/{name}" for name in PAGE_FILES}
"""Files of the package, which a browser needs to ask for a token."""


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_every_route_needs_a_token_but_health_and_readiness(guarded: int, route: Route) -> None:
    for method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS"):
        status, body = ask(guarded, method, example(route.path))
        if route.path in ("/health", "/ready"):
            assert status in (200, 503), method
        elif route.path in PAGE:
            assert status in (200, 405, 415), method
        else:
            assert status == 401, method
            assert method == "HEAD" or b"Invalid token" in body
    assert (route.access is Access.OPEN) == (route.path in ("/health", "/ready", *PAGE))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/models", "authentication_error"),
        ("/v1/messages", "authentication_error"),
        ("/v1beta/models", "UNAUTHENTICATED"),
        ("/v1/models/a:generateContent", "UNAUTHENTICATED"),
    ],
)
def test_refusals_have_the_format_of_the_path(guarded: int, path: str, kind: str) -> None:
    body = json.loads(ask(guarded, "POST", path)[1])
    assert kind in (body["error"].get("type"), body["error"].get("status"))
    assert ("type" in body) == (path == "/v1/messages")
    assert body["error"].get("code") == {"/v1/models": "invalid_api_key", "/v1/messages": None}.get(path, 401)


def test_every_operation_is_for_callers() -> None:
    for operation in OPERATIONS.values():
        assert find_route(f"/v1{operation.path}").access is Access.CALLER


def test_every_path_of_the_administration_is_for_administrators() -> None:
    from modelmesh_proxy.admin import api

    with ProxyServer(CONFIG, port=0) as server:
        mounted = api.create_admin(server._run.app.services)  # the routes of the mounted application
    for route in mounted._app.routes:
        found = find_route(route.path)
        assert found is not NOT_FOUND, route.path
        assert found.access is Access.ADMIN, route.path


@pytest.mark.parametrize(
    "path",
    [
        "//admin/status",
        "/%61dmin/status",
        "/admin/..;/status",
        "/admin",
        "/Admin/status",
        "/health/../admin/status",
        "/health/",
        "/health%2f",
        "/ready;/admin",
        "/v1/chat%2fcompletions",
        "/v1/../admin/status",
        "/v1",
        "/v1//models",
        "/nothing",
        "/metrics/",
        "/ui/..%2fadmin/status",
    ],
)
def test_path_tricks_need_a_token_and_reach_nothing(guarded: int, path: str) -> None:
    assert ask(guarded, "GET", path)[0] == 401
    assert ask(guarded, "GET", path, {"Host": "a/health?x"})[0] == 400, "the server refuses an odd host before the guard"
    status = ask(guarded, "GET", path, {"Authorization": f"Bearer {TOKEN}"})[0]
    assert status == 404

"""The guard: credentials, brute force, and the constant answer to what it refuses."""

from __future__ import annotations

import ast
import asyncio
import json
import random
from base64 import b64encode
from pathlib import Path

import pytest
from asgi_calls import acall, call, make_app

import modelmesh_proxy
from modelmesh_proxy.application.app import ProxyApp
from modelmesh_proxy.application.failed_attempts import MAX_FAILURES
from modelmesh_proxy.application.guard import UNGUESSABLE

UNAUTHORIZED = "Invalid token. Send a valid token of this proxy as the API key, e.g. in the header Authorization: Bearer TOKEN."

TOKEN = "test-token-of-the-flag"
MODELS = "/v1/models"


@pytest.fixture(scope="module")
def app() -> ProxyApp:
    return make_app(TOKEN)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (MODELS, {"authorization": f"Bearer {TOKEN}"}, 200),
        (MODELS, {"authorization": f"bearer  {TOKEN} "}, 200),
        (MODELS, {"x-api-key": TOKEN}, 200),
        (MODELS, {"api-key": TOKEN}, 200),
        (MODELS, {"x-goog-api-key": TOKEN}, 200),
        (MODELS, {"authorization": TOKEN}, 401),
        (MODELS, {"authorization": "Bearer"}, 401),
        (MODELS, {"authorization": "Bearer x", "x-api-key": TOKEN}, 401),
        (f"{MODELS}?key={TOKEN}", {}, 401),
        (f"/v1beta/none?key={TOKEN}", {}, 200),
        (f"/v1beta/none?key=x{TOKEN}", {}, 401),
        ("/admin/status", {"authorization": "Basic " + b64encode(f"me:{TOKEN}".encode()).decode()}, 200),
        ("/admin/status", {"authorization": "Basic " + b64encode(TOKEN.encode()).decode()}, 200),
        ("/admin/status", {"authorization": "Basic !"}, 401),
        (MODELS, {"authorization": "Basic " + b64encode(f"me:{TOKEN}".encode()).decode()}, 401),
    ],
)
def test_credentials(app: ProxyApp, path: str, headers: dict[str, str], status: int) -> None:
    assert call(app, "GET", path, headers, peer=f"{path}{headers}").status == status


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/v1/chat/completions", {}, {"error": {"message": UNAUTHORIZED, "type": "authentication_error", "param": None, "code": "invalid_api_key"}}),
        ("/v1/messages", {}, {"type": "error", "error": {"type": "authentication_error", "message": UNAUTHORIZED}}),
        (MODELS, {"anthropic-version": "1"}, {"type": "error", "error": {"type": "authentication_error", "message": UNAUTHORIZED}}),
        ("/v1beta/models", {}, {"error": {"code": 401, "message": UNAUTHORIZED, "status": "UNAUTHENTICATED"}}),
    ],
)  # fmt: skip
def test_the_error_has_the_format_of_the_vendor(app: ProxyApp, path: str, headers: dict[str, str], body: object) -> None:
    reply = call(app, "POST", path, headers)
    assert (reply.status, json.loads(reply.body)) == (401, body)
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.0.2.1"])
def test_a_base_url_without_its_end_is_not_found_rather_than_forbidden(peer: str) -> None:
    reply = call(make_app(), "POST", "/chat/completions", {"content-type": "application/json"}, b"{}", peer=peer)
    assert reply.status == 404
    assert b"the base URL ends with /v1" in reply.body


def test_hostile_values_get_one_constant_answer(app: ProxyApp, caplog: pytest.LogCaptureFixture) -> None:
    source = random.Random(14)
    starts = [
        "",
        "Bearer ",
        "bearer ",
        "Basic ",
        "Bearer ' OR 1=1 --",
        "Bearer \xff",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}\xff",
        "%s%n",
    ]

    async def send_all() -> set[tuple[int, bytes]]:
        found = set()
        for number in range(10_000):
            value = source.choice(starts) + "".join(chr(source.randrange(1, 256)) for _ in range(source.randrange(40)))
            name = source.choice(("authorization", "x-api-key", "api-key", "x-goog-api-key"))
            reply = await acall(app, "POST", "/v1/chat/completions", {name: value}, peer=str(number))
            found.add((reply.status, reply.body))
        return found

    assert {status for status, _ in asyncio.run(send_all())} == {401}
    assert not caplog.records


def test_a_peer_with_many_invalid_tokens_is_blocked() -> None:
    app, good = make_app(TOKEN), {"authorization": f"Bearer {TOKEN}"}

    async def scenario() -> None:
        assert (await acall(app, "GET", MODELS, good, peer="1.2.3.4")).status == 200
        statuses = [(await acall(app, "GET", MODELS, {"x-api-key": f"bad{n}"}, peer="6.6.6.6")).status for n in range(100)]
        assert statuses == [401] * MAX_FAILURES + [429] * (100 - MAX_FAILURES)
        blocked = await acall(app, "GET", MODELS, {"x-api-key": "bad"}, peer="6.6.6.6")
        assert 0 < int(blocked.headers["retry-after"]) <= 60
        assert (await acall(app, "GET", MODELS, good, peer="6.6.6.6")).status == 200, "a token that was valid before passes"
        assert (await acall(app, "GET", MODELS, good, peer="7.7.7.7")).status == 200
        assert (await acall(app, "GET", "/health", peer="6.6.6.6")).status == 200

    asyncio.run(scenario())


def test_invalid_tokens_behind_the_same_address_keep_no_long_token_out() -> None:
    token = TOKEN.ljust(UNGUESSABLE, "x")
    app = make_app(token)

    async def scenario() -> None:
        for number in range(MAX_FAILURES):
            await acall(app, "GET", MODELS, {"x-api-key": f"bad{number}"}, peer="6.6.6.6")
        assert (await acall(app, "GET", MODELS, {"x-api-key": token[:-1] + "y"}, peer="6.6.6.6")).status == 429
        assert (await acall(app, "GET", MODELS, {"x-api-key": token}, peer="6.6.6.6")).status == 200

    asyncio.run(scenario())


def test_a_guess_during_a_block_reveals_nothing() -> None:
    app = make_app(TOKEN)

    async def scenario() -> None:
        for number in range(MAX_FAILURES):
            await acall(app, "GET", MODELS, {"x-api-key": f"bad{number}"}, peer="6.6.6.6")
        assert (await acall(app, "GET", MODELS, {"x-api-key": TOKEN}, peer="6.6.6.6")).status == 429

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("peer", "headers", "caller", "admin"),
    [
        ("127.0.0.1", {}, 200, 200),
        ("::1", {}, 200, 200),
        ("192.0.2.1", {}, 200, 401),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.1"}, 200, 401),
        ("127.0.0.1", {"authorization": "Bearer unused"}, 200, 200),
    ],
)
def test_without_a_token_administration_is_for_this_machine(peer: str, headers: dict[str, str], caller: int, admin: int) -> None:
    app = make_app()
    assert call(app, "GET", MODELS, headers, peer=peer).status == caller
    assert call(app, "GET", "/admin/status", headers, peer=peer).status == admin


def test_credentials_do_not_reach_the_vendor_of_a_caller_as_names(app: ProxyApp) -> None:
    call(app, "POST", "/v1/chat/completions", {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}, b"{}")
    caller = app.services.gateway.seen[-1].caller  # type: ignore[attr-defined]
    assert caller.is_admin
    assert TOKEN not in repr(caller)


def test_tokens_are_compared_in_constant_time() -> None:
    secret = ("token", "credential", "digest", "password")
    for path in Path(modelmesh_proxy.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
                sides = [side for side in (node.left, *node.comparators) if isinstance(side, ast.Name | ast.Attribute)]
                names = [getattr(side, "id", None) or getattr(side, "attr", "") for side in sides]
                assert not any(name.lower().endswith(secret) for name in names), f"{path}:{node.lineno}"

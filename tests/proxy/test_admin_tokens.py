"""Tokens over the administration interface, with a store: created, used, rotated and revoked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from http_calls import send

from modelmesh_cdk.testing import Upstream
from modelmesh_proxy import ProxyServer

Ask = Callable[..., tuple[int, Any]]
CHAT = {"model": "chat", "messages": [{"role": "user", "content": "Hello!"}]}


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    path = tmp_path_factory.mktemp("state") / "state.json"
    with Upstream() as upstream:
        provider = {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": upstream.url}
        price = {"input_per_1k_tokens": 0.001, "output_per_1k_tokens": 0.002}
        config = {
            "providers": {"north": provider},
            "models": {"large": {"provider": "north", "capabilities": ["chat-completion"], "pricing": price}},
            "pools": {"chat": {"capability": "chat-completion"}},
            "storage": {"connector": "modelmesh.local-file.v1", "path": str(Path(path))},
        }
        with ProxyServer(config, port=0, token="test-admin") as server:

            def ask(method: str, path: str, body: Any = None, token: str = "test-admin") -> tuple[int, Any]:
                reply = send(method, server.url + path, body, authorization=f"Bearer {token}")
                return reply.status, reply.data.get("error", reply.data)

            yield ask


def test_token_is_created_used_rotated_and_revoked(ask: Ask) -> None:
    settings = {"name": "shop", "pools": ["chat"], "budget_daily": 5, "rpm": 60, "expires": "30d", "metadata": {"owner": "web"}}
    status, made = ask("POST", "/admin/tokens", settings)
    assert status == 200
    assert (made["pools"], made["limits"]["budget_daily"], made["status"]) == (["chat"], 5, "active")
    assert ask("POST", "/v1/chat/completions", CHAT, made["token"])[0] == 200

    _, listed = ask("GET", "/admin/tokens")
    (row,) = listed["tokens"]
    assert "token" not in row
    assert made["token"] not in json.dumps(listed)
    assert not [name for name in row if "digest" in name]
    assert {(one["metric"], one["window"]) for one in row["amounts"]} >= {("USD", "day"), ("requests", "minute")}

    owners = {row["of"] for row in ask("GET", "/admin/limits")[1]["limits"]}
    assert "token:shop" in owners, "the name rather than the key of the counters"
    assert ask("GET", "/admin/status", token=made["token"])[0] == 403
    _, renewed = ask("POST", "/admin/tokens/shop/rotate", {})
    assert ask("POST", "/v1/chat/completions", CHAT, made["token"])[0] == 401
    assert ask("POST", "/v1/chat/completions", CHAT, renewed["token"])[0] == 200
    assert ask("DELETE", "/admin/tokens/shop")[1]["status"] == "revoked"
    assert ask("POST", "/v1/chat/completions", CHAT, renewed["token"])[0] == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/admin/tokens", {}, 400),
        ("POST", "/admin/tokens", {"name": "a b"}, 400),
        ("POST", "/admin/tokens", {"name": "a", "pools": "chat"}, 400),
        ("POST", "/admin/tokens", {"name": "a", "rpm": "many"}, 400),
        ("POST", "/admin/tokens", {"name": "a", "expires": "soon"}, 400),
        ("POST", "/admin/tokens", {"name": "a", "expires": 1e18}, 400),
        ("POST", "/admin/tokens", {"name": "a", "metadata": ["x"]}, 400),
        ("POST", "/admin/tokens", {"name": "a", "admin": "yes"}, 400),
        ("POST", "/admin/tokens", {"name": "a", "team": 5}, 400),
        ("POST", "/admin/pools/chat/recover", {"model": ["x"]}, 400),
        ("POST", "/admin/tokens", {"name": "a", "budget": 5}, 400),
        ("POST", "/admin/tokens", {"name": "a", "team": "none"}, 404),
        ("POST", "/admin/tokens/none/rotate", {}, 404),
        ("DELETE", "/admin/tokens/none", None, 404),
    ],
)
def test_wrong_token_is_refused_with_the_reason(ask: Ask, method: str, path: str, body: Any, status: int) -> None:
    found, error = ask(method, path, body)
    assert (found, bool(error["message"])) == (status, True)

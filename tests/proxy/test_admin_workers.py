"""The administration of several workers: whichever of them answers, it shows and changes all."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_calls import send
from proxy_process import ProxyProcess, proxy
from waiting import wait_for

from modelmesh_cdk.testing import Upstream

CHAT = {"model": "chat", "messages": [{"role": "user", "content": "Hello!"}]}
LOOKS = 24
"""Requests that reach both of two workers."""


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyProcess]:
    folder: Path = tmp_path_factory.mktemp("workers")
    with Upstream() as upstream:
        provider = {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": upstream.url}
        models = {name: {"provider": "north", "capabilities": ["chat-completion"]} for name in ("large", "small")}
        config = {"providers": {"north": provider}, "models": models, "pools": {"chat": {"capability": "chat-completion"}}}
        (folder / "modelmesh.json").write_text(json.dumps(config))
        with proxy(folder, "--config", "modelmesh.json", "--workers", "2") as running:
            wait_for(lambda: len(ask(running, "/admin/status")["processes"]) == 2 or None)
            yield running


def ask(running: ProxyProcess, path: str, body: Any = None) -> Any:
    reply = send("GET" if body is None else "POST", f"http://127.0.0.1:{running.port}{path}", body, connection="close")
    assert reply.status == 200, reply.body
    return reply.data


def test_every_worker_shows_the_requests_of_all(workers: ProxyProcess) -> None:
    before = ask(workers, "/admin/limits")["total"]["requests"]
    for _ in range(LOOKS):
        ask(workers, "/v1/chat/completions", CHAT)
    answered = set()
    for _ in range(LOOKS):
        status = ask(workers, "/admin/status")
        answered.add(status["pid"])
        assert (status["total"]["requests"], len(status["processes"])) == (before + LOOKS, 2)
        (pool,) = ask(workers, "/admin/pools")["pools"]
        assert pool["statistics"]["requests_total"] == before + LOOKS
    assert len(answered) == 2


def test_tokens_are_not_created_in_a_database_that_ends_with_the_server(workers: ProxyProcess) -> None:
    """They would end with it, and leave the next server open to every caller."""
    reply = send("POST", f"http://127.0.0.1:{workers.port}/admin/tokens", {"name": "shop"})
    error = reply.data["error"]
    assert (reply.status, error["code"]) == (409, "no_token_store")
    assert "modelmesh.sqlite.v1" in error["message"]
    assert not ask(workers, "/admin/tokens")["has_store"]


def statuses(workers: ProxyProcess) -> set[str]:
    """Return the statuses of the models in one of the workers."""
    (pool,) = ask(workers, "/admin/pools")["pools"]
    return {row["status"] for row in pool["candidates"]}


def test_rotation_and_recovery_reach_every_worker(workers: ProxyProcess) -> None:
    for path, states in (("/admin/pools/chat/rotate", {"standby", "active"}), ("/admin/pools/chat/recover", {"active"})):
        ask(workers, path, {})
        wait_for(lambda wanted=states: all(statuses(workers) == wanted for _ in range(LOOKS)))


def test_live_view_has_the_requests_of_every_worker(workers: ProxyProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", workers.port, timeout=60)
    connection.request("GET", "/admin/attempts")
    stream = connection.getresponse()
    processes: set[int] = set()
    while len(processes) < 2:
        line = stream.readline()
        if line.startswith(b"data: "):
            processes.add(json.loads(line[6:]).get("process"))
    for _ in range(LOOKS):
        ask(workers, "/v1/chat/completions", CHAT)
    requests, senders = 0, set()
    kind = b""
    while requests < LOOKS:
        line = stream.readline()
        if line.startswith(b"event: "):
            kind = line[7:].strip()
            requests += kind == b"request"
        elif line.startswith(b"data: ") and kind == b"attempt":
            senders.add(json.loads(line[6:])["id"].partition("-")[0])
    connection.close()
    assert len(senders) == 2

"""A proxy or a worker that is killed under load: the others fail no request, and the budget of all holds.

``MODELMESH_TEST_FULL=1`` runs a larger size, and ``pytest -s`` prints what happened.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
import redis
from proxy_process import ProxyProcess, proxy
from redis_process import RedisProcess
from waiting import wait_for

from modelmesh_cdk.testing.upstream import Received, Script, Upstream, completion

PRICE = 0.02
CALLERS = 6
ANSWERS = 3000 if os.environ.get("MODELMESH_TEST_FULL") else 120
"""Number of answers that the daily budget pays for."""

BODY = json.dumps({"model": "chat", "max_tokens": 10, "messages": [{"role": "user", "content": "Hello!"}]}).encode()
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def vendor() -> Iterator[Upstream]:
    def answer(_: Received) -> Script:
        time.sleep(0.01)
        return Script(body=json.dumps(completion()).encode())

    with Upstream() as upstream:
        upstream.always(answer)
        yield upstream


def config(folder: Path, vendor: Upstream, **sections: Any) -> None:
    models = [{"id": "acme-1", "pricing": {"per_request": PRICE}, "capabilities": ["chat-completion"]}]
    acme = {"connector": "openai.llm.v1", "api_key": "test", "base_url": vendor.url, "models": models}
    acme["budget"] = {"daily_limit": PRICE * ANSWERS}
    pools = {"chat": {"capability": "chat-completion"}}
    (folder / "modelmesh.json").write_text(json.dumps({"providers": {"acme": acme}, "pools": pools, **sections}))


class Load:
    """Callers that send requests in turn to every proxy until the budget refuses them."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.answered, self.failed, self.errors = 0, dict.fromkeys(ports, 0), list[int]()
        self._ports, self._lock = list(ports), Lock()
        self._threads = [Thread(target=self._run, args=(number,)) for number in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def leave(self, port: int) -> None:
        """Send nothing more to a proxy, as a load balancer does that sees its connections fail."""
        self._ports.remove(port)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        while True:
            number += 1
            ports = list(self._ports)
            port = ports[number % len(ports)]
            try:
                status = _chat(port)
            except (OSError, http.client.HTTPException):
                status = 0
            with self._lock:
                if status == 200:
                    self.answered += 1
                elif status == 0:
                    self.failed[port] += 1
                elif status != 429:
                    self.errors.append(status)
            if status == 429:
                return


def _chat(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/v1/chat/completions", BODY, {"content-type": "application/json"})
        reply = connection.getresponse()
        reply.read()
        return reply.status
    finally:
        connection.close()


def run(load: Load, vendor: Upstream, kill: Callable[[], int]) -> None:
    """Kill one process in the middle of the load, and check what callers and the vendor saw."""
    wait_for(lambda: load.answered > ANSWERS // 4)
    killed = kill()
    load.join()
    lost = load.failed.pop(killed, 0)
    print(f"\n{load.answered} of {ANSWERS} answered, {lost} lost with the killed process, vendor: {len(vendor.received)}")
    assert sum(load.failed.values()) == len(load.errors) == 0, "only connections of the killed process fail"
    assert lost <= 2 * CALLERS, "those in use, and those that wait until the kernel has closed its socket"
    assert len(vendor.received) <= ANSWERS, "the budget holds"
    assert load.answered >= ANSWERS - CALLERS, "what was in flight stays counted, and blocks no more than that"


def test_one_of_three_proxies_is_killed(tmp_path: Path, vendor: Upstream) -> None:
    store = RedisProcess(tmp_path / "redis").start()
    config(tmp_path, vendor, storage={"connector": "redis.redis.v1", "port": store.port, "sync_policy": "immediate"})
    try:
        with ExitStack() as stack:
            proxies: list[ProxyProcess] = [stack.enter_context(proxy(tmp_path)) for _ in range(3)]
            victim, load = proxies[0], Load([one.port for one in proxies])

            def kill() -> int:
                victim.send(signal.SIGKILL)
                load.leave(victim.port)
                return victim.port

            run(load, vendor, kill)
            with redis.Redis(port=store.port, protocol=2) as client:
                wait_for(lambda: _spent(client) <= ANSWERS)
                assert _spent(client) >= load.answered, "no spend is lost"
    finally:
        store.stop()


def _spent(client: Any) -> float:
    return sum(int(client.get(name)) for name in client.scan_iter("modelmesh:~counter/*:cost:day@*")) / (PRICE * 1e9)


def test_a_worker_is_killed_and_replaced(tmp_path: Path, vendor: Upstream) -> None:
    config(tmp_path, vendor)
    with proxy(tmp_path, "--workers", "2") as one:
        children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children")
        victim = int(wait_for(lambda: len(found := children.read_text().split()) == 2 and found)[0])
        load = Load([one.port])

        def kill() -> int:
            os.kill(victim, signal.SIGKILL)
            return one.port

        run(load, vendor, kill)
        wait_for(lambda: len(found := children.read_text().split()) == 2 and str(victim) not in found)
        assert {one.post("/v1/chat/completions", json.loads(BODY))[0] for _ in range(6)} == {429}, (
            "the new worker refuses as well"
        )

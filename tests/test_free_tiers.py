"""Three free tiers are exhausted in turn, even across a crash, and no vendor has to refuse a request."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.errors import ModelMeshError
from modelmesh.testing import VirtualClock
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import completion

TIERS = {"a": 20, "b": 50, "c": 100}
ALL = sum(TIERS.values())
MORNING = datetime(2026, 11, 21, 6, tzinfo=UTC).timestamp()
DAY = 86400.0
STORES = {
    "local-file": lambda folder: {"connector": "modelmesh.local-file.v1", "path": str(folder / "mesh-state.json")},
    "sqlite": lambda folder: {"connector": "modelmesh.sqlite.v1", "path": str(folder / "mesh-state.db")},
}


class Vendors:
    """Three vendors that answer the requests of their free tiers and refuse further ones with 429."""

    def __init__(self, stack: ExitStack) -> None:
        self.asked: list[str] = []
        self.refused = 0
        self.left = dict(TIERS)
        self.hear: Callable[[int], None] = lambda _: None
        self._lock = Lock()
        self.urls = {}
        for name in TIERS:
            server = stack.enter_context(Upstream())
            server.always(lambda _, name=name: self._answer(name))
            self.urls[name] = server.url

    def _answer(self, name: str) -> Script:
        with self._lock:
            self.asked.append(name)
            self.left[name] -= 1
            refuses = self.left[name] < 0
            self.refused += refuses
            self.hear(len(self.asked))
        if refuses:
            return Script(429, b'{"error": {"message": "the free tier is used up", "code": "rate_limit_exceeded"}}')
        return Script(body=json.dumps(completion(name, model=f"model-{name}")).encode())

    def new_day(self) -> None:
        self.left = dict(TIERS)

    def config(self, storage: dict[str, Any]) -> dict[str, Any]:
        return {
            "providers": {
                name: {
                    "connector": "openai.llm.v1",
                    "api_key": f"sk-test-{name}",
                    "base_url": self.urls[name],
                    "models": [f"model-{name}"],
                    "quota": {"requests_per_day": most},
                }
                for name, most in TIERS.items()
            },
            "pools": {"chat-completion": {}},
            "storage": {**storage, "sync_policy": "immediate"},
        }


def in_order(count: int = ALL) -> list[str]:
    return [name for name, most in TIERS.items() for _ in range(most)][:count]


def ask(mesh: ModelMesh) -> str:
    reply = mesh.client.chat.completions.create(model="chat-completion", messages=[{"role": "user", "content": "Hello!"}])
    return str(reply.content)


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    with ExitStack() as stack:
        yield Vendors(stack)


@pytest.fixture(params=STORES)
def config(request: pytest.FixtureRequest, vendors: Vendors, tmp_path: Path) -> dict[str, Any]:
    return vendors.config(STORES[request.param](tmp_path))


def test_free_tiers_exhausted_reset_the_next_day(config: dict[str, Any], vendors: Vendors) -> None:
    clock = VirtualClock()
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, wall=lambda: MORNING)
    mesh.initialize(config)
    with mesh:
        assert [ask(mesh) for _ in range(ALL)] == vendors.asked == in_order()
        with pytest.raises(ModelMeshError, match="requests a day"):
            ask(mesh)
        assert (len(vendors.asked), vendors.refused) == (ALL, 0)
        clock.advance(DAY)
        vendors.new_day()
        assert [ask(mesh) for _ in range(ALL)] == in_order()
        assert (len(vendors.asked), vendors.refused) == (2 * ALL, 0)


def test_free_tiers_restart_the_next_day_resets(config: dict[str, Any], vendors: Vendors) -> None:
    for day in range(2):
        clock = VirtualClock()
        mesh = ModelMesh(clock=clock, sleep=clock.sleep, wall=lambda day=day: MORNING + day * DAY)
        mesh.initialize(config)
        vendors.new_day()
        with mesh:
            assert [ask(mesh) for _ in range(30)] == in_order(30)
    assert vendors.refused == 0


PROGRAM = """
import json, os, sys
from modelmesh import ModelMesh
from modelmesh.errors import ModelMeshError

mesh = ModelMesh(wall=lambda: float(sys.argv[1]))
mesh.initialize(json.load(sys.stdin))
while True:
    try:
        reply = mesh.client.chat.completions.create(model="chat-completion", messages=[{"role": "user", "content": "Hello!"}])
    except ModelMeshError as error:
        os.write(1, f"end {type(error).__name__}\\n".encode())  # a whole line or none, whenever it is killed
        break
    os.write(1, f"answer {reply.content}\\n".encode())
mesh.shutdown()
"""


class Program:
    """A process that sends requests until every quota is exhausted."""

    def __init__(self, config: dict[str, Any]) -> None:
        command = [sys.executable, "-c", PROGRAM, str(MORNING)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(config).encode())
        self.process.stdin.close()
        self.process.stdin = None

    def answers(self) -> list[str]:
        """Wait for the end of the process and return the printed names."""
        out, err = self.process.communicate(timeout=120)
        self.err = err.decode()
        lines = [line.split() for line in out.decode().splitlines()]
        self.end = [words[1] for words in lines if words[0] == "end"]
        return [words[1] for words in lines if words[0] == "answer"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("moment", ["while it waits for the answer", "after the answer"])
def test_free_tiers_killed_process_keeps_its_counts(config: dict[str, Any], vendors: Vendors, moment: str) -> None:
    """At most the request in flight at the kill is counted without an answer, and no vendor has to refuse."""
    number = random.Random(moment).randrange(1, ALL - 1)
    first = Program(config)

    def kill(heard: int) -> None:
        if heard == number + (moment == "after the answer"):  # the process has received the answer and sends the next request
            os.kill(first.process.pid, signal.SIGKILL)
            first.process.wait()

    vendors.hear = kill
    before = first.answers()
    heard = len(vendors.asked)
    assert first.process.returncode == -signal.SIGKILL, first.err
    assert heard == number + (moment == "after the answer")
    assert before == vendors.asked[: heard - 1] == in_order(heard - 1), f"killed at {number}"
    second = Program(config)
    after = second.answers()
    assert second.process.returncode == 0, second.err
    assert second.end, "it ended because nothing was left"
    assert (before + vendors.asked[heard - 1 : heard] + after) == vendors.asked == in_order(), f"killed at {number}"
    assert len(before) + len(after) == ALL - 1, "all but the one under way"
    assert vendors.refused == 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_free_tiers_kill_at_any_moment_keeps_counts(config: dict[str, Any], vendors: Vendors) -> None:
    """At any moment of the kill, at most one request is counted without an answer."""
    rng = random.Random(8)
    number, delay = rng.randrange(1, ALL - 60), rng.uniform(0, 0.05)
    first = Program(config)
    told = f"killed {delay:.4f} s after request {number}"

    from threading import Timer

    timer = Timer(delay, lambda: os.kill(first.process.pid, signal.SIGKILL))
    vendors.hear = lambda heard: timer.start() if heard == number else None
    before = first.answers()
    timer.join()
    assert first.process.returncode == -signal.SIGKILL, first.err
    heard = len(vendors.asked)
    assert heard - 1 <= len(before) <= heard, told
    second = Program(config)
    after = second.answers()
    assert second.process.returncode == 0, second.err
    assert before + after in (_without(vendors.asked, None), _without(vendors.asked, len(before))), told
    assert vendors.asked == sorted(vendors.asked), f"in order; {told}"
    assert ALL - 1 <= len(vendors.asked) <= ALL, f"one may have been reserved and not sent; {told}"
    assert ALL - 1 <= len(before) + len(after) <= ALL, told
    assert vendors.refused == 0, told


def _without(names: list[str], place: int | None) -> list[str]:
    return [name for n, name in enumerate(names) if n != place]

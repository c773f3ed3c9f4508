"""Budgets and quotas that processes share in one Redis: the overshoot, and exact counts through outages.

By default a small size runs. ``MODELMESH_TEST_FULL=1`` runs eight processes with 2,000 requests each and outages of ten
seconds, and ``pytest -s`` prints the measurements.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

WORKER = Path(__file__).with_name("worker.py")
FULL = bool(os.environ.get("MODELMESH_TEST_FULL"))
PROCESSES, REQUESTS, OUTAGE_S = (8, 2000, 10.0) if FULL else (4, 150, 1.0)
NANO = 10**9
HIGHEST_COST = 70 * 3_000
"""Nano-dollars of the most expensive answer, see worker.py."""
FIRST_ESTIMATE = 300 * 3_000
"""Largest reservation in nano-dollars for a request before the first answer."""


class Workers:
    def __init__(self, folder: Path, storage: dict[str, Any], **settings: Any) -> None:
        self._files = [folder / f"{seed}.json" for seed in range(PROCESSES)]
        self.all = [
            subprocess.Popen(
                [sys.executable, str(WORKER), json.dumps({"storage": storage, "seed": seed, "result": str(file), **settings})],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for seed, file in enumerate(self._files)
        ]  # fmt: skip

    def wait_until_ready(self) -> None:
        for one in self.all:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n", one.communicate()[1]

    def results(self, *, end: bool = False) -> list[dict[str, Any]]:
        if end:
            for one in self.all:
                assert one.stdin is not None
                one.stdin.close()
                one.stdin = None
        for one in self.all:
            one.wait(280)  # its input stays open: closing it ends the worker early
            _, err = one.communicate()
            assert one.returncode == 0, err
        return [json.loads(file.read_text()) for file in self._files]

    def end(self) -> None:
        for one in self.all:
            one.kill()
            one.communicate()


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[..., Workers]]:
    made: list[Workers] = []

    def making(*arguments: Any, **settings: Any) -> Workers:
        made.append(Workers(tmp_path, *arguments, **settings))
        return made[-1]

    yield making
    for workers in made:
        workers.end()


def monthly(limit: float) -> dict[str, Any]:
    return {"budget": {"monthly_limit": limit}}


def counted(server: Any, what: str = "cost") -> int:
    client = server.client()
    total = sum(int(client.get(name)) for name in client.scan_iter(match=f"modelmesh:~counter/*:{what}:*", count=1000))
    client.close()
    return total


def print_summary(name: str, results: list[dict[str, Any]], **more: Any) -> None:
    sums = {key: sum(one[key] for one in results) for key in ("answered", "refused", "spent")}
    longest = max(one["longest"] for one in results)
    took = max(one["took"] for one in results)
    print(f"\n{name}: {len(results)} processes, {sums}, longest request {longest * 1000:.1f} ms, {took:.1f} s, {more}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("threads", [1, 4])
def test_budget_overshoot_is_at_most_one_request_per_thread(
    start: Callable[..., Any], work: Callable[..., Workers], threads: int
) -> None:
    server = start()
    limit = 1.0 * PROCESSES * REQUESTS / 16000
    workers = work({"port": server.port, "timeout": "30s"}, limits=monthly(limit), requests=REQUESTS // threads, threads=threads)
    workers.wait_until_ready()
    results = workers.results()
    spent, together = sum(one["spent"] for one in results), PROCESSES * threads
    print_summary(f"budget of ${limit}, {threads} threads", results, over=spent - round(limit * NANO))
    assert [one["failures"] for one in results] == [[]] * PROCESSES
    assert [one["waiting"] for one in results] == [0] * PROCESSES
    assert sum(one["refused"] for one in results) > 0
    assert counted(server) == spent, "to the nano-dollar"
    assert spent <= round(limit * NANO) + together * HIGHEST_COST
    assert spent >= round(limit * NANO) - together * FIRST_ESTIMATE


@pytest.mark.timeout(300)
@pytest.mark.parametrize("quota", [{"requests_per_hour": 60}, {"request_limit": 60, "reset_schedule": "rolling"}])
def test_sliding_window_is_shared_by_processes(
    start: Callable[..., Any], work: Callable[..., Workers], quota: dict[str, Any]
) -> None:
    server = start()
    workers = work({"port": server.port, "timeout": "30s"}, limits={"quota": quota}, requests=100, threads=2)
    workers.wait_until_ready()
    results = workers.results()
    print_summary(f"{quota}", results)
    assert [one["failures"] for one in results] == [[]] * PROCESSES
    assert sum(one["answered"] for one in results) == counted(server, "requests") == 60


@pytest.mark.timeout(300)
@pytest.mark.parametrize("outage", ["frozen", "restarted"])
def test_outage_fails_no_request_and_keeps_counts_exact(
    start: Callable[..., Any], work: Callable[..., Workers], outage: str
) -> None:
    server = start("--appendonly", "yes", "--appendfsync", "always")
    workers = work({"port": server.port}, limits=monthly(10_000.0), requests=10**9, takes=0.002, threads=2)
    workers.wait_until_ready()
    while counted(server) < PROCESSES * HIGHEST_COST:  # every worker sends requests
        time.sleep(0.05)
    if outage == "frozen":
        server.freeze()
    else:
        server.process.terminate()
        server.process.wait()
    time.sleep(OUTAGE_S)
    server.thaw() if outage == "frozen" else server.start()
    before = counted(server)
    while counted(server) == before:
        time.sleep(0.05)
    results = workers.results(end=True)
    print_summary(f"{outage} for {OUTAGE_S} s", results)
    assert [one["failures"] for one in results] == [[]] * PROCESSES
    assert [one["refused"] for one in results] == [0] * PROCESSES
    assert counted(server) == sum(one["spent"] for one in results), "to the nano-dollar"

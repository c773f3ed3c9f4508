"""``--workers N``: one port, replacement of a killed worker, and no orphan."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from proxy_process import proxy
from slow_vendor import SlowVendor
from waiting import wait_for

from modelmesh.errors import ModelMeshError
from modelmesh_proxy.server.options import ServeOptions
from modelmesh_proxy.server.worker_processes import serve_workers

CHAT = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]}
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with SlowVendor() as vendor:
        (tmp_path / "modelmesh.json").write_text(json.dumps(vendor.config(proxy={"workers": 2})))
        yield tmp_path


def _children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_killed_worker_is_replaced_while_the_other_serves(folder: Path) -> None:
    with proxy(folder) as one:
        assert "workers: 2" in one.text()
        supervisor = one.process.pid
        before = wait_for(lambda: len(found := _children(supervisor)) == 2 and found)
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: victim not in _children(supervisor))
        assert {one.post("/v1/chat/completions", CHAT)[0] for _ in range(20)} == {200}
        one.wait_for_log("worker [12] was ended by SIGKILL and is started again")
        after = wait_for(lambda: len(found := _children(supervisor)) == 2 and found)
        counted = b'http_requests_total{method="POST",route="/v1/chat/completions",status="200"} 20.0'
        wait_for(lambda: all(line in one.get("/metrics")[1] for line in (counted, b"modelmesh_workers 2.0")))
        one.send(signal.SIGHUP)
        one.wait_for_log("configuration applied")
        wait_for(lambda: b'config_reloads_total{result="ok"} 2.0' in one.get("/metrics")[1])
        assert one.stop() == 0
        assert not any(map(_runs, before | after))
        assert "Traceback" not in one.text()


def test_workers_end_when_the_supervisor_is_killed(folder: Path) -> None:
    with proxy(folder) as one:
        workers = wait_for(lambda: len(found := _children(one.process.pid)) == 2 and found)
        one.process.kill()
        one.process.wait()
        wait_for(lambda: not any(map(_runs, workers)))
        assert "Traceback" not in one.text()


def test_a_system_without_fork_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(ModelMeshError, match="--workers needs fork"):
        serve_workers(ServeOptions(), {}, 2)

"""File sink: a program needs no call for its last record, and a slow or broken disk does not affect a request."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from modelmesh_observability_file import FileObservability

import modelmesh
from modelmesh.contracts.observability import RoutingEvent
from modelmesh_cdk.testing import InProcessAccount

WAIT_S = 30.0
HEAD = """
import os, sys, signal, threading, atexit
import modelmesh
from modelmesh_cdk.testing import InProcessAccount

def client(path, **more):
    return modelmesh.create(config={
        "providers": {"a": {"instance": InProcessAccount("model-a")}},
        "pools": {"chat-completion": {}},
        "observability": {"connector": "modelmesh.file.v1", "path": path, **more},
    })

def ask(client, times=1):
    for _ in range(times):
        client.chat.completions.create(model="chat-completion", messages=[])
"""


def run(script: str, path: Path) -> subprocess.CompletedProcess[str]:
    code = f"{HEAD}\npath = {str(path)!r}\n{script}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)  # noqa: PLW1510


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mesh.log"


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("raise ValueError('not handled')", 1),
        ("sys.exit(3)", 3),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(4)); signal.raise_signal(signal.SIGTERM)", 4),
        ("raise KeyboardInterrupt", None),
    ],
)
def test_script_without_close_leaves_every_record(path: Path, end: str, status: int | None) -> None:
    done = run(f"mesh = client(path)\nask(mesh, 50)\n{end}", path)
    assert len(records(path)) == 50
    assert status is None or done.returncode == status, done.stderr


def test_buffered_lines_are_written_at_exit(path: Path) -> None:
    done = run("mesh = client(path, flush_each_line=False)\nask(mesh, 5)", path)
    assert (len(records(path)), done.stderr) == (5, "")


def test_client_that_was_collected_leaves_every_record(path: Path) -> None:
    done = run("import gc\nmesh = client(path)\nask(mesh, 50)\ndel mesh\ngc.collect()", path)
    assert (len(records(path)), done.returncode) == (50, 0), done.stderr


def test_records_of_exit_handlers_and_other_threads_are_written(path: Path) -> None:
    script = """
mesh = client(path)
atexit.register(ask, mesh, 3)
ask(mesh)
main = threading.main_thread()
def later():
    main.join()
    ask(mesh, 5)
threading.Thread(target=later).start()
"""
    done = run(script, path)
    assert (len(records(path)), done.stderr) == (9, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("flush", [True, False])
def test_forked_child_repeats_no_record_and_loses_none(path: Path, flush: bool) -> None:
    script = f"""
mesh = client(path, flush_each_line={flush})
ask(mesh, 20)
for number in range(5):
    pid = os.fork()
    if not pid:
        ask(mesh, 4)
        mesh.close()
        sys.exit(0)
    ask(mesh, 2)
    assert os.waitpid(pid, 0)[1] == 0
"""
    done = run(script, path)
    ids = [record["request_id"] for record in records(path)]
    assert (len(ids), len(set(ids)), done.returncode) == (50, 50, 0), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_process_forks_without_the_thread_of_the_sink(path: Path) -> None:
    script = """
counts = []
os.register_at_fork(before=lambda: counts.append(threading.active_count()))
mesh = client(path)
ask(mesh)
assert threading.active_count() == 2
if os.fork() == 0:
    sys.exit()
os.wait()
assert counts == [1], counts
ask(mesh)
"""
    done = run(script, path)
    assert (len(records(path)), done.returncode) == (2, 0), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_process_of_multiprocessing_leaves_its_records_without_close(path: Path) -> None:
    script = """
import multiprocessing
mesh = client(path)
ask(mesh, 5)
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=ask, args=(mesh, 10)) for _ in range(3)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
"""
    done = run(script, path)
    ids = [record["request_id"] for record in records(path)]
    assert (len(ids), len(set(ids)), done.returncode) == (35, 35, 0), done.stderr


def client_of(sink: Any) -> Any:
    providers = {"a": {"instance": InProcessAccount("model-a")}}
    return modelmesh.create(
        config={"providers": providers, "pools": {"chat-completion": {}}, "observability": {"instance": sink}}
    )


class Gated(FileObservability):
    """File sink whose disk does not respond before the gate is open."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.gate = Event()

    def _write(self, line: str) -> None:
        assert self.gate.wait(WAIT_S)
        super()._write(line)


def test_call_does_not_wait_for_the_disk(path: Path) -> None:
    sink = Gated({"path": str(path)})
    with client_of(sink) as client:
        for _ in range(10):
            client.chat.completions.create(model="chat-completion", messages=[])
        assert not path.exists()
        sink.gate.set()
    assert len(records(path)) == 10


def test_call_of_a_task_does_not_wait_for_the_disk(path: Path) -> None:
    sink = Gated({"path": str(path)})
    providers = {"a": {"instance": InProcessAccount("model-a")}}
    config = {"providers": providers, "pools": {"chat-completion": {}}, "observability": {"instance": sink}}

    async def ask() -> None:
        async with modelmesh.create_async(config=config) as client:
            await asyncio.gather(*(client.chat.completions.create(model="chat-completion", messages=[]) for _ in range(10)))
            assert sink._file is None
            sink.gate.set()

    asyncio.run(ask())
    assert len(records(path)) == 10


def test_lines_of_a_full_disk_are_counted_and_later_ones_written(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Full(FileObservability):
        full = True

        def _write(self, line: str) -> None:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            super()._write(line)

    sink = Full({"path": str(path)})
    with client_of(sink) as client:
        for _ in range(3):
            client.chat.completions.create(model="chat-completion", messages=[])
        assert sink.drain(WAIT_S)
        sink.full = False
        client.chat.completions.create(model="chat-completion", messages=[])
    assert len(records(path)) == 1
    assert client.mesh.sink_failures == {"modelmesh.file.v1": 3}
    assert caplog.text.count("further failures are only counted") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_device_without_space_fails_no_request(caplog: pytest.LogCaptureFixture) -> None:
    with client_of(FileObservability({"path": "/dev/full"})) as client:
        for _ in range(3):
            client.chat.completions.create(model="chat-completion", messages=[])
    assert client.mesh.sink_failures["modelmesh.file.v1"] >= 1
    assert caplog.text.count("No space left on device; further failures are only counted") == 1


def test_closed_client_leaves_no_thread(path: Path) -> None:
    with client_of(FileObservability({"path": str(path)})) as client:
        client.chat.completions.create(model="chat-completion", messages=[])
    assert not [thread for thread in threading.enumerate() if thread.name == "modelmesh-modelmesh.file.v1"]


def test_threads_of_two_sinks_write_to_one_path(path: Path) -> None:
    sinks = [FileObservability({"path": str(path)}) for _ in range(2)]
    for number in range(100):
        for sink in sinks:
            sink.emit(RoutingEvent("model_rotated", 0.0, metadata={"n": number}))
    for sink in sinks:
        sink.close()
    assert sorted(record["metadata"]["n"] for record in records(path)) == sorted([*range(100)] * 2)

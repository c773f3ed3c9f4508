"""Disk faults (full, read-only, missing folder, corrupt files): every request is served, and an event is published."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh._engine.state import peer_exchange
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.testing import VirtualClock

STORES = {
    "local-file": ("modelmesh.local-file.v1", "mesh-state.json"),
    "folder": ("modelmesh.local-file.v1", "state"),
    "sqlite": ("modelmesh.sqlite.v1", "mesh-state.db"),
}
DAILY = 1000
COUNT = "provider:v:requests:day"


class Vendor:
    """A provider in process that answers."""

    id = "test.vendor.v1"

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m", capabilities=("generation.text-generation.chat-completion",))]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
        return Answer({"id": "test", "object": "chat.completion", "created": 1, "choices": [choice]})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        return self.send(call, model, limits)


class Sink:
    """Records the storage events."""

    id = "test.sink.v1"

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.storage_failed, self.storage_recovered = Event(), Event()

    def emit(self, event: Any) -> None:
        if event.event_type.startswith("storage_"):
            self.heard.append((event.event_type, event.metadata))
            getattr(self, event.event_type).set()

    def types(self) -> list[str]:
        return [kind for kind, _ in self.heard]

    def log(self, entry: Any) -> None: ...

    def flush(self, stats: Any) -> None: ...

    def trace(self, entry: Any) -> None: ...


class Run:
    """A mesh with state in one of the stores."""

    def __init__(self, store: str, folder: Path) -> None:
        connector, name = STORES[store]
        self.clock, self.sink = VirtualClock(), Sink()
        self.mesh = ModelMesh(clock=self.clock, sleep=self.clock.sleep)
        self.mesh.initialize(
            {
                "providers": {"v": {"instance": Vendor(), "quota": {"requests_per_day": DAILY}}},
                "pools": {"chat": {"capability": "chat-completion"}},
                "storage": {"connector": connector, "path": str(folder / name), "sync_policy": "immediate"},
                "observability": {"instance": self.sink},
            }
        )

    def ask(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.mesh.client.chat.completions.create(model="chat", messages=[]).content == "yes"

    def counted(self) -> int:
        (counter,) = self.mesh._core.reservations.counters_of(self.mesh.list_models()[0].account)
        return counter.used


@pytest.fixture(autouse=True)
def _no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no exchange with other processes, whose files would take and free space while a test fills the disk."""
    monkeypatch.setattr(peer_exchange, "INTERVAL_S", 3600.0)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(store: str) -> Iterator[Callable[[Path], Run]]:
    made: list[Run] = []

    def running(folder: Path) -> Run:
        made.append(Run(store, folder))
        return made[-1]

    yield running
    for one in made:
        one.mesh.shutdown()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    mount, folder = shutil.which("mount"), tmp_path / "disk"
    folder.mkdir()
    if mount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    command = [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with pytest.raises(OSError, match="No space"):
        with filler.open("ab", buffering=0) as file:
            while True:
                file.write(b"x" * 512)
    return filler


def test_full_disk_recovers_when_space_is_freed(disk: Path, run: Callable[[Path], Run]) -> None:
    first = run(disk)
    first.ask(3)
    asked = 3
    while not first.sink.storage_failed.wait(0.5):  # another thread publishes the event
        filler = fill(disk)  # again if a save that ran meanwhile has removed its temporary file
        first.ask(2)
        asked += 2
        assert asked < 100
    first.ask(40)
    assert first.sink.types() == ["storage_failed"], "one event, not one for each request"
    said = str(first.sink.heard[0][1])
    assert "No space left" in said or "full" in said
    assert "df -h" in said
    filler.unlink()
    first.clock.advance(2)
    first.ask()
    assert first.sink.storage_recovered.wait(10)
    assert first.sink.types() == ["storage_failed", "storage_recovered"]
    first.mesh.shutdown()
    second = run(disk)
    assert (second.counted(), second.sink.types()) == (asked + 41, [])


def test_read_only_disk_fails_no_request(disk: Path, run: Callable[[Path], Run]) -> None:
    first = run(disk)
    first.ask(3)
    first.mesh.shutdown()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    second = run(disk)
    second.ask(5)
    assert second.sink.storage_failed.wait(10)
    assert "Read-only file system" in str(second.sink.heard[0][1])
    second.mesh.shutdown()
    assert second.sink.types() == ["storage_failed"]
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    assert run(disk).counted() == 3


def test_path_that_is_not_a_folder_fails_no_request(run: Callable[[Path], Run], tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("no folder")
    mesh = run(tmp_path / "file")
    mesh.ask(5)
    mesh.mesh.shutdown()
    assert mesh.sink.types() == ["storage_failed"]
    assert "storage.path" in str(mesh.sink.heard[0][1])


def test_invalid_state_is_kept_aside(run: Callable[[Path], Run], store: str, tmp_path: Path) -> None:
    first = run(tmp_path)
    first.ask(3)
    first.mesh.shutdown()
    place = tmp_path / STORES[store][1]
    files = [place] if place.is_file() else sorted(place.glob("*.json"))
    for file in files:
        for each in (file, file.with_name(f"{file.name}.bak")):
            if each.exists():
                each.write_bytes(b"rubbish, and more of it than there was\n" * 1000)
    second = run(tmp_path)
    second.ask()
    assert second.counted() == 1
    assert set(second.sink.types()) == {"storage_failed"}
    assert all("corrupt-1" in facts["kept"] for _, facts in second.sink.heard)
    for file in files:
        assert file.with_name(f"{file.name}.corrupt-1").read_bytes().startswith(b"rubbish")
    second.mesh.shutdown()
    assert run(tmp_path).counted() == 1


LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_disk import Run

run = Run(sys.argv[1], Path(sys.argv[2]))
run.ask(3)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
run.ask(40)
run.sink.storage_failed.wait(10)
print(*run.sink.types())
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
run.clock.advance(2)
run.ask()
run.mesh.shutdown()
print(*run.sink.types(), Run(sys.argv[1], Path(sys.argv[2])).counted())
"""


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
def test_file_size_limit_fails_no_request(store: str, tmp_path: Path) -> None:
    command = [sys.executable, "-B", "-c", LIMITED, store, tmp_path, Path(__file__).parent]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["storage_failed", "storage_failed storage_recovered 44"], done.stdout + done.stderr
    assert "Traceback" not in done.stderr

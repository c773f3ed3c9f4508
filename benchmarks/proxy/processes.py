"""Processes of a run: the vendor, the load and one gateway, with their CPU time and memory. Linux only."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
START_S = 180
_PROCESS_CLOCK = 2
"""Kind of the clock in the lowest bits of its ID, with the inverted process ID above them: clock_getcpuclockid(3)."""


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def pin(pid: int, core: int | None) -> None:
    """Restrict a process to one core. All of its later threads and children inherit it."""
    if core is not None:
        os.sched_setaffinity(pid, {core})


def family(pid: int) -> list[int]:
    """Return a process and all of its descendants."""
    found, left = [], [pid]
    while left:
        one = left.pop()
        found.append(one)
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                left += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """Return user and system seconds of a process and its descendants, from the CPU clock of each process."""
    total = 0.0
    for one in family(pid):
        with suppress(OSError):
            total += time.clock_gettime((~one << 3) | _PROCESS_CLOCK)
    return total


def resident_mib(pid: int) -> float:
    """Return the proportional memory of a process and its descendants: shared pages count once."""
    total = 0
    for one in family(pid):
        with suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


class Loader:
    """The process that sends requests."""

    def __init__(self, core: int | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "load.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        pin(self._process.pid, core)

    def send(self, **order: Any) -> dict[str, Any]:
        """Carry out one order and return its reply."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        return reply

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()


@contextmanager
def vendor(core: int | None) -> Iterator[int]:
    """Run the vendor and yield its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(HERE / "vendor.py"), str(port)], stdout=subprocess.PIPE, text=True)
    pin(process.pid, core)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield port
    finally:
        process.terminate()
        process.wait()


def start(command: list[str], environment: dict[str, str], log: Path, core: int | None) -> subprocess.Popen[bytes]:
    """Start a gateway in a group of processes of its own."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True, cwd=log.parent)
    pin(process.pid, core)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a gateway with all of its processes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], limit: float = START_S) -> bool:
    """Wait until a port accepts connections. Return whether it does."""
    until = time.monotonic() + limit
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.005)
    return False

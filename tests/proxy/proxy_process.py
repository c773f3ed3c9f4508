"""Proxies as processes, for the tests of signals, workers and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LIMIT_S = 60.0
"""Generous limit of every wait."""


class ProxyProcess:
    """One ``modelmesh serve``.

    Attributes:
        process: The process.
        port: Port that it listens on.
    """

    def __init__(self, directory: Path, *arguments: str, module: str = "modelmesh.proxy", **environment: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.log = directory / f"proxy-{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, "--port", "0", *arguments],
                cwd=directory,
                env={**kept, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        found = self.wait_for_log(r"serves https?://[^ ]*:(\d+)/v1")
        self.port = int(found[1])

    def get(self, path: str) -> tuple[int, bytes]:
        return get(f"http://127.0.0.1:{self.port}{path}")

    def json(self, path: str) -> Any:
        return json.loads(self.get(path)[1])

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, bytes]:
        return post(f"http://127.0.0.1:{self.port}{path}", body, **headers)

    def text(self) -> str:
        return self.log.read_text()

    def wait_for_log(self, pattern: str) -> re.Match[str]:
        def found() -> re.Match[str] | None:
            match = re.search(pattern, self.text())
            assert match or self.process.poll() is None, f"ended with {self.process.returncode}: {self.text()}"
            return match

        return wait_for(found)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


@contextmanager
def proxy(directory: Path, *arguments: str, **options: str) -> Iterator[ProxyProcess]:
    running = ProxyProcess(directory, *arguments, **options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def get(url: str) -> tuple[int, bytes]:
    return _send(urllib.request.Request(url))


def post(url: str, body: Any, **headers: str) -> tuple[int, bytes]:
    return _send(urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json", **headers}))


def _send(request: urllib.request.Request) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def wait_for(what: Callable[[], Any]) -> Any:
    """Return the first true value of a function."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(0.02)
    message = "the condition was not met in time"
    raise AssertionError(message)

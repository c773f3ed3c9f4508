"""Proxies as processes, for the tests of signals, workers and exit codes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from http_calls import send
from waiting import LIMIT_S, wait_for


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
        reply = send("GET", f"http://127.0.0.1:{self.port}{path}")
        return reply.status, reply.body

    def json(self, path: str) -> Any:
        return send("GET", f"http://127.0.0.1:{self.port}{path}").data

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, bytes]:
        reply = send("POST", f"http://127.0.0.1:{self.port}{path}", body, **headers)
        return reply.status, reply.body

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

"""Measurement of one gateway: CPU for a request and for a chunk, time to the first byte, memory and start."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy import processes, vendor
from proxy.contenders import Contender, environment_of

TEXT = "Please answer the question about the quick brown fox in a few sentences. " * 3


@dataclass(frozen=True)
class Turn:
    """How much a turn sends.

    Attributes:
        plain: Plain requests.
        streams: Streams of each kind.
        first: Streams of one caller for the first byte.
    """

    plain: int = 3000
    streams: int = 32
    first: int = 40


FULL, QUICK = Turn(), Turn(100, 4, 4)


class Running:
    """A gateway that runs."""

    def __init__(self, contender: Contender, program: str, folder: Path, vendor_port: int, core: int | None) -> None:
        """Start it and wait for its first answer.

        Raises:
            RuntimeError: It does not answer.
        """
        self.contender, self._vendor, self.port = contender, vendor_port, processes.free_port()
        command = contender.command(program, folder, self.port, vendor_port)
        environment = environment_of(contender, folder, self.port, vendor_port)
        began = time.monotonic()
        log = folder / f"{contender.name}.log"
        self.process = processes.start(command, environment, log, core)
        self.started_s = 0.0
        if not processes.wait_for(self.port, self.process):
            processes.stop(self.process)
            lines = log.read_text("utf-8", "replace").split("\n")
            message = f"{contender.name} does not accept connections: {lines[-2] if len(lines) > 1 else lines[-1]}"
            raise RuntimeError(message)
        self.accepted_s = time.monotonic() - began

    def wait_until_ready(self, load: processes.Loader, limit: float = 60) -> None:
        """Send requests until one is answered.

        Raises:
            RuntimeError: None is.
        """
        until = time.monotonic() + limit
        while time.monotonic() < until:
            if self.send(load, 1, 1, "plain")["answered"]:
                return
            time.sleep(0.2)
        message = f"{self.contender.name} answers no request"
        raise RuntimeError(message)

    def send(self, load: processes.Loader, connections: int, requests: int, kind: str, **more: Any) -> dict[str, Any]:
        """Send requests of one kind and return the reply of the load with the CPU seconds of the gateway."""
        body: dict[str, Any] = {"model": self.contender.model, "messages": [{"role": "user", "content": f"{TEXT} {kind}"}]}
        if kind in ("unmerged", "burst", "short", "broken"):
            body["stream"] = True
        before = processes.cpu_seconds(self.process.pid)
        reply = load.send(
            port=self.port,
            path="/v1/chat/completions",
            headers=self.contender.headers(self._vendor),
            body=body,
            connections=connections,
            requests=requests,
            **more,
        )
        reply["cpu"] = processes.cpu_seconds(self.process.pid) - before
        return reply

    def turn(self, load: processes.Loader, turn: Turn) -> dict[str, float]:
        """Measure every figure once."""
        plain = turn.plain // 10 if self.contender.slow else turn.plain
        found = {
            "plain": self._each(load, 32, plain, "plain"),
            "many": self._each(load, 128, plain, "plain"),
        }
        if self.contender.streams:
            streams = min(turn.streams, 16) if self.contender.slow else turn.streams
            found["unmerged"] = self._each(load, 16, streams, "unmerged") / vendor.UNMERGED
            found["burst"] = self._each(load, 8, streams, "burst") / vendor.BURST
            found["first"] = self.send(load, 1, turn.first, "short")["first_ms"] / 1000
        found["memory"] = processes.resident_mib(self.process.pid)
        found["start"] = self.accepted_s
        return found

    def _each(self, load: processes.Loader, connections: int, requests: int, kind: str) -> float:
        """Return CPU seconds for one answered request.

        Raises:
            RuntimeError: More than one request of a hundred failed.
        """
        reply = self.send(load, connections, requests, kind)
        if reply["answered"] < requests * 0.99:
            message = f"{self.contender.name}: {reply['failed']} of {requests} requests of the kind {kind} failed"
            raise RuntimeError(message)
        return float(reply["cpu"]) / int(reply["answered"])

    def close(self) -> None:
        """Stop it."""
        processes.stop(self.process)


def cores() -> tuple[int | None, int | None]:
    """Return the core of the gateway and that of the vendor and the load."""
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[-1]) if len(available) > 1 else (None, None)

"""A process that measures subjects: it reads one JSON request a line from stdin and answers with one JSON line.

Another interpreter may run this file. It therefore imports the standard library only, and a subject's module when the subject
is first used. Requests: ``{"prepare": "raw_httpx2.call", "turn": 0.2}`` answers ``{"times": N}`` or ``{"missing": "why"}``, and
``{"run": "raw_httpx2.call", "times": N}`` answers with the figures of one unit of work.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

from subjects.setting import Runner, Setting

MAX_TIMES = 100_000
LONG_S = 3.0
"""A subject with a longer first run is not warmed up further."""


def measure(runner: Runner, times: int) -> dict[str, float]:
    """Return seconds of CPU of the process and of this thread, and of wall time, of one unit of work."""
    gc.collect()
    cpu, thread, wall = time.process_time(), time.thread_time(), time.perf_counter()
    found = runner(times)
    cpu, thread, wall = time.process_time() - cpu, time.thread_time() - thread, time.perf_counter() - wall
    if isinstance(found, dict):
        return found
    return {"cpu": cpu / found, "thread": thread / found, "wall": wall / found}


def times_of(runner: Runner, turn: float) -> int:
    """Warm the subject up, and return how often it fits into a turn of so many CPU seconds."""
    began = time.perf_counter()
    if isinstance(runner(1), dict) or time.perf_counter() - began > LONG_S:
        return 1
    times = 1
    while True:
        cpu = time.process_time()
        runner(times)
        took = time.process_time() - cpu
        if took >= turn / 2 or times >= MAX_TIMES:
            return max(1, min(MAX_TIMES, round(times * turn / max(took, 1e-9))))
        times *= 2


class Worker:
    """Answers requests."""

    def __init__(self, url: str) -> None:
        self._setting = Setting(url)
        self._runners: dict[str, Runner] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "run" in request:
            return measure(self._runners[request["run"]], request["times"])
        try:
            runner = self._runner(request["prepare"])
        except ImportError as error:
            return {"missing": str(error)}
        return {"times": times_of(runner, request["turn"])}

    def _runner(self, subject: str) -> Runner:
        module, name, *parameters = subject.split(".")
        runner = getattr(importlib.import_module(f"subjects.{module}"), name)(self._setting, *parameters)
        return self._runners.setdefault(subject, runner)


def main() -> None:
    """Answer the requests of stdin until it ends."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url", help="address of the upstream server")
    parser.add_argument("--without", nargs="*", default=[], metavar="MODULE", help="modules that cannot be imported")
    arguments = parser.parse_args()
    for name in arguments.without:
        sys.modules[name] = None  # type: ignore[assignment]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library may print, and stdout has answers only
    worker = Worker(arguments.url)
    for line in sys.stdin:
        try:
            found = worker.answer(json.loads(line))
        except Exception:  # noqa: BLE001 - the parent prints it
            found = {"error": traceback.format_exc()}
        print(json.dumps(found), file=answers, flush=True)
    os._exit(0)  # clients of subjects stay open, and their threads need not end first


if __name__ == "__main__":
    main()

"""The worker processes of one group, started when first needed.

A subject is named ``module.function`` (of ``subjects/``), or ``module.function.parameter``, or ``process:module.function``.
Subjects with the same process name share a process, and those without a process name share the default one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

WORKER = Path(__file__).with_name("worker.py")
EXTRA_FAST = ("msgspec", "httptools")
"""The packages of the kit's extra ``fast``."""

PLAIN, LITELLM = "plain", "litellm"
"""Names of processes: one without the extra ``fast``, and one with litellm's interpreter."""


@dataclass(frozen=True)
class Environment:
    """The same for all workers of a run.

    Attributes:
        url: Address of the upstream server.
        folder: Folder of temporary files.
        litellm: Interpreter of an environment with litellm, or ``None``.
    """

    url: str
    folder: str
    litellm: str | None = None


class MissingError(Exception):
    """A subject cannot be measured, because its package is not installed."""


class Workers:
    """Processes by name. Leaving the context ends them."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._processes: dict[str, _Process] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes.values():
            process.close()

    def prepare(self, subject: str, turn: float) -> int:
        """Warm a subject up and return how often it fits into a turn of so many CPU seconds.

        Raises:
            MissingError: Its package is not installed.
        """
        process, name = self._find(subject)
        return int(process.ask({"prepare": name, "turn": turn})["times"])

    def run(self, subject: str, times: int) -> dict[str, float]:
        """Measure a prepared subject once."""
        process, name = self._find(subject)
        return process.ask({"run": name, "times": times})

    def _find(self, subject: str) -> tuple[_Process, str]:
        name, _, rest = subject.rpartition(":")
        if name not in self._processes:
            self._processes[name] = _Process(*self._command(name), folder=self._environment.folder)
        return self._processes[name], rest

    def _command(self, name: str) -> list[str]:
        python: str | None = sys.executable
        if name == LITELLM:
            python = self._environment.litellm
            if python is None:
                message = "no interpreter with litellm, see --litellm"
                raise MissingError(message)
        without = ["--without", *EXTRA_FAST] if name == PLAIN else []
        return [str(python), str(WORKER), self._environment.url, *without]


class _Process:
    def __init__(self, *command: str, folder: str) -> None:
        # Imports are measured too: all files are to be compiled, those of a checkout as well as those of packages.
        variables = {
            name: value
            for name, value in os.environ.items()
            if name != "PYTHONDONTWRITEBYTECODE" and not name.lower().endswith("_proxy")
        }
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            text=True,
            encoding="utf-8",
            env={**variables, "TMPDIR": folder},
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": f"the worker ended\n{self._tail()}"}
        if "missing" in answer:
            raise MissingError(answer["missing"])
        if "error" in answer:
            message = f"{request}: {answer['error']}"
            raise RuntimeError(message)
        return answer

    def _tail(self) -> str:
        self._messages.seek(0)
        return self._messages.read().decode("utf-8", "replace")[-4000:]

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()
        self._messages.close()

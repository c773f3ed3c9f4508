"""Facts of the machine that a figure may depend on."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

VERSIONED = (
    "modelmesh-core", "modelmesh-cdk", "httpx2", "httptools", "msgspec", "aiohttp", "openai", "anthropic", "google-genai",
)  # fmt: skip


OPEN_FILES = 8192


def facts(litellm: str | None) -> dict[str, Any]:
    """Return facts of this machine and the versions of all subjects.

    Args:
        litellm: Interpreter of litellm's environment.
    """
    versions = {name: _version(name) for name in VERSIONED} | {"litellm": _litellm_version(litellm)}
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load": load(),
        "calibration_ms": round(calibration(), 2),
        "versions": versions,
    }


def allow_many_connections() -> None:
    """Raise the limit of open files for this process and its children: a thousand streams need a socket each, at both ends."""
    try:
        import resource  # noqa: PLC0415 - not on Windows, which has no such limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


def load() -> float | None:
    """Return the load of the last minute, where the system has one."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def calibration() -> float:
    """Return CPU milliseconds of a fixed piece of pure Python, to compare machines by."""
    took = []
    for _ in range(5):
        began = time.process_time()
        json.loads(json.dumps([{"n": n, "text": str(n)} for n in range(20_000)]))
        took.append(time.process_time() - began)
    return statistics.median(took) * 1000


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _litellm_version(python: str | None) -> str | None:
    if python is None:
        return None
    command = [python, "-c", "import importlib.metadata as m; print(m.version('litellm'))"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")

"""Linters of the Dockerfile and of the compose files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPOSE = ("docker-compose.yaml", "deploy/compose/docker-compose.yaml")
DCLINT = "dclint@3.1.0"


def check_dockerfile() -> Iterator[str]:
    """Yield what hadolint finds."""
    hadolint = Path(sys.executable).with_name("hadolint")
    yield from _lines(subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, check=False, text=True, capture_output=True))


def check_compose() -> Iterator[str]:
    """Yield what dclint finds."""
    if shutil.which("npx") is None:
        yield "npx is missing. Install it: apt-get install -y --no-install-recommends npm"
        return
    command = ["npx", "--yes", DCLINT, "--config", "tests/image/dclint.yaml", *COMPOSE]
    yield from _lines(subprocess.run(command, cwd=ROOT, check=False, text=True, capture_output=True))


def _lines(done: subprocess.CompletedProcess[str]) -> Iterator[str]:
    if done.returncode:
        yield from (line for line in (done.stdout + done.stderr).splitlines() if line.strip())

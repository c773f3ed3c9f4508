"""A process that is killed while it writes its state. ``MODELMESH_KILLS=200`` sets the number of kills."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kill_writes.py")
TIMES = os.environ.get("MODELMESH_KILLS", "15")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("store", ["local-file", "folder", "sqlite"])
def test_restart_after_a_kill_finds_a_whole_state(store: str) -> None:
    done = subprocess.run(
        [sys.executable, "-B", SCRIPT, "--times", TIMES, "--store", store], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{TIMES} of {TIMES} restarts found the old or the new image" in done.stdout

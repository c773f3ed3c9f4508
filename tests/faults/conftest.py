"""The fault matrix as a separate process."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MATRIX = Path(__file__).resolve().with_name("matrix.py")


@pytest.fixture
def check_matrix() -> Callable[[str], None]:
    """Return a function that runs every cell over one transport and checks the counts."""

    def check(transport: str) -> None:
        # A generous slack for busy machines. The default of the script is 0.25 s.
        command = [sys.executable, str(MATRIX), "--slack", "10", "--transport", transport]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        counted = re.search(r"(\d+) cells, (\d+) faults: (.*)", done.stdout)
        assert counted is not None
        assert int(counted[1]) > 500
        assert int(counted[2]) > 100
        assert set(re.findall(r"\d+", counted[3])) == {"0"}

    return check

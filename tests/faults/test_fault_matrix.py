"""The fault matrix, and the faults that need a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def test_fault_cells_end_typed_in_time_and_recover(check_matrix: Callable[[str], None]) -> None:
    check_matrix("fast")


BOMB = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import matrix
with matrix.server() as ports:
    matrix.run(matrix.Result("good", "chat", False, "answer"), ports)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for way in matrix.WAYS[:2]:
        for is_async in (False, True):
            for fault in ("gzip-bomb", "body-200-mib", "stream-line-100-mb", "endless-body"):
                if (fault != "body-200-mib" or way == "chat") and (fault != "stream-line-100-mb" or way != "chat"):
                    result = matrix.run(matrix.Result(fault, way, is_async, "fallback"), ports, 10)
                    assert not result.violations, result
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("transport", ["fast", "httpx2"])
def test_bombs_and_floods_use_little_memory(transport: str) -> None:
    environment = {**os.environ, "MODELMESH_TRANSPORT": transport}
    command = [sys.executable, "-c", BOMB, str(HERE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 64

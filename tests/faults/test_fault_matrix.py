"""The fault matrix, and the faults that need a separate process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TRANSPORTS = ("fast", "httpx2")


def test_fault_cells_end_typed_in_time_and_recover(tmp_path: Path) -> None:
    # Most cells wait, so both transports run at the same time. The slack is for busy machines: by default it is 0.25 s.
    command = [sys.executable, str(HERE / "matrix.py"), "--slack", "10", "--transport"]
    files = {name: (tmp_path / name).open("w+") for name in TRANSPORTS}
    running = {name: subprocess.Popen([*command, name], stdout=file, stderr=subprocess.STDOUT) for name, file in files.items()}
    codes = {name: process.wait(600) for name, process in running.items()}
    for name, file in files.items():
        with file:
            file.seek(0)
            output = file.read()
        assert codes[name] == 0, name + output[-4000:]
        counted = re.search(r"(\d+) cells, (\d+) faults: (.*)", output)
        assert counted is not None
        assert int(counted[1]) > 500
        assert int(counted[2]) > 100
        assert set(re.findall(r"\d+", counted[3])) == {"0"}


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


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bombs_and_floods_use_little_memory(transport: str) -> None:
    environment = {**os.environ, "MODELMESH_TRANSPORT": transport}
    command = [sys.executable, "-c", BOMB, str(HERE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 64

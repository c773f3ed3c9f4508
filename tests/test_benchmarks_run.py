"""The benchmarks run with one command, and every ratio is a number. No duration is asserted."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest.importorskip("httpx2")
pytest.importorskip("modelmesh_connector_openai")

RUN = Path(__file__).parents[1] / "benchmarks" / "run.py"
LINES = {
    "sync_call", "sync_stream", "sync_stream_sdk", "import", "failover", "async_call", "async_stream", "import_create",
    "routing_10", "routing_10000", "routing_flat",
}  # fmt: skip
STRATEGIES = {point.name.split(".")[1] for point in entry_points(group="modelmesh.strategies")}
LINES |= {f"select_{name}_{what}" for name in STRATEGIES for what in ("10", "1000", "10000", "flat", "half")}


def test_benchmarks_quick_run_measures_every_line(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    written = tmp_path / "results.json"
    command = [sys.executable, str(RUN), "--quick", "--rounds", "1", "--json", str(written)]
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert run.returncode == 0, run.stderr
    data = json.loads(written.read_text("utf-8"))
    results = {one["id"]: one for one in data["results"]}
    assert set(results) == LINES
    for name, one in results.items():
        values = (one["low"], one["value"], one["high"])
        assert all(math.isfinite(value) and value > 0 for value in values), name
        assert one["low"] <= one["value"] <= one["high"], name
        assert one["met"] is (None if one["target"] is None else one["value"] <= one["target"])
        assert one["title"] in run.stdout
    assert data["versions"]["httpx2"]
    assert data["quick"] is True

"""The benchmarks run with one command, and every figure is a number. No duration is asserted."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("httpx2")
pytest.importorskip("modelmesh_connector_openai")

RUN = Path(__file__).parents[1] / "benchmarks" / "run.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RUN), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def test_benchmarks_quick_run_measures_rows_and_compares_them_with_an_earlier_run(tmp_path: Path) -> None:
    written = tmp_path / "results.json"
    command = ("--quick", "--rounds", "1", "--only", "sync_call", "sync_call_plain", "failover")
    first = run(*command, "--json", str(written))
    assert first.returncode == 0, first.stderr
    data = json.loads(written.read_text("utf-8"))
    found = {one["id"]: one for one in data["results"]}
    assert list(found) == ["sync_call", "sync_call_plain", "failover"]
    for name, one in found.items():
        assert not one["skipped"], name
        assert all(math.isfinite(one[key]) for key in ("low", "value", "high")), name
        assert one["low"] <= one["value"] <= one["high"], name
        assert one["met"] is (one["value"] <= one["goal"])
        assert one["title"] in first.stdout
    assert data["versions"]["httpx2"]
    assert data["quick"] is True

    for one in data["results"]:
        factor = 1000 if one["id"] == "sync_call_plain" else 1 / 1000
        one.update({key: abs(one[key]) * factor for key in ("low", "value", "high")})
    written.write_text(json.dumps(data), "utf-8")
    second = run(*command, "--compare", str(written))
    assert second.returncode == 0, second.stderr
    lines = second.stdout.partition("Compared with results.json")[2].splitlines()
    marks = {name: line.strip(" │").split()[-1] for name in found for line in lines if found[name]["title"] in line}
    assert marks["sync_call"] == "worse"
    assert marks["sync_call_plain"] == "better"


def test_benchmarks_row_of_a_missing_environment_is_skipped_with_its_reason() -> None:
    done = run("--quick", "--rounds", "1", "--only", "sync_call_litellm")
    assert done.returncode == 0, done.stderr
    assert "skipped" in done.stdout
    assert "--litellm" in done.stdout


def test_benchmarks_list_names_every_row_and_an_unknown_name_is_refused() -> None:
    listed = run("--list")
    assert listed.returncode == 0
    assert "sync_call" in listed.stdout
    refused = run("--only", "sync_cal")
    assert refused.returncode == 2
    assert "unknown rows: sync_cal" in refused.stderr

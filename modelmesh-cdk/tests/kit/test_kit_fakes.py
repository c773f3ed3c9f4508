"""Tests of the conformance tests with faulty fakes: each standard test fails for at least one of them.

Each ``fakes/fakes_of_<kind>.py`` has ``KIT``, ``FAKES`` (fakes with the standard test that detects them) and a test class for
each fake.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from modelmesh_cdk.testing.conformance import GUARD

HERE = Path(__file__).parent / "fakes"
KINDS = sorted(file.stem.removeprefix("fakes_of_") for file in HERE.glob("fakes_of_*.py"))


@cache
def fakes_of(kind: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fakes_of_{kind}", HERE / f"fakes_of_{kind}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = [(kind, fake.__name__, test) for kind in KINDS for fake, test in fakes_of(kind).FAKES]


Outcomes = dict[tuple[str, str], set[str]]
"""Outcomes by test class and test, without parameters."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcomes]:
    """Return the outcomes of the standard tests by kind: one pytest in a subprocess runs all of them."""
    site = tmp_path_factory.mktemp("site")
    metadata = site / "acme-0.dist-info"
    metadata.mkdir()
    metadata.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 0\n", "utf-8")
    groups = {"provider_fakes.identity": "providers", "fakes_of_in_process_provider": "providers"}
    groups |= {f"fakes_of_in_process_{kind}": "providers" for kind in ("embeddings", "speech", "transcription")}
    groups |= {"fakes_of_strategy": "strategies", "fakes_of_secret_store": "secret_stores"}
    groups |= {"fakes_of_observability": "observability", "fakes_of_storage": "storage"}
    groups |= {"fakes_of_discovery": "discovery"}
    points = (
        f"[modelmesh.{group}]\nacme.honest.v1 = {module}:Honest\nacme.other.v1 = {module}:HasAnotherId\n"
        for module, group in groups.items()
    )
    metadata.joinpath("entry_points.txt").write_text("".join(points), "utf-8")

    report = site / "report.xml"
    files = {kind: HERE / f"fakes_of_{kind}.py" for kind in KINDS}
    chosen = [f"{file}::TestHonest" for file in files.values()]
    chosen += [f"{files[kind]}::Test{fake}::{test}" for kind, fake, test in TABLE]
    paths = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", "-W", "error", "--noconftest",
         f"--rootdir={HERE}", f"--junitxml={report}", "--tb=native", *chosen],
        env={**os.environ, "PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=site, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, Outcomes] = {kind: {} for kind in KINDS}
    for case in ET.parse(report).iter("testcase"):
        module, _, cls = case.get("classname", "").rpartition(".")
        kind = module.rpartition("fakes_of_")[2]
        key = (cls, case.get("name", "").partition("[")[0])
        found[kind].setdefault(key, set()).add(next((child.tag for child in case if child.tag != "system-out"), "passed"))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_standard_tests_pass_for_correct_fake(kind: str, outcomes: dict[str, Outcomes]) -> None:
    honest = {test: came for (cls, test), came in outcomes[kind].items() if cls == "TestHonest"}
    assert set(honest) == {name for name, _ in fakes_of(kind).KIT.standard_tests()}
    assert {test: came for test, came in honest.items() if came != {"passed"}} == {}


@pytest.mark.parametrize(("kind", "fake", "test"), TABLE)
def test_standard_test_fails_for_faulty_fake(kind: str, fake: str, test: str, outcomes: dict[str, Outcomes]) -> None:
    came = outcomes[kind][f"Test{fake}", test]
    assert "failure" in came, f"{test} does not see what is wrong with {fake}: {came}"
    assert "error" not in came


@pytest.mark.parametrize("kind", KINDS)
def test_each_standard_test_has_a_faulty_fake(kind: str) -> None:
    """The fakes of the guard are in ``test_kit_guard.py``."""
    assert {name for name, _ in fakes_of(kind).KIT.standard_tests()} == {test for of, _, test in TABLE if of == kind} | {GUARD}

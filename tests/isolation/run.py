"""Isolation check: each package passes its tests with its declared dependencies only, and third-party packages work.

Usage: python tests/isolation/run.py WHEELS [PACKAGE …]
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("modelmesh-core", "modelmesh-cdk", "modelmesh-proxy")
KINDS = {"connectors": "connector", "strategies": "strategy", "secret-stores": "secret-store",
         "observability": "observability", "storage": "storage", "discovery": "discovery", "pricing": "pricing"}  # fmt: skip


def packages() -> dict[str, Path]:
    """Return the folders by name of distribution."""
    found = {name: ROOT / name for name in FOLDERS if (ROOT / name / "pyproject.toml").is_file()}
    for kind, singular in KINDS.items():
        for file in sorted(ROOT.glob(f"{kind}/*/pyproject.toml")):
            found[f"modelmesh-{singular}-{file.parent.name}"] = file.parent
    return found


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command and show its output only if it fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 5):  # 5: pytest found no test to run, which is reported below
        sys.stdout.write(done.stdout[-6000:] + done.stderr[-3000:])
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return done


def environment(folder: Path, wheels: Path, *requirements: str) -> Path:
    """Create a virtual environment with these requirements. Return its interpreter."""
    run(sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    pins = ["-c", str(ROOT / "constraints.txt")]
    # uv caches a wheel by name and version, and would install a previous build.
    fresh = [part for wheel in sorted(wheels.glob("*.whl")) for part in ("--refresh-package", wheel.name.partition("-")[0])]
    install = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", python, "--find-links", wheels, *pins, *fresh]
    run(*install, *requirements)
    return python


SAME_EVERYWHERE = {"modelmesh-cdk": ["kit/test_kit_fakes.py"]}
"""Tests whose outcome does not depend on what is installed. They run in the environment with everything only."""


def groups(chosen: dict[str, Path]) -> list[dict[str, Path]]:
    """Return the packages in groups with the same declared dependencies, for which one environment is enough."""
    found: dict[tuple[str, ...], dict[str, Path]] = {}
    for name, folder in chosen.items():
        declared = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
        found.setdefault(tuple(sorted(declared)), {})[name] = folder
    return sorted(found.values(), key=len, reverse=True)


def isolated(group: dict[str, Path], wheels: Path, scratch: Path) -> str:
    """Install packages as a user would and run their tests."""
    python = environment(scratch / next(iter(group)), wheels, *group, "pytest", "hypothesis", "pytest-timeout")
    alike = "--hypothesis-profile=ci"  # the same examples in every run
    left_out = [f"--ignore={folder / 'tests' / file}" for name, folder in group.items() for file in SAME_EVERYWHERE.get(name, ())]
    report = scratch / f"{next(iter(group))}.xml"
    tests = [folder / "tests" for folder in group.values()]
    done = run(python, "-I", "-m", "pytest", "-q", "-p", "no:cacheprovider", alike, f"--junitxml={report}", *left_out, *tests)
    last = next((line for line in reversed(done.stdout.splitlines()) if line.strip()), "no output")
    passed = Counter(
        case.get("classname", "").partition(".tests.")[0]
        for case in ET.parse(report).iter("testcase")
        if not any(child.tag in ("skipped", "failure", "error") for child in case)
    )
    for name, folder in group.items():
        if not passed[".".join(folder.relative_to(ROOT).parts)]:
            sys.stdout.write(done.stdout)
            raise SystemExit(f"{name}: no test passed on its own: {last}")
    return last


PROVIDER = {
    "pyproject.toml": """
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"
        [project]
        name = "acme-modelmesh"
        version = "1.0.0"
        dependencies = ["modelmesh-cdk>=0.1,<0.2"]
        [project.entry-points."modelmesh.providers"]
        "acme.gateway.v1" = "acme_modelmesh:AcmeProvider"
        [project.entry-points."modelmesh.autodetect"]
        ACME_API_KEY = "acme_modelmesh:AcmeProvider"
        [project.entry-points."modelmesh.strategies"]
        "acme.last-first.v1" = "acme_modelmesh:LastFirst"
        """,
    "acme_modelmesh.py": """
        from modelmesh.cdk import BaseStrategy, QuickProvider

        class AcmeProvider(QuickProvider):
            id = "acme.gateway.v1"
            api_key_variable = "ACME_API_KEY"
            base_url_variable = "ACME_BASE_URL"

        class LastFirst(BaseStrategy):
            id = "acme.last-first.v1"

            def select(self, candidates, request):
                return list(candidates)[-1]
        """,
}
USE = """
import os, pathlib, modelmesh
from modelmesh.cdk.testing import Upstream

ask = {"model": "chat-completion", "messages": [{"role": "user", "content": "Hello!"}]}
with Upstream() as acme:
    os.environ["ACME_BASE_URL"] = acme.url
    pathlib.Path("mesh.yaml").write_text(
        "providers:\\n  acme:\\n    connector: acme.gateway.v1\\n    api_key: test\\n    models: [first, second]\\n"
        "pools:\\n  chat-completion:\\n    strategy: acme.last-first.v1\\n"
    )
    with modelmesh.create(config="mesh.yaml") as client:
        reply = client.chat.completions.create(**ask)
        assert (reply.content, reply.model, reply.provider) == ("Hello!", "second", "acme"), reply
    os.environ["ACME_API_KEY"] = "test-from-the-environment"
    with modelmesh.create("chat-completion") as client:
        reply = client.chat.completions.create(**ask)
        assert (reply.content, reply.model, reply.provider) == ("Hello!", "test-model", "acme"), reply
    assert acme.last.headers["authorization"] == "Bearer test-from-the-environment"
    with modelmesh.create("chat-completion", providers=["acme"], strategy="acme.last-first.v1") as client:
        assert "acme.last-first.v1" in client.describe()
"""
BROKEN = {
    "pyproject.toml": PROVIDER["pyproject.toml"]
    .replace("acme-modelmesh", "broken-modelmesh")
    .replace("acme_modelmesh", "broken_modelmesh")
    .replace("acme.gateway.v1", "broken.gateway.v1")
    .replace("ACME_API_KEY", "BROKEN_API_KEY")
    .replace("acme.last-first.v1", "acme.last-first.v1"),
    "broken_modelmesh.py": "raise RuntimeError('this plugin is broken')\n",
}
MISUSE = """
import modelmesh
from modelmesh.errors import ConnectorLoadError, DuplicateConnectorError

def fails(config, kind, *words):
    try:
        modelmesh.create(config=config)
    except kind as error:
        assert all(word in str(error) for word in words), error
    else:
        raise SystemExit(f"{config} was accepted")

good = {"acme": {"connector": "acme.gateway.v1", "api_key": "test", "models": ["m"], "base_url": "http://127.0.0.1:9"}}
modelmesh.create(config={"providers": good, "pools": {"chat-completion": {}}}).close()
fails({"providers": {"b": {"connector": "broken.gateway.v1"}}, "pools": {"chat-completion": {}}},
      ConnectorLoadError, "broken-modelmesh 1.0.0", "this plugin is broken")
fails({"providers": good, "pools": {"chat-completion": {"strategy": "acme.last-first.v1"}}},
      DuplicateConnectorError, "acme-modelmesh 1.0.0", "broken-modelmesh 1.0.0")
"""


def build(files: dict[str, str], folder: Path, wheels: Path) -> None:
    """Build a third-party package outside the repository."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(textwrap.dedent(text).lstrip(), "utf-8")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", wheels, folder, cwd=folder)


def third_party(wheels: Path, scratch: Path) -> None:
    """Check that a third-party provider and strategy are found by ID and by variable."""
    theirs = scratch / "their-wheels"
    build(PROVIDER, scratch / "acme", theirs)
    build(BROKEN, scratch / "broken", theirs)
    python = environment(
        scratch / "stranger", wheels, "modelmesh-core", f"acme-modelmesh @ {next(theirs.glob('acme*.whl')).as_uri()}"
    )
    run(python, "-I", "-c", USE, cwd=scratch)
    broken = next(theirs.glob("broken*.whl"))
    run(sys.executable, "-m", "uv", "pip", "install", "-q", "--python", python, "--find-links", wheels, broken)
    run(python, "-I", "-c", MISUSE, cwd=scratch)


def scaffolded(wheels: Path, scratch: Path) -> None:
    """Check that packages of ``modelmesh new`` are built, installed elsewhere, found, and pass their own tests."""
    maker = environment(scratch / "maker", wheels, "modelmesh-core[cli]", "modelmesh-cdk")
    kinds = run(maker, "-I", "-c", "from modelmesh_cdk.scaffold.rendering import templates; print(*templates())").stdout.split()
    here = {file.parent.name for file in ROOT.glob("modelmesh-cdk/src/modelmesh_cdk/scaffold/templates/*/template.toml")}
    if not here or set(kinds) != here:
        raise SystemExit(f"the wheel of modelmesh-cdk has templates for {kinds}, the repository for {sorted(here)}")
    folders = {}
    for kind in kinds:
        folder = folders[kind] = scratch / "new" / kind
        run(maker, "-I", "-m", "modelmesh.cli", "new", kind, "acme", "--path", folder, cwd=scratch)
        made = scratch / "new-wheels" / kind
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", made, folder, cwd=folder)
    extras = [f"{wheel.name.split('-')[0]}[test] @ {wheel.as_uri()}" for wheel in (scratch / "new-wheels").rglob("*.whl")]
    python = environment(scratch / "user", wheels, "modelmesh-core[cli]", *extras)
    listed = json.loads(run(python, "-I", "-m", "modelmesh.cli", "connectors", "--json", cwd=scratch).stdout)["connectors"]
    states = {row["kind"]: row["state"] for row in listed if row["id"].startswith("acme.")}
    if states != dict.fromkeys(kinds, "loaded"):
        raise SystemExit(f"'modelmesh connectors' reports {states} for packages of {kinds}")
    for kind, folder in folders.items():
        done = run(python, "-I", "-m", "pytest", "-q", "-p", "no:cacheprovider", folder / "tests", cwd=folder)
        passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
        if passed is None or int(passed[1]) == 0 or "no installed distribution" in done.stdout:
            sys.stdout.write(done.stdout)
            raise SystemExit(f"modelmesh new {kind} acme: no test passed, or none compared the ID with the entry point")
        print(f"modelmesh new {kind} acme: built, installed, listed; {passed[1]} of its tests passed", flush=True)


def owners(wheels: Path) -> None:
    """Check that only core's wheel has files under ``modelmesh/``, and that no wheel runs code at interpreter start."""
    from zipfile import ZipFile

    for wheel in sorted(wheels.glob("*.whl")):
        names = ZipFile(wheel).namelist()
        if not wheel.name.startswith("modelmesh_core-"):
            assert not [name for name in names if name.startswith("modelmesh/")], wheel.name
        assert not [name for name in names if name.endswith((".pth", ".start"))], wheel.name
        assert [name for name in names if name.endswith("/py.typed")], wheel.name


def main() -> None:
    """Check all packages, or the named ones."""
    wheels, wanted = Path(sys.argv[1]).resolve(), set(sys.argv[2:])
    owners(wheels)
    passed = 0
    with tempfile.TemporaryDirectory(prefix="modelmesh-isolation-") as made:
        scratch = Path(made)
        chosen = {name: folder for name, folder in packages().items() if not wanted or name in wanted}
        at_once = ThreadPoolExecutor(os.cpu_count() or 1)
        try:
            ended = [(group, at_once.submit(isolated, group, wheels, scratch)) for group in groups(chosen)]
            for group, last in ended:
                print(f"{', '.join(group)}: {last.result()}", flush=True)
                passed += len(group)
        finally:
            at_once.shutdown(cancel_futures=True)
        if not wanted:
            third_party(wheels, scratch)
            print("third-party provider and strategy: found by ID and by variable, broken and duplicate ones named", flush=True)
            passed += 1
            scaffolded(wheels, scratch)
            passed += 1
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()

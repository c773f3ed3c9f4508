"""``modelmesh serve`` with its defaults: configuration, start-up lines, errors and exit codes."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from http_calls import send
from proxy_process import proxy
from waiting import LIMIT_S, wait_for

from modelmesh.cli.root import root
from modelmesh_proxy.application.mesh_source import find_config, load_mesh
from modelmesh_proxy.server.start_report import start_lines, start_warnings
from modelmesh_proxy.settings import ProxySettings


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    """Restore the handlers that the command replaces."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    with warnings.catch_warnings():
        yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_without_file_and_key_it_serves_the_local_models(tmp_path: Path) -> None:
    with proxy(tmp_path) as one:
        assert b'"status":"ok"' in one.get("/health")[1]
        names = {row["id"] for row in one.json("/v1/models")["data"]}
        assert {"text-generation", "chat-completion", "embeddings"} <= names
        status, body = one.post(
            "/v1/chat/completions",
            {"model": "text-generation", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4},
        )
        assert status == 200
        assert json.loads(body)["choices"][0]["message"]["content"]
        assert one.json("/ready") == {"status": "ready", "counts": "local", "counts_reason": "no storage is configured"}
        health = one.json("/health")
        assert {"running": True, "host": "127.0.0.1", "port": one.port, "total_requests": 4}.items() <= health.items()
        assert one.stop(signal.SIGINT) == 130
        assert "Traceback" not in one.text()
        assert "NO TOKEN" not in one.text()


def test_keys_of_the_environment_make_every_predefined_pool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    assert find_config() is None
    mesh = load_mesh(read_only=True)
    assert {"chat-completion", "text-generation", "embeddings", "text-to-speech"} <= {pool.name for pool in mesh.list_pools()}
    assert {model.provider_id for model in mesh.list_models()} == {"openai", "anthropic"}
    overlay = load_mesh({"proxy": {"port": 9000}}, read_only=True)
    assert overlay.proxy_section.port == 9000
    assert overlay.get_router().resolve("text-generation").members


def test_the_order_of_configurations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELMESH_CONFIG", raising=False)
    for name in ("modelmesh.json", "modelmesh.yml", "modelmesh.yaml"):
        (tmp_path / name).write_text("{}")
        assert find_config() == name
    monkeypatch.setenv("MODELMESH_CONFIG", "other.yaml")
    assert find_config() == "other.yaml"


def test_a_local_model_that_is_not_installed_leaves_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("modelmesh_connector_local.provider.LocalProvider.__init__", _not_installed)
    names = {pool.name for pool in load_mesh(read_only=True).list_pools()}
    assert "embeddings" in names
    assert "chat-completion" not in names


def _not_installed(*_: Any, **__: Any) -> None:
    from modelmesh.errors import ConfigurationError

    raise ConfigurationError("the weights are not installed")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
def test_other_machines_without_a_token_cause_a_warning(host: str) -> None:
    mesh = load_mesh({"providers": {"a": {"connector": "modelmesh.local.v1"}}}, read_only=True)
    section = mesh.proxy_section
    (warning,) = start_warnings(ProxySettings.of(section, host=host), 8080, mesh)
    assert "NO TOKEN IS REQUIRED" in warning
    assert "administration: http://a:1/ui" in start_lines("http://a:1", mesh)
    assert not list(start_warnings(ProxySettings.of(section, host=host, token="test"), 8080, mesh))
    assert not list(start_warnings(ProxySettings.of(section), 8080, mesh))
    (warning,) = start_warnings(ProxySettings.of(section), 8080, mesh, workers=2)
    assert "counts budgets, quotas and health alone" in warning


def test_errors_at_the_start_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.yaml").write_text("proxy:\n  prot: 1\n")
    (tmp_path / "key.yaml").write_text("proxy:\n  tls: {certificate: nowhere.pem}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, code, part in (
            (["--port", port], 1, f"cannot listen on 127.0.0.1:{port}: the port is in use."),
            (["-c", "nowhere.yaml"], 1, "nowhere.yaml: cannot be read: No such file"),
            (["-c", "wrong.yaml"], 1, "wrong.yaml:2:3"),
            (["-c", "key.yaml"], 1, "nowhere.pem cannot be used: No such file"),
            (["--port", "0", "--token", ""], 1, "the token is empty"),
            (["--port", "70000"], 2, "70000 is not in the range"),
        ):
            result = CliRunner().invoke(root, ["serve", *arguments])
            assert (result.exit_code, "Traceback" in result.output) == (code, False), result.output
            assert part in result.output


@pytest.mark.parametrize("value", ["-3", "nan", "much"])
def test_a_wrong_amount_names_its_option(value: str) -> None:
    result = CliRunner().invoke(root, ["tokens", "create", "shop", "--budget-daily", value])
    assert result.exit_code == 2
    assert f"Invalid value for '--budget-daily': '{value}' is not" in result.output


def test_help_has_examples_and_defaults() -> None:
    result = CliRunner().invoke(root, ["serve", "--help"])
    assert result.exit_code == 0
    for part in (
        "Examples:",
        "modelmesh serve --config",
        "[default: 8080]",
        "[default: 127.0.0.1]",
        "MODELMESH_CONFIG",
        "SIGHUP",
    ):
        assert part in result.output


def test_another_asgi_server_hosts_the_application(tmp_path: Path) -> None:
    script = "import sys, uvicorn; uvicorn.run('modelmesh_proxy:app', port=int(sys.argv[1]), log_level='info')"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    start = [sys.executable, "-c", script, str(port)]
    (tmp_path / "wrong.yaml").write_text("proxy: {prot: 1}")
    wrong = kept | {"MODELMESH_CONFIG": "wrong.yaml"}
    failed = subprocess.run(start, cwd=tmp_path, env=wrong, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert failed.returncode != 0
    assert "wrong.yaml:1:9" in failed.stderr
    with subprocess.Popen(start, cwd=tmp_path, env=kept, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: process.poll() is not None or _answers(port))
            assert b"text-generation" in send("GET", f"http://127.0.0.1:{port}/v1/models").body
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        return send("GET", f"http://127.0.0.1:{port}/health").status == 200
    except OSError:
        return False

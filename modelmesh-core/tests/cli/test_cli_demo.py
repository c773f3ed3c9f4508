"""``modelmesh demo``: two providers fail, the answer comes, nothing stays."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("modelmesh_cdk")

from modelmesh.cli import demo, demo_providers

ECHO = "This is an echo, not a model. You asked: "


def rows(output: str, title: str) -> list[list[str]]:
    """Return the words of each row of the table under a title."""
    below = output.split(title, 1)[1].split("\n\n", 1)[0]
    return [line.split() for line in below.splitlines()[2:]]


def test_demo_in_a_process(run):
    done = run("demo", "--echo")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Question: {demo.QUESTION}\nAnswer:   {ECHO}{demo.QUESTION}\n" in done.stdout
    attempts = rows(done.stdout, "Attempts of the request:")
    assert [row[:3] for row in attempts] == [
        ["1", "busy", "busy-model"],
        ["2", "fragile", "fragile-model"],
        ["3", "echo", "echo-model"],
    ]
    assert " ".join(attempts[0][3:]).startswith("rate limited 429 ")
    assert " ".join(attempts[0]).endswith("failed over to fragile")
    assert " ".join(attempts[1][3:]).startswith("invalid response - ")
    assert " ".join(attempts[1]).endswith("failed over to echo")
    assert attempts[2][3] == "answered"
    assert "The answer came from echo (a built-in echo), because busy limited the request rate (429) and fragile" in done.stdout
    assert "2 of 3 models active, 1 in standby." in done.stdout
    health = {row[0]: " ".join(row[2:]) for row in rows(done.stdout, "1 in standby.")}
    assert health["busy"].startswith("standby model in cooldown for ")
    assert health["busy"].endswith(": rate limited (429)")
    assert health["fragile"] == "active available, 1 consecutive failure"
    assert health["echo"] == "active no failure since its last answer"


def test_demo_uses_the_local_model_or_the_echo(run):
    done = run("demo", "Say yes.")
    assert (done.returncode, done.stderr) == (0, "")
    if "  3. local " in done.stdout:
        assert "The answer came from local" in done.stdout
    else:
        assert "a built-in echo replaces it" in done.stdout
        assert "modelmesh local install" in done.stdout


def test_demo_uses_the_echo_without_the_local_model(invoke, monkeypatch):
    monkeypatch.setattr(demo, "LOCAL", "nobody.local.v1")
    result = invoke("demo", "ping")
    assert result.exit_code == 0
    assert "The local model is not available, so a built-in echo replaces it: its connector is not installed." in result.stdout
    assert "pip install modelmesh-connector-local && modelmesh local install" in result.stdout
    assert f"Answer:   {ECHO}ping\n" in result.stdout


def test_demo_names_the_command_for_missing_weights(invoke, monkeypatch, site):
    source = (
        "from modelmesh.errors import ConfigurationError\nclass NoWeights:\n    id = 'acme.local.v1'\n    def models(self): ...\n"
        "    def send(self, call, model, limits): ...\n    def asend(self, call, model, limits): ...\n    def __init__(self): raise ConfigurationError('the weights are missing.')\n"
    )
    site.install("acme-local", "acme_local", source, {"modelmesh.providers": {"acme.local.v1": "acme_local:NoWeights"}})
    monkeypatch.setattr(demo, "LOCAL", "acme.local.v1")
    result = invoke("demo")
    assert result.exit_code == 0
    assert "replaces it: the weights are missing.\nTo set it up: modelmesh local install\n" in result.stdout


def test_demo_works_without_the_openai_connector(invoke, monkeypatch):
    monkeypatch.setattr(demo, "OPENAI", "nobody.llm.v1")
    result = invoke("demo", "--echo", "ping")
    assert result.exit_code == 0
    assert f"{ECHO}ping" in result.stdout


def test_demo_without_http_connector_is_one_error():
    code = (
        "import sys; sys.modules['modelmesh_cdk'] = None\n"
        "from modelmesh.cli import demo, main\ndemo.OPENAI = 'nobody.llm.v1'\nmain(['demo', '--echo'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("pip install modelmesh-connector-openai\n")
    assert len(done.stderr.splitlines()) == 1


def test_demo_without_an_answer_exits_with_1(invoke, monkeypatch):
    class AlsoFragile(demo_providers.Fragile):
        pass

    monkeypatch.setattr(demo_providers, "Echo", AlsoFragile)
    result = invoke("demo", "--echo")
    assert result.exit_code == 1
    assert "error: busy limited the rate of requests to busy-model (429 rate_limit_exceeded)" in result.stderr
    assert (
        "There is no answer: busy limited the request rate (429) and fragile sent an invalid response and echo" in result.stdout
    )


def test_demo_leaves_no_thread_and_no_variable(invoke, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "example.org")
    monkeypatch.delenv("no_proxy", raising=False)
    before = set(threading.enumerate())
    assert invoke("demo", "--echo").exit_code == 0
    assert set(threading.enumerate()) <= before
    assert "no_proxy" not in os.environ


def test_demo_uses_no_proxy(run):
    done = run("demo", "--echo", http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9")
    assert done.returncode == 0
    assert ECHO in done.stdout


def test_demo_removes_control_characters(invoke):
    result = invoke("demo", "--echo", "\x1b[2Jhello")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout

"""``modelmesh explain``, ``describe`` and ``capabilities``: looking, and sending nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from modelmesh.cli.target import Target


def test_explain_shows_target_and_reason_without_requests(invoke, configured, upstream):
    result = invoke("explain", "-c", configured("works", "other"))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Pool chat-completion (generation.text-generation.chat-completion), strategy stick-until-failure")
    assert lines[1].startswith("A request would go to works/works: ")
    assert lines[3].split() == ["provider", "model", "connector", "status", "score", "reason"]
    assert lines[4].split()[:5] == ["*", "works", "works", "openai.llm.v1", "active"]
    assert lines[5].split()[:4] == ["other", "other", "openai.llm.v1", "active"]
    assert not upstream.requests


def test_explain_as_json(invoke, configured):
    result = invoke("explain", "--json", "-c", configured("works", "other"))
    explanation = json.loads(result.stdout)
    assert explanation["selected_provider"] == "works"
    assert [row["selected"] for row in explanation["candidates"]] == [True, False]


def test_explain_with_model_and_strategy(invoke, configured):
    path = configured("works", "other")
    assert "would go to other/other" in invoke("explain", "other", "-c", path).stdout
    assert "strategy stick-until-failure" in invoke("explain", "-c", path, "--strategy", "stick-until-failure").stdout


def test_explain_of_an_excluded_provider(invoke, configured):
    result = invoke("explain", "-c", configured("works", "other"), "--provider", "other")
    assert "would go to other/other" in result.stdout
    assert "the call allows only other" in result.stdout


def test_explain_without_active_model_shows_the_reason(invoke, configured):
    result = invoke("explain", "nonesuch", "-c", configured("works"))
    assert result.exit_code == 1
    assert "no pool serves 'nonesuch'" in result.stderr


def test_describe_shows_pools_and_models(invoke, configured, upstream):
    result = invoke("describe", "--config", configured("works"))
    assert result.exit_code == 0
    assert result.stdout.startswith('Pool "chat-completion"')
    assert "works [openai.llm.v1] (active)" in result.stdout
    assert not upstream.requests


def test_describe_one_capability(invoke, configured):
    path = Path(configured("works"))
    raw = json.loads(path.read_text())
    path.write_text(json.dumps(raw | {"pools": {"chat": {"capability": "chat-completion"}, "other": {"providers": ["works"]}}}))
    shown = invoke("describe", "-c", str(path), "--capability", "chat-completion").stdout
    assert shown.startswith('Pool "chat"')
    assert 'Pool "other"' not in shown
    result = invoke("describe", "-c", str(path), "--capability", "nonesuch")
    assert result.exit_code == 1
    assert "no pool serves 'nonesuch'" in result.stderr


def test_explain_without_providers_shows_the_remedy(run):
    done = run("describe", "--provider", "openai")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "OPENAI_API_KEY" in done.stderr or "pip install modelmesh-connector-openai" in done.stderr
    assert "Traceback" not in done.stderr


def test_explain_with_unknown_strategy_is_an_error(invoke, configured):
    result = invoke("describe", "-c", configured("works"), "--strategy", "round-robbin")
    assert result.exit_code == 1
    assert "round-robbin" in result.stderr


def test_explain_with_invalid_configuration_is_an_error(invoke, tmp_path):
    result = invoke("describe", "-c", str(tmp_path / "absent.yaml"))
    assert result.exit_code == 1
    assert "absent.yaml: cannot be read" in result.stderr


def test_capabilities_as_tree(invoke):
    result = invoke("capabilities")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "capabilities"
    assert lines[1].endswith(" generation")
    assert lines.index(next(line for line in lines if line.endswith(" chat-completion"))) == 3


def test_capabilities_search(invoke):
    lines = [line.split() for line in invoke("capabilities", "speech").stdout.splitlines()]
    assert lines == [
        ["speech-to-text", "understanding.audio.speech-to-text"],
        ["text-to-speech", "generation.audio.text-to-speech"],
    ]
    assert invoke("capabilities", "tts").stdout.split() == ["tts", "generation.audio.text-to-speech"]


def test_capabilities_with_unknown_name_is_an_error(invoke):
    result = invoke("capabilities", "chat-completoin")
    assert result.exit_code == 1
    assert "Did you mean 'chat-completion'?" in result.stderr


def test_provider_option_does_not_change_standby(configured, upstream):
    with Target(config=configured("works", "other"), providers=("other",)).client() as client:
        pools = client.mesh.list_pools()
        assert not [model for pool in pools for model in pool.members if model in pool.manual_standby]
        reply = client.chat.completions.create(model="chat-completion", messages=[{"role": "user", "content": "hi"}])
    assert reply.provider == "other"


def test_narrow_terminal_folds_no_name_and_no_number(invoke, configured, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    lines = invoke("explain", "-c", configured("works", "other")).stdout.splitlines()
    assert any("works" in line and "active" in line for line in lines)
    assert "connector" not in "".join(lines)


@pytest.mark.parametrize("command", [("describe",), ("capabilities",), ("capabilities", "speech")])
def test_read_only_commands_print_json(invoke, configured, command):
    options = ("-c", configured("works")) if command == ("describe",) else ()
    result = invoke(*command, "--json", *options)
    assert result.exit_code == 0
    assert json.loads(result.stdout)

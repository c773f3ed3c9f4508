"""``modelmesh check``: every problem with its place, and nothing sent."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

ASKING = """
from modelmesh_cdk import QuickProvider
class Caller(QuickProvider):
    id = "acme.asking.v1"
    def __init__(self, config=None, **settings):
        super().__init__(config, **settings)
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> str:
        (tmp_path / "mesh.yaml").write_text(text)
        return "mesh.yaml"

    return write


def test_check_lists_providers_and_pools(invoke, written):
    pytest.importorskip("modelmesh_connector_openai")
    path = written(
        "providers:\n  mine:\n    connector: openai.llm.v1\n    base_url: http://127.0.0.1:9\n    api_key: test\n    models: [a, b]\n"
        "  off: {connector: openai.llm.v1, enabled: false}\npools:\n  chat-completion: {}\n"
    )
    result = invoke("check", path)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["mesh.yaml:", "no", "problems", "found"]
    assert ["mine", "openai.llm.v1", "2"] in lines
    assert ["off", "openai.llm.v1", "disabled"] in lines
    path = "generation.text-generation.chat-completion"
    assert ["chat-completion", path, "stick-until-failure", "2", "mine/a"] in lines


@pytest.mark.filterwarnings("always")
def test_check_notes_unsupported_settings_once(invoke, written):
    pytest.importorskip("modelmesh_connector_openai")
    provider = "{connector: openai.llm.v1, api_key: test, models: [a], batch: {supported: true}}"
    result = invoke("check", written(f"providers:\n  mine: {provider}\npools:\n  chat-completion: {{}}\n"))
    assert result.exit_code == 0
    (note,) = result.stderr.splitlines()
    assert note.startswith("note: mesh.yaml:2:")
    assert "'supported' is read but not acted on" in note


def test_check_lists_all_syntax_problems(invoke, written):
    path = written(
        "poools: {}\nproviders:\n  mine:\n    timeout: banana\npools:\n  chat-completion:\n    retry: {max_atempts: 2}\n"
    )
    result = invoke("check", path)
    assert (result.exit_code, result.stdout) == (1, "")
    starts = [line.split(" ")[0] for line in result.stderr.splitlines()]
    assert starts[:-1] == ["mesh.yaml:1:1:", "mesh.yaml:3:3:", "mesh.yaml:4:5:", "mesh.yaml:7:13:"]
    assert result.stderr.splitlines()[-1] == "mesh.yaml: 4 problems"


def test_check_lists_all_assembly_problems(invoke, written):
    pytest.importorskip("modelmesh_connector_openai")
    path = written(
        "providers:\n"
        "  mine:\n    connector: openai.llm.v1\n    api_key: ${env:NONESUCH_TEST}\n"
        "  other:\n    connector: opnai.llm.v1\n"
        "pools:\n  chat-completion:\n    strategy: round-robbin\n"
    )
    result = invoke("check", path)
    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert lines[0].startswith("mesh.yaml:4:5: providers.mine.api_key: ${env:NONESUCH_TEST} has no value")
    assert lines[1].startswith("mesh.yaml:6:5: providers.other.connector: no provider connector 'opnai.llm.v1'")
    assert lines[2].startswith("mesh.yaml:9:5: pools.chat-completion.strategy: no strategy connector")
    assert lines[3:] == ["mesh.yaml: 3 problems"]


def test_check_reports_an_empty_pool(invoke, written):
    pytest.importorskip("modelmesh_connector_openai")
    path = written(
        "providers:\n  mine: {connector: openai.llm.v1, api_key: test, models: [a]}\npools:\n  chat-completion: {models: [b]}\n"
    )
    result = invoke("check", path)
    assert result.exit_code == 1
    assert result.stderr.startswith("mesh.yaml:4:21: pools.chat-completion.models: no model 'b' is known.")
    assert result.stderr.endswith("mesh.yaml: 1 problem\n")


@pytest.mark.parametrize("text", ["a: [", "- a\n", "a: 1\na: 2\n"], ids=["not YAML", "a list", "a key twice"])
def test_check_reports_an_invalid_file(invoke, written, text):
    result = invoke("check", written(text))
    assert result.exit_code == 1
    assert result.stderr.startswith("mesh.yaml")


def test_check_reports_a_missing_file(invoke):
    result = invoke("check", "absent.yaml")
    assert result.exit_code == 1
    assert "absent.yaml: cannot be read" in result.stderr


def test_check_without_file_is_a_usage_error(invoke):
    assert invoke("check").exit_code == 2


def test_check_overlay_is_reported_as_overlay(invoke, written):
    result = invoke("check", written("capabilities: [chat-completion]\n"))
    assert result.exit_code == 0
    assert "extends the providers detected" in result.stdout


# -- nothing is sent ----------------------------------------------------------------------------------------------------


@pytest.fixture
def asking(site, written, upstream):
    pytest.importorskip("modelmesh_cdk")
    site.install("acme-asking", "acme_asking", ASKING, {"modelmesh.providers": {"acme.asking.v1": "acme_asking:Caller"}})
    return written(
        f"providers:\n  acme: {{connector: acme.asking.v1, base_url: '{upstream.address}'}}\npools:\n  chat-completion: {{}}\n"
    )


def test_check_sends_nothing_without_online(invoke, asking, upstream):
    result = invoke("check", asking)
    assert result.exit_code == 0
    assert upstream.lists_asked == 0
    notes = result.stderr.splitlines()
    assert notes[0].startswith(
        f"note: provider 'acme' was not checked: it needs a connection to {upstream.address.removeprefix('http://')}."
    )
    assert "modelmesh check --online" in notes[0]
    assert result.stdout.startswith("mesh.yaml: no problems found in the checked parts\n")
    assert ["acme", "acme.asking.v1", "unknown"] in [line.split() for line in result.stdout.splitlines()]


def test_check_online_connects(invoke, asking, upstream):
    result = invoke("check", "--online", asking)
    assert (result.exit_code, result.stderr) == (0, "")
    assert upstream.lists_asked == 1
    assert "acme/listed-model" in result.stdout


def test_check_allows_connections_afterwards(invoke, asking, upstream):
    invoke("check", asking)
    with socket.create_connection(upstream.server_address[:2], timeout=5) as connection:
        assert connection.getpeername() == upstream.server_address

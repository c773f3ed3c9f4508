"""``modelmesh connectors`` over made-up distributions, good and broken."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

GOOD = """
class Good:
    id = "acme.good.v1"
    def select(self, candidates, request): ...
class Renamed(Good):
    id = "acme.other.v1"
class Unable:
    id = "acme.unable.v1"
"""
STRATEGIES = {
    "acme.good.v1": "acme_good:Good",
    "acme.renamed.v1": "acme_good:Renamed",
    "acme.unable.v1": "acme_good:Unable",
}


@pytest.fixture
def acme(site):
    site.install("acme-good", "acme_good", GOOD, {"modelmesh.strategies": STRATEGIES}, version="2.5")
    site.install("acme-bad", "acme_bad", "import nonesuch_module", {"modelmesh.providers": {"acme.bad.v1": "acme_bad:Bad"}})
    site.install("acme-exits", "acme_exits", "raise SystemExit(3)", {"modelmesh.providers": {"acme.exits.v1": "acme_exits:Bad"}})
    for owner in ("one", "two"):
        module = f"acme_{owner}"
        site.install(f"acme-{owner}", module, GOOD, {"modelmesh.strategies": {"acme.twice.v1": f"{module}:Good"}})
    site.install("acme-hooks", "acme_hooks", "", {"modelmesh.plugins": {"acme-hooks": "acme_hooks"}})
    site.install("acme-broken-hooks", "acme_broken_hooks", "1 / 0", {"modelmesh.commands": {"acme-broken": "acme_broken_hooks"}})


def listed(invoke, *arguments):
    result = invoke("connectors", "--json", *arguments)
    assert result.exit_code == 0
    assert result.stderr == ""
    found = json.loads(result.stdout)
    return {(row["id"], row["distribution"]): row for row in found["connectors"]}, {row["id"]: row for row in found["plugins"]}


@pytest.mark.usefixtures("acme")
def test_connectors_show_state_and_reason(invoke):
    connectors, _ = listed(invoke)
    good = connectors["acme.good.v1", "acme-good"]
    assert (good["kind"], good["version"], good["state"], good["reason"]) == ("strategy", "2.5", "loaded", "")
    bad = connectors["acme.bad.v1", "acme-bad"]
    assert (bad["kind"], bad["state"]) == ("provider", "failed")
    assert "No module named 'nonesuch_module'" in bad["reason"]
    assert connectors["acme.exits.v1", "acme-exits"]["state"] == "failed"
    unable = connectors["acme.unable.v1", "acme-good"]
    assert unable["state"] == "failed"
    assert "lacks select" in unable["reason"]
    assert "'acme.other.v1'" in connectors["acme.renamed.v1", "acme-good"]["reason"]
    assert connectors["modelmesh.env.v1", "modelmesh-core"]["kind"] == "secret-store"


@pytest.mark.usefixtures("acme")
def test_connectors_show_both_duplicates(invoke):
    connectors, _ = listed(invoke)
    for owner in ("acme-one", "acme-two"):
        row = connectors["acme.twice.v1", owner]
        assert row["state"] == "duplicate"
        assert "acme-one 1.0 and acme-two 1.0" in row["reason"]


@pytest.mark.usefixtures("acme")
def test_connectors_list_hook_plugins(invoke, monkeypatch):
    _, plugins = listed(invoke)
    assert plugins["acme-hooks"]["state"] == "loaded"
    assert (plugins["acme-broken"]["state"], plugins["acme-broken"]["kind"]) == ("left out", "commands")
    assert "ZeroDivisionError" in plugins["acme-broken"]["reason"]
    monkeypatch.setenv("MODELMESH_DISABLE_PLUGINS", "acme-hooks")
    _, plugins = listed(invoke)
    assert "MODELMESH_DISABLE_PLUGINS" in plugins["acme-hooks"]["reason"]


def test_connectors_no_load_imports_nothing(invoke, site, tmp_path):
    trace = tmp_path / "imported"
    source = f"open({str(trace)!r}, 'w').close()"
    site.install("acme-trace", "acme_trace", source, {"modelmesh.providers": {"acme.trace.v1": "acme_trace:P"}})
    site.install("acme-trace2", "acme_trace2", source, {"modelmesh.plugins": {"acme-trace2": "acme_trace2"}})
    connectors, plugins = listed(invoke, "--no-load")
    assert connectors["acme.trace.v1", "acme-trace"]["state"] == "not loaded"
    assert plugins["acme-trace2"]["state"] == "not loaded"
    assert not trace.exists()
    listed(invoke)
    assert trace.exists()


@pytest.mark.usefixtures("acme")
def test_connectors_of_one_kind(invoke):
    connectors, plugins = listed(invoke, "--kind", "strategy")
    assert {row["kind"] for row in connectors.values()} == {"strategy"}
    assert not plugins
    assert invoke("connectors", "--kind", "nonesuch").exit_code == 2


@pytest.mark.usefixtures("acme")
def test_connectors_in_a_pipe_are_one_line_each(invoke):
    lines = invoke("connectors").stdout.splitlines()
    assert lines[0].split() == ["ID", "kind", "distribution", "version", "state"]
    row = next(line for line in lines if line.startswith("acme.bad.v1"))
    assert row.split()[:4] == ["acme.bad.v1", "provider", "acme-bad", "1.0"]
    assert row.endswith("under dependencies in pyproject.toml")
    assert not [line for line in lines if line != line.rstrip()]

"""pytest plugin: conformance report as a table and as data."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from modelmesh_cdk.testing import SecretStoreConformance

pytest_plugins = ["pytester"]

TABLE, DATA = "--modelmesh-conformance", "--modelmesh-conformance-json"
STORE = """
import pytest
from modelmesh_cdk import BaseSecretStore
from modelmesh_cdk.testing import SecretStoreConformance

class Vault(BaseSecretStore):
    id = "acme.vault.v1"

    def _resolve(self, name):
        return self.config.options["held"].get(name)

class Holding(SecretStoreConformance):
    store_class = Vault

    @pytest.fixture
    def store(self):
        return self.make(held=self.secrets)
"""
KEPT = STORE + "\nclass TestVault(Holding):\n    def test_of_my_own(self): ...\n\ndef test_of_something_else(): ...\n"
TESTS = len([name for name, test in SecretStoreConformance.standard_tests() if test.__module__.endswith(".secret_store")])


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run a test file with our plugin only."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def ran(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_acme=source)
        return pytester.runpytest_inprocess("-p", "modelmesh_cdk.pytest_plugin", "--strict-markers", *arguments)

    return ran


def data_of(run, source: str, *arguments: str) -> dict:
    result = run(source, DATA, "kept.json", *arguments)
    assert "connector × checks" not in result.stdout.str()
    return json.loads(Path("kept.json").read_text("utf-8"))


def test_plugin_is_an_entry_point() -> None:
    names = [point.value for point in entry_points(group="pytest11", name="modelmesh")]
    assert names == ["modelmesh_cdk.pytest_plugin"], "reinstall modelmesh-cdk: its metadata is outdated"


def test_table_has_connectors_and_reasons(run) -> None:
    result = run(KEPT, TABLE)
    result.stdout.fnmatch_lines(
        [
            "*connector × checks*",
            "secret stores *secret store *identity",
            f"acme.vault.v1 *~ {TESTS - 3} 3s *~ 3 1s",
            "✓ all passed*",
            "acme.vault.v1",
            "  skipped: no installed distribution has an entry point for * (test_id_equals_entry_point_name)",
            "  skipped: the store offers no set, list and delete (test_delete_*, test_list_*, test_set_*)",
        ]
    )
    assert result.stdout.str().count("  skipped: the store offers") == 1
    assert result.ret == 0


def test_json_report_has_counts_and_notes(run) -> None:
    found = data_of(run, KEPT)["secret_stores"]["acme.vault.v1"]
    assert found["checks"] == {"secret_store": {"skipped": 3, "passed": TESTS - 3}, "identity": {"skipped": 1, "passed": 3}}
    assert [(note["outcome"], len(note["tests"])) for note in found["notes"]] == [("skipped", 1), ("skipped", 3)]


def test_report_of_expected_failure_has_reason(run) -> None:
    source = STORE + (
        "\nclass TestVault(Holding):\n"
        "    @pytest.mark.xfail(reason='bytes until 2027 (docs.acme.example, 2026-11-21)')\n"
        "    def test_get_returns_text(self, store): raise AssertionError\n"
    )
    found = data_of(run, source)["secret_stores"]["acme.vault.v1"]
    assert found["checks"]["secret_store"] == {"xfailed": 1, "skipped": 3, "passed": TESTS - 4}
    why = "bytes until 2027 (docs.acme.example, 2026-11-21)"
    assert found["notes"][-1] == {"outcome": "xfailed", "reason": why, "tests": ["test_get_returns_text"]}


def test_report_has_failures_and_tests_not_run(run) -> None:
    wrong = KEPT.replace('["held"].get(name)', '["held"].get(name, "")')  # never misses a name
    result = run(wrong, TABLE, "-k", "missing_name or test_value or returns_text")
    result.stdout.fnmatch_lines([f"acme.vault.v1 *✗ 2 2F {TESTS - 4}-*? 0 4-"])
    assert result.ret == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_report_of_failing_fixture_is_a_failure(run, when: str) -> None:
    source = KEPT + (
        "\n@pytest.fixture(autouse=True)\ndef broken():\n"
        f"    if {when == 'before'}: raise AssertionError\n"
        "    yield\n"
        "    raise AssertionError\n"
    )
    checks = data_of(run, source)["secret_stores"]["acme.vault.v1"]["checks"]
    assert checks == {"secret_store": {"failed": TESTS}, "identity": {"failed": 4}}


def test_report_of_two_classes_has_worse_outcome(run) -> None:
    source = KEPT + "\nclass TestVaultAgain(Holding):\n    secrets = {'EMPTY': None}\n"
    found = data_of(run, source)["secret_stores"]
    assert list(found) == ["acme.vault.v1"]
    assert found["acme.vault.v1"]["checks"]["secret_store"] == {"failed": 6, "skipped": 3, "passed": TESTS - 9}


def test_report_of_two_classes_prefers_pass_to_skip(run) -> None:
    source = KEPT + "\nclass TestVaultAgain(Holding):\n    @pytest.fixture\n    def store(self): pytest.skip('not today')\n"
    for text in (source, source.replace("TestVaultAgain", "TestA")):  # whichever comes first
        found = data_of(run, text)["secret_stores"]["acme.vault.v1"]
        assert found["checks"]["secret_store"] == {"skipped": 3, "passed": TESTS - 3}
        assert {len(note["tests"]) for note in found["notes"] if note["reason"] == "not today"} == {3}


def test_report_of_parametrized_test_has_worst_outcome(run) -> None:
    source = STORE + (
        "\nclass TestVault(Holding):\n"
        "    @pytest.fixture(params=[1, 2, 3])\n"
        "    def store(self, request):\n"
        "        if request.param == 2: pytest.skip('no second')\n"
        "        return self.make(held=self.secrets)\n"
    )
    checks = data_of(run, source)["secret_stores"]["acme.vault.v1"]["checks"]
    assert checks["secret_store"] == {"skipped": TESTS}


def test_report_of_connector_without_id_has_class_name(run) -> None:
    found = data_of(run, KEPT.replace('    id = "acme.vault.v1"\n', "    id = property()\n").replace("store_class = Vault", ""))
    assert list(found["secret_stores"]) == ["TestVault"]


def test_report_is_independent_of_test_order(run, pytester: pytest.Pytester) -> None:
    source = KEPT + "\nclass TestBank(Holding):\n    store_class = type('Bank', (Vault,), {'id': 'acme.bank.v1'})\n"
    data_of(run, source)
    forwards = Path("kept.json").read_bytes()
    pytester.makeconftest("def pytest_collection_modifyitems(items): items.reverse()")
    data_of(run, source)
    assert Path("kept.json").read_bytes() == forwards
    assert list(json.loads(forwards)["secret_stores"]) == ["acme.bank.v1", "acme.vault.v1"]


def test_marker_selects_tests_of_the_kit(run) -> None:
    result = run(KEPT, "-m", "modelmesh_conformance")
    result.assert_outcomes(passed=TESTS + 1, skipped=4, deselected=1)  # a test of the class's own is one of them


def test_report_data_is_serializable(run, pytester: pytest.Pytester) -> None:
    """Test reports are converted to plain data, as pytest-xdist does."""
    pytester.makeconftest(
        """
        import json, pytest

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item):
            report = yield
            data = item.config.hook.pytest_report_to_serializable(config=item.config, report=report)
            return item.config.hook.pytest_report_from_serializable(config=item.config, data=json.loads(json.dumps(data)))
        """
    )
    assert data_of(run, KEPT)["secret_stores"]["acme.vault.v1"]["checks"]["secret_store"] == {"skipped": 3, "passed": TESTS - 3}


def test_report_without_test_class_is_empty(run) -> None:
    result = run("def test_nothing(): ...", TABLE, DATA, "kept.json")
    result.stdout.fnmatch_lines(["*connector × checks*", "no test of a class derived from the conformance kit has run"])
    assert json.loads(Path("kept.json").read_text("utf-8")) == {}


def test_plugin_without_option_prints_nothing(run) -> None:
    result = run(KEPT)
    assert "connector × checks" not in result.stdout.str()
    assert "acme.vault.v1" not in result.stdout.str()


def test_plugin_imports_nothing_for_other_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        test_other="""
        import sys

        def test_other():
            ours = sorted(name for name in sys.modules if name.startswith("modelmesh"))
            assert ours == ["modelmesh_cdk", "modelmesh_cdk.pytest_plugin", "modelmesh_cdk.version"]
        """
    )
    command = [sys.executable, "-m", "pytest", "-p", "modelmesh_cdk.pytest_plugin", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout

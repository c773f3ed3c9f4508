"""pytest says which connector keeps what: as a table, as data, and never where nobody asked or nobody derived a class."""

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
    """Run a file of tests with our plugin and no other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def ran(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_acme=source)
        return pytester.runpytest_inprocess("-p", "modelmesh_cdk.pytest_plugin", "--strict-markers", *arguments)

    return ran


def data_of(run, source: str, *arguments: str) -> dict:
    result = run(source, DATA, "kept.json", *arguments)
    assert "connector × checks" not in result.stdout.str()
    return json.loads(Path("kept.json").read_text("utf-8"))


def test_the_distribution_brings_the_plugin() -> None:
    names = [point.value for point in entry_points(group="pytest11", name="modelmesh")]
    assert names == ["modelmesh_cdk.pytest_plugin"], "install modelmesh-cdk anew: its metadata is older than its code"


def test_a_line_for_each_connector_and_a_reason_for_each_gap(run) -> None:
    result = run(KEPT, TABLE)
    result.stdout.fnmatch_lines(
        [
            "*connector × checks*",
            "secret stores *secret store *identity",
            f"acme.vault.v1 *~ {TESTS - 3} 3s *~ 2 1s",
            "✓ all passed*",
            "acme.vault.v1",
            "  skipped: no installed distribution has an entry point for * (test_id_equals_entry_point_name)",
            "  skipped: the store offers no set, list and delete (test_delete_*, test_list_*, test_set_*)",
        ]
    )
    assert result.stdout.str().count("  skipped: the store offers") == 1
    assert result.ret == 0


def test_the_same_as_data(run) -> None:
    found = data_of(run, KEPT)["secret_stores"]["acme.vault.v1"]
    assert found["checks"] == {"secret_store": {"skipped": 3, "passed": TESTS - 3}, "identity": {"skipped": 1, "passed": 2}}
    assert [(note["outcome"], len(note["tests"])) for note in found["notes"]] == [("skipped", 1), ("skipped", 3)]


def test_an_expected_failure_says_why(run) -> None:
    source = STORE + (
        "\nclass TestVault(Holding):\n"
        "    @pytest.mark.xfail(reason='bytes until 2027 (docs.acme.example, 2026-11-21)')\n"
        "    def test_get_returns_text(self, store): raise AssertionError\n"
    )
    found = data_of(run, source)["secret_stores"]["acme.vault.v1"]
    assert found["checks"]["secret_store"] == {"xfailed": 1, "skipped": 3, "passed": TESTS - 4}
    why = "bytes until 2027 (docs.acme.example, 2026-11-21)"
    assert found["notes"][-1] == {"outcome": "xfailed", "reason": why, "tests": ["test_get_returns_text"]}


def test_what_failed_and_what_did_not_run_is_seen(run) -> None:
    wrong = KEPT.replace('["held"].get(name)', '["held"].get(name, "")')  # never misses a name
    result = run(wrong, TABLE, "-k", "missing_name or test_value or returns_text")
    result.stdout.fnmatch_lines([f"acme.vault.v1 *✗ 2 2F {TESTS - 4}-*? 0 3-"])
    assert result.ret == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fixture_that_fails_fails_the_test(run, when: str) -> None:
    source = KEPT + (
        "\n@pytest.fixture(autouse=True)\ndef broken():\n"
        f"    if {when == 'before'}: raise AssertionError\n"
        "    yield\n"
        "    raise AssertionError\n"
    )
    checks = data_of(run, source)["secret_stores"]["acme.vault.v1"]["checks"]
    assert checks == {"secret_store": {"failed": TESTS}, "identity": {"failed": 3}}


def test_two_classes_of_one_connector_are_one_line_and_the_worse_counts(run) -> None:
    source = KEPT + "\nclass TestVaultAgain(Holding):\n    secrets = {'EMPTY': None}\n"
    found = data_of(run, source)["secret_stores"]
    assert list(found) == ["acme.vault.v1"]
    assert found["acme.vault.v1"]["checks"]["secret_store"] == {"failed": 6, "skipped": 3, "passed": TESTS - 9}


def test_what_one_class_skips_another_may_pass(run) -> None:
    source = KEPT + "\nclass TestVaultAgain(Holding):\n    @pytest.fixture\n    def store(self): pytest.skip('not today')\n"
    for text in (source, source.replace("TestVaultAgain", "TestA")):  # whichever comes first
        found = data_of(run, text)["secret_stores"]["acme.vault.v1"]
        assert found["checks"]["secret_store"] == {"skipped": 3, "passed": TESTS - 3}
        assert {len(note["tests"]) for note in found["notes"] if note["reason"] == "not today"} == {3}


def test_a_test_with_parameters_is_one_check_and_the_worst_of_it_counts(run) -> None:
    source = STORE + (
        "\nclass TestVault(Holding):\n"
        "    @pytest.fixture(params=[1, 2, 3])\n"
        "    def store(self, request):\n"
        "        if request.param == 2: pytest.skip('no second')\n"
        "        return self.make(held=self.secrets)\n"
    )
    checks = data_of(run, source)["secret_stores"]["acme.vault.v1"]["checks"]
    assert checks["secret_store"] == {"skipped": TESTS}


def test_a_connector_without_an_id_has_the_name_of_its_class(run) -> None:
    found = data_of(run, KEPT.replace('    id = "acme.vault.v1"\n', "    id = property()\n").replace("store_class = Vault", ""))
    assert list(found["secret_stores"]) == ["TestVault"]


def test_the_data_do_not_depend_on_the_order(run, pytester: pytest.Pytester) -> None:
    source = KEPT + "\nclass TestBank(Holding):\n    store_class = type('Bank', (Vault,), {'id': 'acme.bank.v1'})\n"
    data_of(run, source)
    forwards = Path("kept.json").read_bytes()
    pytester.makeconftest("def pytest_collection_modifyitems(items): items.reverse()")
    data_of(run, source)
    assert Path("kept.json").read_bytes() == forwards
    assert list(json.loads(forwards)["secret_stores"]) == ["acme.bank.v1", "acme.vault.v1"]


def test_the_marker_chooses_the_tests_of_the_kit(run) -> None:
    result = run(KEPT, "-m", "modelmesh_conformance")
    result.assert_outcomes(passed=TESTS, skipped=4, deselected=1)  # a test of the class's own is one of them


def test_facts_travel_between_processes(run, pytester: pytest.Pytester) -> None:
    """As pytest-xdist sends reports: as plain data."""
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


def test_nobody_derived_a_class(run) -> None:
    result = run("def test_nothing(): ...", TABLE, DATA, "kept.json")
    result.stdout.fnmatch_lines(["*connector × checks*", "no test of a class derived from the conformance kit has run"])
    assert json.loads(Path("kept.json").read_text("utf-8")) == {}


def test_it_says_nothing_that_nobody_asked_for(run) -> None:
    result = run(KEPT)
    assert "connector × checks" not in result.stdout.str()
    assert "acme.vault.v1" not in result.stdout.str()


def test_other_peoples_tests_pay_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        test_other="""
        import sys

        def test_other():
            ours = sorted(name for name in sys.modules if name.startswith("modelmesh"))
            assert ours == ["modelmesh_cdk", "modelmesh_cdk.pytest_plugin"]
        """
    )
    command = [sys.executable, "-m", "pytest", "-p", "modelmesh_cdk.pytest_plugin", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout

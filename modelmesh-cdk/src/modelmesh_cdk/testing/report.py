"""Report of the conformance tests: outcomes of each connector, counted by group of tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field

from modelmesh.contracts import Kind

OUTCOMES = ("failed", "not run", "xfailed", "skipped", "passed")
"""Outcomes of a standard test. Of several runs with other parameters in one class, the earliest in this order counts."""

_BETWEEN_CLASSES = ("failed", "not run", "xfailed", "passed", "skipped")
"""The order for several test classes of one connector: one class may pass a test that another one skips."""

_HOUSED = {"naming": "identity", "conformance": "identity"}


def groups_of(suite: Any) -> dict[str, str]:
    """Return the group of each standard test of a test class, which is the module that defines it, in order."""
    by_module: dict[str, list[str]] = {}
    for name, test in suite.standard_tests():
        by_module.setdefault(test.__module__.rpartition(".")[2], []).append(name)
    return {name: _HOUSED.get(module, module) for module in reversed(by_module) for name in by_module[module]}


@define
class ConnectorReport:
    """Outcomes of one connector.

    Attributes:
        kind: Value of its ``Kind``.
        connector: ID of the connector, or the name of the test class if it has none.
        groups: Group of each standard test, by test and test class.
        runs: Outcome of each standard test that ran, by test and test class.
        reasons: Tests by outcome and reason.
    """

    kind: str
    connector: str
    groups: dict[tuple[str, str], str] = field(factory=dict)
    runs: dict[tuple[str, str], str] = field(factory=dict)
    reasons: dict[tuple[str, str], set[str]] = field(factory=dict)

    def add(self, test: str, suite: str, outcome: str, reason: str) -> None:
        """Record one run of a test."""
        before = self.runs.get((test, suite), OUTCOMES[-1])
        self.runs[test, suite] = min(before, outcome, key=OUTCOMES.index)
        if reason:
            self.reasons.setdefault((outcome, reason), set()).add(test)

    def outcomes(self) -> dict[str, str]:
        """Return the outcome of each standard test."""
        found: dict[str, str] = {}
        for test, suite in self.groups:
            outcome = self.runs.get((test, suite), "not run")
            found[test] = min(found.get(test, outcome), outcome, key=_BETWEEN_CLASSES.index)
        return found

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of tests by group and outcome, without zeros."""
        found: dict[str, dict[str, int]] = {}
        groups = {test: group for (test, _), group in self.groups.items()}
        for test, outcome in self.outcomes().items():
            found.setdefault(groups[test], dict.fromkeys(OUTCOMES, 0))[outcome] += 1
        return {group: {outcome: n for outcome, n in row.items() if n} for group, row in found.items()}

    def notes(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield outcome, reason and tests of skipped and expected failures, each reason once."""
        outcomes = self.outcomes()
        for (outcome, reason), tests in sorted(self.reasons.items()):
            gaps = sorted(test for test in tests if outcomes.get(test) not in (None, "passed"))
            if gaps:
                yield outcome, reason, gaps


class ConformanceReport:
    """Outcomes of all connectors, collected from plain data, which may come from another process."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], ConnectorReport] = {}

    def add_result(self, facts: Mapping[str, Any], outcome: str, reason: str) -> None:
        """Record one run of a test.

        Args:
            facts: ``kind``, ``connector``, ``suite`` and ``test``. The first run of a suite also has its ``groups``.
            outcome: One of :data:`OUTCOMES`, or an empty text if it is not known yet.
            reason: Reason of a skip or of an expected failure.
        """
        key = (facts["kind"], facts["connector"])
        kept = self._found.setdefault(key, ConnectorReport(*key))
        suite = facts["suite"]
        kept.groups.update({(test, suite): group for test, group in facts.get("groups", {}).items()})
        if outcome:
            kept.add(facts["test"], suite, outcome, reason)

    def kinds(self) -> Iterable[tuple[str, list[ConnectorReport]]]:
        """Yield each kind with its connectors, by ID."""
        for kind in (*map(str, Kind), ""):
            rows = [self._found[key] for key in sorted(self._found) if key[0] == kind]
            if rows:
                yield kind, rows

    def as_data(self) -> dict[str, Any]:
        """Return the report as plain data, independent of the order of the runs."""
        return {
            kind: {
                kept.connector: {
                    "checks": kept.counts(),
                    "notes": [{"outcome": outcome, "reason": why, "tests": tests} for outcome, why, tests in kept.notes()],
                }
                for kept in rows
            }
            for kind, rows in self.kinds()
        }

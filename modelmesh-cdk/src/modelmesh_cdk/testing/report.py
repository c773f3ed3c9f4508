"""What came of the standard tests of each connector, counted by group of checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field

from modelmesh.contracts import Kind

OUTCOMES = ("failed", "not run", "xfailed", "skipped", "passed")
"""What can come of a standard test; of its runs in one class, with other parameters, the earliest in this row counts."""

_BETWEEN_CLASSES = ("failed", "not run", "xfailed", "passed", "skipped")
"""The same for classes that test one connector in other ways: what one of them passes another may skip."""

_HOUSED = {"naming": "identity", "conformance": "identity"}


def groups_of(suite: Any) -> dict[str, str]:
    """Return the group of each standard test of a test class: the kit's module that defines it, in the kit's order."""
    by_module: dict[str, list[str]] = {}
    for name, test in suite.standard_tests():
        by_module.setdefault(test.__module__.rpartition(".")[2], []).append(name)
    return {name: _HOUSED.get(module, module) for module in reversed(by_module) for name in by_module[module]}


@define
class ConnectorReport:
    """What one connector keeps.

    Attributes:
        kind: Value of its ``Kind``.
        connector: Its ID, or the test class's name where it has none.
        groups: Group of each standard test, by test and test class.
        runs: What came of it, by the same; a test that did not run is not in it.
        reasons: Tests by what came of them and why.
    """

    kind: str
    connector: str
    groups: dict[tuple[str, str], str] = field(factory=dict)
    runs: dict[tuple[str, str], str] = field(factory=dict)
    reasons: dict[tuple[str, str], set[str]] = field(factory=dict)

    def add(self, test: str, suite: str, outcome: str, reason: str) -> None:
        """Take in one run of one test."""
        before = self.runs.get((test, suite), OUTCOMES[-1])
        self.runs[test, suite] = min(before, outcome, key=OUTCOMES.index)
        if reason:
            self.reasons.setdefault((outcome, reason), set()).add(test)

    def outcomes(self) -> dict[str, str]:
        """Return what came of each standard test."""
        found: dict[str, str] = {}
        for test, suite in self.groups:
            came = self.runs.get((test, suite), "not run")
            found[test] = min(found.get(test, came), came, key=_BETWEEN_CLASSES.index)
        return found

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of tests by group and outcome, without zeros."""
        found: dict[str, dict[str, int]] = {}
        groups = {test: group for (test, _), group in self.groups.items()}
        for test, outcome in self.outcomes().items():
            found.setdefault(groups[test], dict.fromkeys(OUTCOMES, 0))[outcome] += 1
        return {group: {outcome: n for outcome, n in row.items() if n} for group, row in found.items()}

    def notes(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield outcome, reason and tests of what is skipped or expected to fail, each reason once."""
        outcomes = self.outcomes()
        for (outcome, reason), tests in sorted(self.reasons.items()):
            gaps = sorted(test for test in tests if outcomes.get(test) not in (None, "passed"))
            if gaps:
                yield outcome, reason, gaps


class ConformanceReport:
    """What every connector keeps, gathered from plain facts, so that they may come from another process."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], ConnectorReport] = {}

    def take(self, facts: Mapping[str, Any], outcome: str, reason: str) -> None:
        """Take in one run of one test.

        Args:
            facts: ``kind``, ``connector``, ``suite``, ``test``; with the first of a suite also its ``groups``.
            outcome: One of :data:`OUTCOMES`; empty when nothing is known yet.
            reason: Why it was skipped or expected to fail.
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
        """Return all of it as plain data that is the same for the same outcomes, whatever the order they came in."""
        return {
            kind: {
                kept.connector: {
                    "checks": kept.counts(),
                    "notes": [{"outcome": came, "reason": why, "tests": tests} for came, why, tests in kept.notes()],
                }
                for kept in rows
            }
            for kind, rows in self.kinds()
        }

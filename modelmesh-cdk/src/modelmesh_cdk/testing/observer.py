"""Observer of a pytest run that reports the conformance of each connector as a table or a file."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from modelmesh_cdk.testing.conformance import Conformance
from modelmesh_cdk.testing.report import ConformanceReport, ConnectorReport, groups_of

_LETTERS = {"failed": "F", "not run": "-", "xfailed": "x", "skipped": "s"}
_MARKS = {"failed": "✗", "not run": "?", "xfailed": "~", "skipped": "~"}
_COLOURS = {"✗": "red", "?": "yellow", "~": "yellow", "✓": "green"}
_LEGEND = "✓ all passed   ~ some skipped (s) or expected to fail (x)   ? some not run (-)   ✗ some failed (F)"


class Observer:
    """Pytest hooks of the report. Facts are attributes of test reports, so that they survive the transfer between processes."""

    def __init__(self, config: pytest.Config, *, table: bool, file: str | None) -> None:
        self._table = table
        self._file = config.invocation_params.dir / file if file else None
        self._everyone = ConformanceReport()
        self._suites: dict[type, dict[str, Any]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the connector and the standard test to a test report."""
        report = yield
        cls = getattr(item, "cls", None)
        if isinstance(cls, type) and issubclass(cls, Conformance):
            facts: dict[str, Any] = {"test": getattr(item, "originalname", item.name)}
            if cls not in self._suites:
                self._suites[cls] = _about(cls)
                facts["groups"] = groups_of(cls)
            report.modelmesh = {**self._suites[cls], **facts}  # type: ignore[attr-defined] # a report accepts any attribute
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcome."""
        facts = getattr(report, "modelmesh", None)
        if facts:
            self._everyone.add_result(facts, *_outcome_and_reason(report))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file, unless this process is a worker."""
        if self._file and not hasattr(session.config, "workerinput"):
            text = json.dumps(self._everyone.as_data(), indent=2, ensure_ascii=False)
            self._file.write_text(f"{text}\n", "utf-8")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        if self._table:
            terminalreporter.section("connector × checks")
            for line, mark in _lines(self._everyone):
                colour = {_COLOURS[mark]: True} if mark in _COLOURS else {}
                terminalreporter.write_line(line.rstrip(), **colour)


def _about(cls: Any) -> dict[str, str]:
    """Return the connector of a test class. Standard tests report problems of its name."""
    try:
        connector = str(cls().connector.id)
    except Exception:  # noqa: BLE001 - the class is its author's
        connector = cls.__qualname__
    return {"kind": str(getattr(cls, "kind", "")), "connector": connector, "suite": f"{cls.__module__}.{cls.__qualname__}"}


def _outcome_and_reason(report: pytest.TestReport) -> tuple[str, str]:
    if report.failed:
        return "failed", ""
    if report.skipped and hasattr(report, "wasxfail"):
        return "xfailed", report.wasxfail.removeprefix("reason: ")
    if report.skipped:
        detail = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        return "skipped", detail.removeprefix("Skipped: ")
    return ("passed" if report.when == "call" else ""), ""


def _lines(everyone: ConformanceReport) -> Iterator[tuple[str, str]]:
    """Yield the lines of the table and their marks."""
    notes: list[tuple[str, str]] = []
    for kind, rows in everyone.kinds():
        counts = {kept.connector: kept.counts() for kept in rows}
        groups = list(dict.fromkeys(group for row in counts.values() for group in row))
        head = [word.replace("_", " ") for word in (kind, *groups)]
        grid = [head, *([name, *(_cell(row.get(group)) for group in groups)] for name, row in counts.items())]
        widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
        for row in grid:
            worst = next((mark for mark in _COLOURS if any(cell.startswith(mark) for cell in row[1:])), "")
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)), worst
        yield "", ""
        notes += [line for kept in rows for line in _notes(kept)]
    if not list(everyone.kinds()):
        yield "no test of a class derived from the conformance kit has run", ""
        return
    yield _LEGEND, ""
    yield from notes


def _cell(row: dict[str, int] | None) -> str:
    if not row:
        return ""
    others = [f" {row[outcome]}{letter}" for outcome, letter in _LETTERS.items() if outcome in row]
    mark = next((mark for outcome, mark in _MARKS.items() if outcome in row), "✓")
    return f"{mark} {row.get('passed', 0)}{''.join(others)}"


def _notes(kept: ConnectorReport) -> Iterator[tuple[str, str]]:
    for number, (outcome, reason, tests) in enumerate(kept.notes()):
        if not number:
            yield "", ""
            yield kept.connector, ""
        yield f"  {outcome}: {reason} ({', '.join(tests)})", ""

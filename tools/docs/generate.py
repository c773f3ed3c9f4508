"""Write the generated parts of the documentation. Run this file after a change. ``--check`` fails where a page is stale.

A generated part stands between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``. Tables of fields keep the last
column of the page, which authors write. A field without a description fails the check.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable
from pathlib import Path

import benchmark_tables
import catalogue_page
import kit_tests
import message_rules_page
import metrics_page
import strategy_spread
from failure_classes import failure_classes
from field_tables import MISSING, fields_of, keys_of
from hook_table import hooks

from modelmesh._engine.config import schema
from modelmesh._engine.foundation import attempts
from modelmesh.contracts import observability

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMAND = "python tools/docs/generate.py"
PART = re.compile(r"(<!-- begin: (?P<name>[\w ]+) -->\n)(?P<body>.*?)(<!-- end: (?P=name) -->)", re.DOTALL)

SECTIONS = {name: keys_of(cls) for name, cls in vars(schema).items() if name.endswith("Section") and not name.startswith("_")}
RECORDS = {
    cls.__name__: fields_of(cls)
    for cls in (
        observability.RoutingEvent,
        observability.RequestLogEntry,
        observability.AggregateStats,
        observability.TraceEntry,
        attempts.Attempt,
    )
}
STRATEGIES = "reference/strategies.md"
COSTS: dict[str, Callable[[str], str]] = {
    "selection": benchmark_tables.selection,
    "first choice": benchmark_tables.first_choice,
    "conditions": benchmark_tables.conditions,
}
"""Tables of the benchmarks on the page of strategies."""


def pictures() -> dict[str, Callable[[str], str]]:
    """Return the generator of each strategy's spread. The picture of a strategy that is not installed stays unchanged."""
    on_page = {match["name"]: lambda before: before for match in PART.finditer((DOCS / STRATEGIES).read_text("utf-8"))}
    return {**on_page, **strategy_spread.parts(), **COSTS}


PAGES: dict[str, dict[str, Callable[[str], str]]] = {
    "../benchmarks/README.md": {"results": benchmark_tables.results, "conditions": benchmark_tables.conditions},
    "explanation/performance.md": {
        "goals": benchmark_tables.goals,
        "conditions": benchmark_tables.conditions,
        "proxy": benchmark_tables.proxy,
        "proxy conditions": benchmark_tables.proxy_conditions,
    },
    "explanation/what-happens-when-a-provider-fails.md": {"classes": failure_classes},
    "how-to/test-a-connector.md": {"conformance tests": kit_tests.conformance_tests},
    "reference/catalogue.md": {
        "overview": catalogue_page.overview,
        "providers": catalogue_page.providers,
        "others": catalogue_page.others,
    },
    "reference/configuration.md": SECTIONS,
    "reference/connector-hooks.md": {"hooks": hooks},
    "reference/message-rules.md": {"vendors": message_rules_page.vendors},
    "reference/metrics.md": {"metrics": metrics_page.metrics, "buckets": metrics_page.buckets},
    "reference/observability-records.md": RECORDS,
    STRATEGIES: pictures(),
}


def render(page: str, text: str) -> str:
    """Return a page with its generated parts replaced.

    Raises:
        ValueError: A part is missing, or has no generator.
    """
    generators, seen = PAGES[page], []

    def replace(match: re.Match[str]) -> str:
        seen.append(match["name"])
        if match["name"] not in generators:
            message = f"{_path(page)}: no generator for part {match['name']!r}"
            raise ValueError(message)
        return match[1] + generators[match["name"]](match["body"]) + match[4]

    text = PART.sub(replace, text)
    missing = [name for name in generators if name not in seen]
    if missing:
        message = (
            f"{_path(page)}: missing part {', '.join(missing)}. Add <!-- begin: {missing[0]} --> and <!-- end: {missing[0]} -->"
        )
        raise ValueError(message)
    return text


def _path(page: str) -> str:
    return posixpath.normpath(f"docs/{page}")


def main(arguments: list[str]) -> int:
    """Rewrite the pages, or with ``--check`` list the stale ones. Return the exit code."""
    stale = False
    for page in PAGES:
        file = DOCS / page
        text = file.read_text("utf-8")
        try:
            new = render(page, text)
        except ValueError as error:
            print(error)
            stale = True
            continue
        if MISSING in new:
            print(f"{_path(page)}: a field has no description. Search for {MISSING!r}.")
            stale = True
        if new != text and "--check" in arguments:
            print(f"{_path(page)} is stale. Run: {COMMAND}")
            stale = True
        elif new != text:
            file.write_text(new, "utf-8")
            print(f"{_path(page)} written")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

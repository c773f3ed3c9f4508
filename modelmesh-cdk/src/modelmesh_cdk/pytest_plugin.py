"""pytest plugin of the conformance kit: two options and a marker.

pytest loads this module in every environment that has the kit, so it imports pytest only. Option names are long to avoid
conflicts. :mod:`modelmesh_cdk.testing.observer` implements the options.
"""

from __future__ import annotations

import sys

import pytest

MARKER = "modelmesh_conformance"
_KIT = "modelmesh_cdk.testing.conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("modelmesh", "conformance of ModelMesh's connectors")
    group.addoption(
        "--modelmesh-conformance",
        action="store_true",
        help="print at the end, for each connector, what it keeps of the standard tests, and why not the rest",
    )
    group.addoption("--modelmesh-conformance-json", metavar="FILE", help="write the same into a file, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the observer if an option requests it."""
    config.addinivalue_line("markers", f"{MARKER}: a test of a class derived from ModelMesh's conformance kit")
    table, file = config.getoption("--modelmesh-conformance"), config.getoption("--modelmesh-conformance-json")
    if table or file:
        from modelmesh_cdk.testing.observer import Observer  # noqa: PLC0415 - only if requested

        config.pluginmanager.register(Observer(config, table=table, file=file), "modelmesh_conformance")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the kit before ``-m`` selects tests."""
    kit = sys.modules.get(_KIT)
    if kit is None:  # no test class derives from the kit
        return
    for item in items:
        cls = getattr(item, "cls", None)
        if isinstance(cls, type) and issubclass(cls, kit.Conformance):
            item.add_marker(MARKER)

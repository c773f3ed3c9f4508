"""What pytest loads wherever this package is installed, beside anybody's tests: two options and a marker.

Nothing is imported here but pytest, which is there already, and names are long so that they meet nobody else's. What the
options ask for is in :mod:`modelmesh_cdk.testing.observer`.
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
    """Name the marker; load what observes the tests when somebody asks for it."""
    config.addinivalue_line("markers", f"{MARKER}: a test of a class derived from ModelMesh's conformance kit")
    table, file = config.getoption("--modelmesh-conformance"), config.getoption("--modelmesh-conformance-json")
    if table or file:
        from modelmesh_cdk.testing.observer import Observer  # noqa: PLC0415 - only when asked for

        config.pluginmanager.register(Observer(config, table=table, file=file), "modelmesh_conformance")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the kits, before ``-m`` chooses among them."""
    kit = sys.modules.get(_KIT)
    if kit is None:  # nobody has derived a class from it
        return
    for item in items:
        cls = getattr(item, "cls", None)
        if isinstance(cls, type) and issubclass(cls, kit.Conformance):
            item.add_marker(MARKER)

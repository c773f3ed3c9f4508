"""The connector's name: what every kind has in common."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, ClassVar

import pytest

from modelmesh.contracts import ConnectorId, Kind
from modelmesh_cdk.testing.conformance import Conformance


class Named(Conformance):
    """A connector's class carries the ID that its entry point has as its name."""

    kind: ClassVar[Kind]
    """Which of the six kinds of connector it is; the kit sets it."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        raise NotImplementedError

    def test_id_is_an_id(self) -> None:
        """The class has an ID by the grammar: ``vendor.service.v1``."""
        assert str(ConnectorId.parse(self.connector.id)) == self.connector.id

    def test_id_agrees_with_the_entry_point(self) -> None:
        """The entry point that names the class has the class's ID as its name."""
        cls, group = self.connector, self.kind.group
        package = cls.__module__.partition(".")[0]
        points = [point for point in entry_points(group=group) if point.module.partition(".")[0] == package]
        if not points:
            pytest.skip(f"no installed distribution has an entry point for {package}")
        names = [point.name for point in points if point.load() is cls]
        assert names == [cls.id], f"{cls.__qualname__}.id is {cls.id!r}; entry points of {group!r} call it {names}"

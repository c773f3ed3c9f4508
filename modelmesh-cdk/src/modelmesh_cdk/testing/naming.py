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

    def test_id_follows_the_grammar(self) -> None:
        """The class has an ID such as ``vendor.service.v1``."""
        assert str(ConnectorId.parse(self.connector.id)) == self.connector.id

    def test_id_equals_entry_point_name(self) -> None:
        """The name of the class's entry point equals the class's ID."""
        cls, group = self.connector, self.kind.group
        package = cls.__module__.partition(".")[0]
        points = [point for point in entry_points(group=group) if point.module.partition(".")[0] == package]
        if not points:
            pytest.skip(f"no installed distribution has an entry point for {package}")
        names = [point.name for point in points if point.load() is cls]
        assert names == [cls.id], f"{cls.__qualname__}.id is {cls.id!r}; entry points of {group!r} call it {names}"

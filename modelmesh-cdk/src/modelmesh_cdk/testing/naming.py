"""Conformance tests of a connector's ID and package, shared by all kinds."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, ClassVar

import pytest

from modelmesh.contracts import ConnectorId, Kind
from modelmesh_cdk.testing.conformance import Conformance
from modelmesh_cdk.testing.package_imports import CORE, KIT, private_imports, sources_of


class NamedConnector(Conformance):
    """Tests of the ID, the entry point and the imports of the package."""

    kind: ClassVar[Kind]
    """Kind of connector, set by the kit."""

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
        assert names == [cls.id], f"{cls.__qualname__}.id is {cls.id!r}, and the entry points of {group!r} are named {names}"

    def test_package_imports_only_public_names(self) -> None:
        """The package of the connector imports no private name of ModelMesh or of its kit."""
        module = self.connector.__module__
        if module.partition(".")[0] in (CORE, KIT):
            return  # core and kit are released together
        files = sources_of(module)
        if not files:
            pytest.skip(f"the source of {module} was not found")
        found = [f"{file}:{line}: {name}" for file in files for line, name in private_imports(file)]
        assert not found, "Private imports, which any release may break:\n" + "\n".join(found)

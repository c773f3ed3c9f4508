"""Detection of private imports in the package of a connector."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from modelmesh_cdk.testing.package_imports import PUBLIC_KIT_PACKAGES, private_imports, sources_of

SOURCE = """
import modelmesh._engine.routing.pool
import modelmesh.cli.main as command_line
from modelmesh import _engine, create
from modelmesh_cdk import BaseStorage, provider
from modelmesh_cdk.strategy import remaining, pool_membership

if True:
    from modelmesh_cdk.testing.upstream import Upstream

def late():
    import modelmesh_cdk.wire.sse
"""
PUBLIC = """
import modelmesh.contracts, modelmesh_cdk, modelmesh_connector_acme
from modelmesh import ModelMesh, __version__
from modelmesh.cdk import BaseStrategy
from modelmesh_cdk import __version__
from modelmesh_cdk.testing import Upstream, dialects
from modelmesh_cdk.storage import RESERVED, is_over
from .provider import Acme
from . import _engine
"""


def test_private_imports_are_found(tmp_path: Path) -> None:
    file = tmp_path / "provider.py"
    file.write_text(SOURCE, "utf-8")
    assert sorted(private_imports(file)) == [
        (2, "modelmesh._engine.routing.pool"),
        (3, "modelmesh.cli.main"),
        (4, "modelmesh._engine"),
        (5, "modelmesh_cdk.provider"),
        (6, "modelmesh_cdk.strategy.pool_membership"),
        (9, "modelmesh_cdk.testing.upstream"),
        (12, "modelmesh_cdk.wire.sse"),
    ]


def test_public_imports_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "provider.py"
    file.write_text(PUBLIC, "utf-8")
    assert list(private_imports(file)) == []


def test_sources_are_those_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "acme_shared" / "acme_vendor"  # acme_shared is a namespace package
    package.joinpath("deep").mkdir(parents=True)
    for name in ("__init__.py", "provider.py", "deep/part.py", "models.json"):
        package.joinpath(name).touch()
    tmp_path.joinpath("acme_shared", "other.py").touch()
    tmp_path.joinpath("acme_single.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    found = sources_of("acme_shared.acme_vendor.provider")
    assert [file.relative_to(package).as_posix() for file in found] == ["__init__.py", "deep/part.py", "provider.py"]
    assert sources_of("acme_single") == [tmp_path / "acme_single.py"]
    assert sources_of("acme_missing") == []
    for name in [name for name in sys.modules if name.startswith("acme_shared")]:
        monkeypatch.delitem(sys.modules, name)


def test_public_packages_have_public_names() -> None:
    assert all(import_module(package).__all__ for package in PUBLIC_KIT_PACKAGES)

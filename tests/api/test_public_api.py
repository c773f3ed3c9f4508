"""The public API against its snapshot."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools/public_api.py"


@pytest.fixture
def public_api():
    spec = importlib.util.spec_from_file_location("public_api", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["public_api"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["public_api"]


def test_public_api_equals_its_snapshot(public_api) -> None:
    kept = public_api.SNAPSHOT.read_text("utf-8").splitlines()
    found = public_api.describe_api().splitlines()
    changes = list(difflib.unified_diff(kept, found, "snapshot", "code", n=0, lineterm=""))
    assert not changes, "\n".join([*changes, "If the change is intended: python tools/public_api.py --write"])


def test_public_api_snapshot_notices_a_changed_signature(public_api, monkeypatch: pytest.MonkeyPatch) -> None:
    from modelmesh.client import MeshClient

    before = public_api.describe_api()
    monkeypatch.setattr(MeshClient, "describe", lambda self, brief=False: "")
    assert public_api.describe_api() != before


def test_public_api_snapshot_notices_a_removed_name(public_api, monkeypatch: pytest.MonkeyPatch) -> None:
    import modelmesh.contracts

    before = public_api.describe_api()
    monkeypatch.setattr(modelmesh.contracts, "__all__", [name for name in modelmesh.contracts.__all__ if name != "FailureClass"])
    assert public_api.describe_api() != before


def test_public_names_have_docstrings(public_api) -> None:
    undocumented = []
    for name in public_api.MODULES:
        module = importlib.import_module(name)
        for public in module.__all__:
            value = getattr(module, public)
            if isinstance(value, type) and not value.__doc__:
                undocumented.append(f"{name}.{public}")
    assert not undocumented


def test_public_api_mentions_public_classes_only(public_api) -> None:
    lines = [f"{name}: {line}" for name, line in public_api.undeclared_classes().items()]
    assert not lines, "\n".join([*lines, "Export the class from a public module, or give a reason in PRIVATE_CLASSES"])


def test_private_classes_of_the_public_api_are_in_use(public_api) -> None:
    assert public_api.unused_exceptions() == set()


def test_undeclared_classes_notices_a_private_result(public_api, monkeypatch: pytest.MonkeyPatch) -> None:
    import modelmesh.client

    exported = [name for name in modelmesh.client.__all__ if name != "PoolInfo"]
    monkeypatch.setattr(modelmesh.client, "__all__", exported)
    assert "PoolInfo" in public_api.undeclared_classes()

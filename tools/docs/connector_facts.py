"""The connectors of this repository: facts from their packages, and the results of their conformance tests."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from attrs import frozen

from modelmesh._engine.plugins.aliases import ID_ALIASES, OBSERVABILITY_ALIASES
from modelmesh.contracts import ConnectorId, Kind
from modelmesh.contracts.models import ModelInfo
from modelmesh_cdk.provider.catalogue import load_catalogue

ROOT = Path(__file__).resolve().parents[2]
CONFORMANCE = ROOT / "docs" / "reference" / "conformance.json"


@frozen
class Connector:
    """One connector of one package: its ID, class, and the facts of its package."""

    id: str
    kind: Kind
    cls: Any
    package: str
    name: str
    detected_by: tuple[str, ...]

    @property
    def short(self) -> str:
        """The short name in a list of providers or as a pool's ``strategy``. Empty for other kinds."""
        if self.kind is Kind.PROVIDER:
            return ConnectorId.parse(self.id).provider_name
        return self.id.removeprefix("modelmesh.").rpartition(".")[0] if self.kind is Kind.STRATEGY else ""

    @property
    def aliases(self) -> list[str]:
        """Other IDs that mean the same."""
        known = ID_ALIASES | (OBSERVABILITY_ALIASES if self.kind is Kind.OBSERVABILITY else {})
        return sorted(alias for alias, real in known.items() if real == self.id)

    @property
    def models(self) -> Sequence[ModelInfo]:
        """The rows of its ``models.json``."""
        return load_catalogue(self._import)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The facts of ``models.json`` about all rows: source, date, free tier."""
        return json.loads(files(self._import).joinpath("models.json").read_text("utf-8"))  # type: ignore[no-any-return]

    @property
    def results(self) -> Mapping[str, Any]:
        """Results of its conformance tests: ``checks`` by group and outcome, and ``notes``. Both are empty if none ran."""
        found = _conformance().get(self.kind.value, {})
        return found.get(self.id, {"checks": {}, "notes": []})  # type: ignore[no-any-return]

    @property
    def _import(self) -> str:
        return str(self.cls.__module__.partition(".")[0])


@cache
def connectors() -> tuple[Connector, ...]:
    """Return every connector of the workspace, by kind and name."""
    members = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]["workspace"]["members"]
    projects = sorted(file for member in members for file in ROOT.glob(f"{member}/pyproject.toml"))
    found = [one for file in projects for one in _of_package(tomllib.loads(file.read_text("utf-8"))["project"])]
    return tuple(sorted(found, key=lambda one: (list(Kind).index(one.kind), one.name.lower(), one.id)))


def _of_package(project: Mapping[str, Any]) -> Iterator[Connector]:
    groups = project.get("entry-points", {})
    for kind in Kind:
        for name, value in groups.get(kind.group, {}).items():
            module, _, attribute = value.partition(":")
            detected = tuple(one for one, target in groups.get("modelmesh.autodetect", {}).items() if target == value)
            vendor = re.match(r"(.+?),? as a provider of ModelMesh\.", project["description"])
            shown = vendor[1] if vendor and kind is Kind.PROVIDER and len(groups[kind.group]) == 1 else name
            yield Connector(name, kind, getattr(import_module(module), attribute), project["name"], shown, detected)


@cache
def _conformance() -> dict[str, Any]:
    return json.loads(CONFORMANCE.read_text("utf-8"))  # type: ignore[no-any-return]

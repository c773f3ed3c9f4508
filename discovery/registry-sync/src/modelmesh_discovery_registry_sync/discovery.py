"""Comparison of the providers' model lists with the models of the mesh."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from modelmesh_cdk import BaseDiscovery


class RegistrySync(BaseDiscovery):
    """Comparison that requests each provider's list of models and reports new, removed and changed models.

    A connector without such a request returns its shipped catalogue, which does not change. A provider that does not
    answer, or returns an empty list, is reported as an error, and its models are kept.
    """

    id: ClassVar[str] = "modelmesh.registry-sync.v1"
    options: ClassVar[Collection[str]] = ()

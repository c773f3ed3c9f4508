"""What vendors list, against what the mesh knows."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from modelmesh_cdk import BaseDiscovery


class RegistrySync(BaseDiscovery):
    """Asks each provider for the models it lists now, and says which are new, gone or changed.

    A provider whose connector cannot ask gives the catalogue that it ships, in which nothing changes. One that does not
    answer, or lists nothing at all, is an error among the results, and none of its models is taken to be gone.
    """

    id: ClassVar[str] = "modelmesh.registry-sync.v1"
    options: ClassVar[Collection[str]] = ()

"""Conformance of RegistrySync."""

from __future__ import annotations

from modelmesh_discovery_registry_sync import RegistrySync

from modelmesh_cdk.testing import DiscoveryConformance


class TestRegistrySync(DiscoveryConformance):
    discovery_class = RegistrySync

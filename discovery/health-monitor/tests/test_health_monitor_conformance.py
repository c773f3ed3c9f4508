"""Conformance of HealthMonitor."""

from __future__ import annotations

from modelmesh_discovery_health_monitor import HealthMonitor

from modelmesh_cdk.testing import DiscoveryConformance


class TestHealthMonitor(DiscoveryConformance):
    discovery_class = HealthMonitor

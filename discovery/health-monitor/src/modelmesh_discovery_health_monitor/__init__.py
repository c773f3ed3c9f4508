"""Discovery connector that probes providers: ``modelmesh.health-monitor.v1``."""

from modelmesh_discovery_health_monitor.discovery import HealthMonitor

__all__ = ["HealthMonitor"]

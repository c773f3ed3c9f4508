"""Conformance of ConsoleObservability."""

from __future__ import annotations

from modelmesh_observability_console import ConsoleObservability

from modelmesh_cdk.testing import ObservabilityConformance


class TestConsole(ObservabilityConformance):
    sink_class = ConsoleObservability

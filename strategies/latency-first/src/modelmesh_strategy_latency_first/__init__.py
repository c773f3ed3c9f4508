"""Latency-first: ``modelmesh.latency-first.v1``."""

from modelmesh_strategy_latency_first.strategy import LatencyFirst

__all__ = ["LatencyFirst"]

"""Text of metrics, in the format that the scraper accepts: Prometheus' own, or OpenMetrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from modelmesh_proxy.metrics.definitions import METRICS, Kind, Metric
from modelmesh_proxy.metrics.series import Labels, Snapshot

Rows = Iterable[tuple[Labels, list[float]]]


def encode(snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
    """Return metrics as text and its media type.

    Args:
        snapshot: The values.
        accept: Header ``Accept`` of the scraper.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_SnapshotCollector(snapshot))
    encoder, media_type = choose_encoder(accept)
    return encoder(registry), media_type


class _SnapshotCollector(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            yield _family(metric, self._snapshot.get(metric.name, ()))


def _family(metric: Metric, rows: Rows) -> Family:
    if metric.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.text, labels=metric.labels)
        bounds = [*map(str, metric.bounds), "+Inf"]
        for labels, values in rows:
            buckets = list(zip(bounds, accumulate(values[:-1]), strict=True))
            histogram.add_metric(labels, buckets, values[-1])
        return histogram
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.text, labels=metric.labels)
    for labels, values in rows:
        family.add_metric(labels, values[0])
    return family

"""Values of metrics by their labels, as plain lists that cost little to change and that JSON can carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from modelmesh_proxy.metrics.definitions import METRICS, Kind, Merge, Metric

MAX_SERIES = 1000
"""Label sets of one metric. Further ones are counted together under ``other``."""

Labels = tuple[str, ...]
Snapshot = dict[str, list[tuple[Labels, list[float]]]]
"""Label sets with their values, by name of the metric."""

_BY_NAME = {metric.name: metric for metric in METRICS}
_PICK = {Merge.MAX: max, Merge.MIN: min}


class SeriesStore:
    """Values of this process.

    A value is a list: one number for a counter or gauge, the count of each bucket and then the sum for a histogram.
    """

    def __init__(self) -> None:
        """Start without values."""
        self._values: dict[str, dict[Labels, list[float]]] = {metric.name: {} for metric in METRICS}

    def cell(self, metric: Metric, *labels: str) -> list[float]:
        """Return the value of a label set. A caller may keep it and change it in place."""
        series = self._values[metric.name]
        found = series.get(labels)
        if found is None:
            if len(series) >= MAX_SERIES:
                labels = ("other",) * len(labels)
            size = len(metric.bounds) + 2 if metric.kind is Kind.HISTOGRAM else 1
            found = series.setdefault(labels, [0.0] * size)
        return found

    def replace(self, metric: Metric, rows: Iterable[tuple[Labels, float]]) -> None:
        """Replace all values of a gauge. Rows beyond :data:`MAX_SERIES` are left out."""
        series = self._values[metric.name]
        series.clear()
        for labels, value in rows:
            if len(series) >= MAX_SERIES:
                return
            series[labels] = [value]

    def snapshot(self) -> Snapshot:
        """Return a copy of all values."""
        return {name: [(labels, list(value)) for labels, value in rows.items()] for name, rows in self._values.items() if rows}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Add the counters and histograms of an earlier process."""
        for name, rows in saved.items():
            metric = _BY_NAME.get(name)
            if metric is None or metric.kind is Kind.GAUGE:
                continue
            for labels, values in rows:
                cell = self.cell(metric, *labels)
                if len(cell) == len(values):
                    cell[:] = map(sum, zip(cell, values, strict=True))


def merge(snapshots: Iterable[Mapping[str, Any]]) -> Snapshot:
    """Return the values of several processes as one."""
    merged: dict[str, dict[Labels, list[float]]] = {}
    for snapshot in snapshots:
        for name, rows in snapshot.items():
            metric = _BY_NAME.get(name)
            if metric is None:  # of a worker with another version
                continue
            series, pick = merged.setdefault(name, {}), _PICK.get(metric.merge, _add)
            for labels, values in rows:
                known = series.get(tuple(labels))
                series[tuple(labels)] = list(values) if known is None else list(map(pick, known, values))
    return {name: list(series.items()) for name, series in merged.items()}


def _add(one: float, other: float) -> float:
    return one + other

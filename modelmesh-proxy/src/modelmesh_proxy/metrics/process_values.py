"""Values of this process and of the installed packages."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import ProcessCollector

from modelmesh_proxy.metrics import definitions
from modelmesh_proxy.metrics.series import SeriesStore

_BY_NAME = {
    metric.name.removesuffix("_total"): metric
    for metric in (
        definitions.CPU,
        definitions.RESIDENT,
        definitions.VIRTUAL,
        definitions.OPEN_FILES,
        definitions.MAX_FILES,
        definitions.STARTED,
    )
}
_COLLECTOR = ProcessCollector(registry=None)


def read_process(store: SeriesStore) -> None:
    """Replace the values of this process. Only Linux has them."""
    for family in _COLLECTOR.collect():
        metric = _BY_NAME.get(family.name)
        if metric is not None:
            store.replace(metric, [((), family.samples[0].value)])
    store.replace(definitions.WORKERS, [((), 1.0)])
    store.replace(
        definitions.BUILD, [((_version("modelmesh-proxy"), _version("modelmesh-core"), platform.python_version()), 1.0)]
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"

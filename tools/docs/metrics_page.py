"""Tables of the metrics of a proxy."""

from __future__ import annotations

from markdown import table

from modelmesh_proxy.metrics.definitions import METRICS, Kind, Metric

_SUBJECTS = {
    "HTTP requests": ("modelmesh_http",),
    "Models and failover": (
        "modelmesh_attempts",
        "modelmesh_provider",
        "modelmesh_failovers",
        "modelmesh_pool",
        "modelmesh_streams",
    ),
    "Tokens and cost": ("modelmesh_tokens", "modelmesh_cost", "modelmesh_unknown"),
    "Limits": ("modelmesh_budget", "modelmesh_quota", "modelmesh_rate_limit", "modelmesh_account"),
    "Health": ("modelmesh_circuit", "modelmesh_store", "modelmesh_counts"),
    "The process": ("modelmesh_config", "modelmesh_workers", "modelmesh_build", "process_"),
}


def metrics(_: str) -> str:
    """Return a table for each subject.

    Raises:
        ValueError: A metric belongs to no subject.
    """
    parts, left = [], list(METRICS)
    for subject, prefixes in _SUBJECTS.items():
        found = [metric for metric in METRICS if metric.name.startswith(prefixes)]
        left = [metric for metric in left if metric not in found]
        rows = [_row(metric) for metric in found]
        parts.append(f"### {subject}\n\n{table(('metric', 'type', 'labels', 'meaning', 'workers'), rows)}")
    if left:
        message = f"metrics without a subject: {', '.join(metric.name for metric in left)}"
        raise ValueError(message)
    return "\n".join(parts)


def buckets(_: str) -> str:
    """Return the upper bounds of the histograms."""
    found = {metric.bounds for metric in METRICS if metric.kind is Kind.HISTOGRAM}
    return "".join(f"Buckets of every histogram, in seconds: {', '.join(f'{bound:g}' for bound in one)}.\n" for one in found)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} | {metric.merge} |"

"""The metrics of a proxy: name, kind, labels, and how the values of several workers add up.

The metrics reference is generated from this table.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class Kind(StrEnum):
    """Type of a metric, as Prometheus names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """Value of several workers."""

    SUM = "sum"
    """Their sum."""
    MAX = "maximum"
    """The largest, for what every worker counts for all, and for the worst state."""
    MIN = "minimum"
    """The smallest."""


@frozen
class Metric:
    """One metric.

    Attributes:
        name: Name of its samples, without the suffixes of a histogram.
        kind: Its type.
        text: Description. Prometheus shows it as help.
        labels: Names of its labels.
        merge: Value of several workers.
        bounds: Upper bounds of the buckets of a histogram, without infinity.
    """

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    merge: Merge = Merge.SUM
    bounds: tuple[float, ...] = ()


DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Buckets of durations in seconds, from a cached error to a long stream."""

_MODEL = ("provider", "model")
_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

REQUESTS = Metric("modelmesh_http_requests_total", _C, "HTTP requests that ended.", ("method", "route", "status"))
IN_FLIGHT = Metric("modelmesh_http_requests_in_flight", _G, "HTTP requests that run now, open streams included.")
DURATION = Metric(
    "modelmesh_http_request_duration_seconds",
    _H,
    "Time from the head of a request to the last byte of its answer.",
    ("route",),
    bounds=DURATIONS,
)
FIRST_BYTE = Metric(
    "modelmesh_http_time_to_first_byte_seconds",
    _H,
    "Time from the head of a request to the first byte of the body of its answer.",
    ("route",),
    bounds=DURATIONS,
)
ATTEMPTS = Metric(
    "modelmesh_attempts_total",
    _C,
    "Requests that were sent to models. `failure` is the failure class, and empty without a failure.",
    (*_MODEL, "outcome", "failure"),
)
RESPONSE_TIME = Metric(
    "modelmesh_provider_response_seconds",
    _H,
    "Time of an attempt to the answer of the provider, to the first content of its stream, or to the failure.",
    ("provider",),
    bounds=DURATIONS,
)
FAILOVERS = Metric("modelmesh_failovers_total", _C, "Steps of a request from one model to the next.", ("pool",))
POOL_REQUESTS = Metric(
    "modelmesh_pool_requests_total",
    _C,
    "Requests of a pool by the outcome of their last attempt. `no_attempt` is a request that no model could take.",
    ("pool", "outcome"),
)
TOKENS = Metric(
    "modelmesh_tokens_total",
    _C,
    "Tokens that providers reported, or estimates where they reported none. `direction` is `input` or `output`.",
    (*_MODEL, "direction"),
)
COST = Metric("modelmesh_cost_dollars_total", _C, "Cost in USD of the attempts with a known cost.", _MODEL)
UNKNOWN_COST = Metric(
    "modelmesh_unknown_cost_attempts_total",
    _C,
    "Attempts that the provider may charge for at an unknown amount. `modelmesh_cost_dollars_total` omits them.",
    _MODEL,
)
INTERRUPTED = Metric("modelmesh_streams_interrupted_total", _C, "Streams that broke after their first content.", _MODEL)
BUDGET_SPENT = Metric(
    "modelmesh_budget_spent_dollars",
    _G,
    "Spent and reserved USD of a budget in its window. `kind` is `pool`, `provider`, `model`, `token` or `team`.",
    ("kind", "name", "window"),
    Merge.MAX,
)
BUDGET_LIMIT = Metric("modelmesh_budget_limit_dollars", _G, "Amount of a budget in USD.", ("kind", "name", "window"), Merge.MAX)
QUOTA_REMAINING = Metric(
    "modelmesh_quota_remaining",
    _G,
    "Requests or tokens that remain of a configured limit until its reset. `unit` is `requests` or `tokens`.",
    ("kind", "name", "unit", "window"),
    Merge.MIN,
)
RATE_LIMIT_REMAINING = Metric(
    "modelmesh_rate_limit_remaining",
    _G,
    "Rest of a rate limit as the latest answer of the provider reported it.",
    (*_MODEL, "unit"),
    Merge.MIN,
)
BREAKER = Metric(
    "modelmesh_circuit_breaker_state",
    _G,
    "Circuit breaker: 0 closed, 1 half-open, 2 open. An empty `model` stands for the account of the provider.",
    _MODEL,
    Merge.MAX,
)
ACCOUNT_REQUESTS = Metric(
    "modelmesh_account_requests",
    _G,
    "Requests at the account of a provider. `state` is `in_flight`, or `waiting` for a place in flight.",
    ("provider", "state"),
)
ACCOUNT_LIMIT = Metric(
    "modelmesh_account_requests_limit",
    _G,
    "Requests in flight that an account permits: `connection_pool.max_connections`, and less after the provider throttled.",
    ("provider",),
)
POOL_MODELS = Metric(
    "modelmesh_pool_models", _G, "Models of a pool. `state` is `active` or `standby`.", ("pool", "state"), Merge.MIN
)
STORE_UP = Metric(
    "modelmesh_store_up", _G, "1 while the configured storage works, 0 after a failure. Absent without storage.", merge=Merge.MIN
)
COUNTS_SHARED = Metric(
    "modelmesh_counts_shared",
    _G,
    "1 while quotas and budgets are counted together with other processes, 0 while this process counts alone.",
    merge=Merge.MIN,
)
RELOADS = Metric("modelmesh_config_reloads_total", _C, "Reloads of the configuration. `result` is `ok` or `failed`.", ("result",))
RELOAD_OK = Metric(
    "modelmesh_config_last_reload_successful", _G, "1 if the latest reload of the configuration succeeded.", merge=Merge.MIN
)
RELOADED_AT = Metric(
    "modelmesh_config_last_reload_success_timestamp_seconds",
    _G,
    "Unix time at which the running configuration was loaded.",
    merge=Merge.MIN,
)
WORKERS = Metric("modelmesh_workers", _G, "Worker processes that report metrics.")
BUILD = Metric("modelmesh_build_info", _G, "Always 1. The labels are versions.", ("version", "core", "python"), Merge.MAX)
CPU = Metric("process_cpu_seconds_total", _C, "User and system CPU time of the workers.")
RESIDENT = Metric("process_resident_memory_bytes", _G, "Resident memory of the workers. Pages that they share count for each.")
VIRTUAL = Metric("process_virtual_memory_bytes", _G, "Virtual memory of the workers.")
OPEN_FILES = Metric("process_open_fds", _G, "Open file descriptors of the workers.")
MAX_FILES = Metric("process_max_fds", _G, "Permitted file descriptors of one worker.", merge=Merge.MIN)
STARTED = Metric("process_start_time_seconds", _G, "Unix time at which the oldest worker started.", merge=Merge.MIN)

METRICS = (
    REQUESTS, IN_FLIGHT, DURATION, FIRST_BYTE, ATTEMPTS, RESPONSE_TIME, FAILOVERS, POOL_REQUESTS, TOKENS, COST, UNKNOWN_COST,
    INTERRUPTED, BUDGET_SPENT, BUDGET_LIMIT, QUOTA_REMAINING, RATE_LIMIT_REMAINING, BREAKER, ACCOUNT_REQUESTS, ACCOUNT_LIMIT,
    POOL_MODELS, STORE_UP, COUNTS_SHARED,
    RELOADS, RELOAD_OK, RELOADED_AT, WORKERS, BUILD, CPU, RESIDENT, VIRTUAL, OPEN_FILES, MAX_FILES, STARTED,
)  # fmt: skip
"""Every metric, in the order of the reference."""

"""Settings and constants of circuit breakers. All times are seconds."""

from __future__ import annotations

from attrs import frozen


@frozen
class CircuitPolicy:
    """When a circuit breaker opens, and for how long.

    Attributes:
        failure_threshold: Consecutive failures that open it.
        error_rate_threshold: Share of failures in the window that opens it.
        window: Length of the window.
        min_samples: Results in the window before the share counts.
        error_codes: HTTP statuses that count as failures, ``None`` for every failure of the server or the network.
        cooldown: Cooldown after a failure, fixed when set, else 30 s that doubles up to 300 s.
        probe_interval: Cooldown after a rejected key, fixed when set, else 300 s that doubles up to an hour.
        outage_takes_account: Whether outage failures on several models of an account open the account's own breaker.
        account_by_hand: Whether an account stays unavailable until a manual recovery.
    """

    failure_threshold: int = 3
    error_rate_threshold: float = 0.5
    window: float = 30.0
    min_samples: int = 10
    error_codes: frozenset[int] | None = None
    cooldown: float | None = None
    probe_interval: float | None = None
    outage_takes_account: bool = True
    account_by_hand: bool = False


OPEN_S, OPEN_CAP_S = 30.0, 300.0
"""First and longest cooldown of a breaker, when none is configured."""

PROBE_TIMEOUT_S = 30.0
"""After this time without a result a probe no longer blocks the next one."""

SLOW_START_S, SLOW_START_SHARE = 30.0, 0.1
"""After a recovery a model's share of the load grows back over this time, from this share."""

RETRY_BUDGET_CAPACITY = 100.0
"""Retries spend a budget that each success fills by one, so that about one request in ten is retried in the long run."""

MIN_CONCURRENCY, DECREASE_FACTOR = 3, 0.7
"""A throttled account gets this share of its concurrency limit, and never less than the minimum."""

OUTAGE_WINDOW_S, OUTAGES_OF_MODELS, OUTAGES_OF_ONE_MODEL = 30.0, 2, 5
"""An account's breaker opens after outage failures of this many models within the window, or after this many in all, without a
success in between."""

REFUSED_PARAMETER_S = 3600.0
"""Time in which a model that rejected a parameter receives no requests with it."""

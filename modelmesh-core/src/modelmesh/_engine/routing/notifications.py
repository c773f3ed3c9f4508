"""Notifications of strategies and of standby policies about an attempt."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.plugin_errors import strategy_raised
from modelmesh._engine.routing.pool import Pool


def notify_strategy(pool: Pool, method: str, *facts: Any) -> None:
    """Call a method of the strategy that the contract makes optional.

    Raises:
        ConnectorError: The strategy raised.
    """
    notified = getattr(pool.strategy, method, None)
    if notified is None:
        return
    try:
        notified(*facts)
    except Exception as error:
        raise strategy_raised(pool.name, pool.strategy, error) from error


def run_policies(pool: Pool, candidate: Candidate, now: float, **facts: Any) -> None:
    """Record the outcome in the standby policy of every pool that contains the candidate."""
    for policy in candidate.standby_policies:
        policy.record_attempt(candidate, pool.health, now, **facts)

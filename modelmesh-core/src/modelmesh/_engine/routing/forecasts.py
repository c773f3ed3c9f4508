"""Remaining amounts of the limits of a pool and of its members, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh._engine.limits.forecasts import forecast

if TYPE_CHECKING:
    from modelmesh._engine.routing.pool import Pool


def pool_forecasts(pool: Pool, now: float) -> tuple[dict[str, Any], ...]:
    """Return what is left of each limit of a pool and of its members, each limit once."""
    rows = [forecast(counter, pool.unix_time(now)) for counter in pool.counters]
    for candidate in pool.members:
        rows += pool.reservations.forecasts(candidate, now)
    return tuple({(row["of"], row["metric"], row["window"]): row for row in rows}.values())

"""Remaining capacity of limits and the time of their next reset, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.counter import LimitCounter
from modelmesh._engine.limits.targets import LimitedModel


def forecast(counter: LimitCounter, when: float) -> dict[str, Any]:
    """Return what remains of a limit until its reset. The time is in Unix seconds."""
    counter.advance_window(when)
    limit, ends = counter.limit, counter.resets_at(when)
    return {
        "of": limit.key,
        "metric": limit.metric.value,
        "window": limit.window.period.value,
        "limit": limit.amount,
        "used": counter.used + counter.reserved,
        "left": counter.remaining,
        "resets_at": None if math.isinf(ends) else ends,
        "source": limit.source,
    }


def in_usd(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with amounts of money in USD."""
    if row["metric"] != "cost":
        return dict(row)
    return {**row, "metric": "USD", **{name: row[name] / NANO for name in ("limit", "used", "left")}}


def reported_forecasts(model: LimitedModel, now: float, clock: Clock) -> Iterator[dict[str, Any]]:
    """Yield the limits that the vendor reported with the latest response of a model."""
    for row in model.rate_limits(now):
        yield {
            "of": f"model:{model}",
            "metric": row.kind,
            "window": "the vendor's",
            "limit": row.limit,
            "used": row.limit - row.remaining,
            "left": row.remaining,
            "resets_at": None if row.resets_in is None else clock.unix(model.answered_at + row.resets_in),
            "source": "the headers of its latest answer",
        }

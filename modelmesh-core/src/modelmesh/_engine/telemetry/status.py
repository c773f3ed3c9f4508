"""A pool's health as a person or a dashboard reads it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.forecasts import pool_forecasts
from modelmesh._engine.routing.pool import Pool


@frozen
class PoolInfo(Mapping[str, Any]):
    """Summary of one pool; fields are attributes and items alike.

    Attributes:
        active: Models that may be asked now.
        standby: Models that may not.
        total: All of them.
        current_model: Where a request would go now, ``None`` when nowhere.
        current_provider: Its provider.
        strategy: ID of the strategy.
        capability: Path of the capability.
        left: What is left of each limit of its models until it begins anew.
    """

    active: int
    standby: int
    total: int
    current_model: str | None
    current_provider: str | None
    strategy: str
    capability: str
    left: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, pool: Pool, current: Candidate | None, now: float) -> PoolInfo:
        """Summarize a pool; ``now`` in monotonic seconds."""
        active = pool.available.bit_count()
        return cls(
            active,
            len(pool.members) - active,
            len(pool.members),
            current.model_id if current else None,
            current.provider_id if current else None,
            pool.strategy.id,
            pool.capability,
            pool_forecasts(pool, now),
        )

    def __getitem__(self, key: str) -> Any:
        if key not in _FIELDS:
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)


UNKNOWN = "unknown"
_FIELDS = tuple(field.name for field in PoolInfo.__attrs_attrs__)


def short_strategy(strategy_id: str) -> str:
    """Return a strategy's short name: ``cost-first`` of ``modelmesh.cost-first.v1``."""
    if strategy_id.startswith("modelmesh.") and strategy_id.rpartition(".")[2].startswith("v"):
        return strategy_id.removeprefix("modelmesh.").rpartition(".")[0]
    return strategy_id


class Text(str):
    """Text of several lines, which a notebook shows as lines and not as a quoted string."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def describe(pool: Pool, current: Candidate | None, only_providers: frozenset[str] = frozenset()) -> str:
    """Return a pool and its models as text, the current one marked; those of some providers where they are named."""
    arrow = "→" if _carries("→") else "->"
    lines = [f'Pool "{pool.name}" (strategy: {short_strategy(pool.strategy.id)})']
    if pool.capability:
        lines.append(f"  capability: {pool.capability}")
    active = {id(candidate) for candidate in pool.get_active_models()}
    keys: dict[str, set[str]] = {}
    for candidate in pool.members:
        keys.setdefault(candidate.connector_id, set()).add(candidate.provider_id)
    for candidate in pool.members:
        if only_providers and not only_providers & set(candidate.account.names):
            continue
        mark = f"  {arrow} " if candidate is current else "    "
        state = "active" if id(candidate) in active else "standby"
        whose = f" of {candidate.provider_id}" if len(keys[candidate.connector_id]) > 1 else ""
        lines.append(f"{mark}{candidate.model_id} [{candidate.connector_id}] ({state}){whose}")
    lines += _prices(pool)
    return "\n".join(lines)


def _prices(pool: Pool) -> list[str]:
    """Say where the prices were read, the models of each source together; no line where no price is known."""
    origins: dict[str, int] = {}
    for candidate in pool.members:
        pricing = candidate.info.pricing
        origin = pricing.origin if pricing is not None and pricing.known else UNKNOWN
        origins[origin] = origins.get(origin, 0) + 1
    unknown = origins.pop(UNKNOWN, 0)
    if not origins:
        return []
    said = [f"{_models(count)} by {origin}" for origin, count in origins.items()]
    return ["  prices: " + "; ".join([*said, *([f"{_models(unknown)} unknown"] if unknown else [])])]


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count} models"


def _carries(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True

"""Status of a pool, as data for dashboards and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from modelmesh._engine.foundation.encodable import is_encodable
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.forecasts import pool_forecasts
from modelmesh._engine.routing.pool import Pool


@frozen
class PoolInfo(Mapping[str, Any]):
    """Summary of one pool; fields are attributes and items alike.

    Attributes:
        active: Number of active models.
        standby: Number of models in standby.
        total: Number of all models.
        current_model: Model that a request would go to now, ``None`` without an active model.
        current_provider: Provider of that model.
        strategy: ID of the strategy.
        capability: Path of the capability.
        left: Remaining amount of each limit of its models until the reset.
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
        """Summarize a pool. ``now`` is in monotonic seconds."""
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
    """Return the short name of a strategy: ``cost-first`` for ``modelmesh.cost-first.v1``."""
    if strategy_id.startswith("modelmesh.") and strategy_id.rpartition(".")[2].startswith("v"):
        return strategy_id.removeprefix("modelmesh.").rpartition(".")[0]
    return strategy_id


class MultilineText(str):
    """Text of several lines, which a notebook shows as lines instead of a quoted string."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def describe(pool: Pool, current: Candidate | None, only_providers: frozenset[str] = frozenset()) -> str:
    """Return a pool and its models as text with the current model marked.

    Args:
        pool: The pool.
        current: Model that a request would go to now.
        only_providers: Names of providers to include, by default all.
    """
    arrow = "→" if is_encodable("→") else "->"
    lines = [f'Pool "{pool.name}" (strategy: {short_strategy(pool.strategy.id)})']
    if pool.capability:
        lines.append(f"  capability: {pool.capability}")
    if pool.aliases:
        lines.append(f"  aliases: {', '.join(pool.aliases)}")
    active = {id(candidate) for candidate in pool.get_active_models()}
    keys: dict[str, set[str]] = {}
    for candidate in pool.members:
        keys.setdefault(candidate.connector_id, set()).add(candidate.provider_id)
    for candidate in pool.members:
        if only_providers and not only_providers & set(candidate.account.names):
            continue
        mark = f"  {arrow} " if candidate is current else "    "
        state = "active" if id(candidate) in active else "standby"
        owner = f" of {candidate.provider_id}" if len(keys[candidate.connector_id]) > 1 else ""
        lines.append(f"{mark}{candidate.model_id} [{candidate.connector_id}] ({state}){owner}")
    lines += _prices(pool)
    return "\n".join(lines)


def _prices(pool: Pool) -> list[str]:
    """Return a line with the sources of the prices, none without a known price."""
    origins: dict[str, int] = {}
    for candidate in pool.members:
        pricing = candidate.info.pricing
        origin = pricing.origin if pricing is not None and pricing.known else UNKNOWN
        origins[origin] = origins.get(origin, 0) + 1
    unknown = origins.pop(UNKNOWN, 0)
    if not origins:
        return []
    texts = [f"{_models(count)} by {origin}" for origin, count in origins.items()]
    return ["  prices: " + "; ".join([*texts, *([f"{_models(unknown)} unknown"] if unknown else [])])]


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count} models"

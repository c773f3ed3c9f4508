"""Errors of strategies and policies that break their contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.plugins import attribution
from modelmesh.errors import ConnectorError

if TYPE_CHECKING:
    from modelmesh._engine.routing.pool import Pool


def strategy_raised(pool: Pool, error: Exception) -> ConnectorError:
    """A strategy that raised."""
    place = attribution.locate_exception(error, pool.strategy)
    return _not_a_strategy(
        pool, f"raised {attribution.summarize(error)}. A strategy must choose one of the candidates it is offered", place
    )


def policy_raised(pool: str, policy: object, method: str, error: Exception) -> ConnectorError:
    """A policy of standby or recovery that raised."""
    connector_id, distribution = attribution.identify(policy)
    place = attribution.locate_exception(error, policy) or attribution.locate_method(policy, method)
    of = f" of {distribution}" if distribution else ""
    return ConnectorError(
        f"{place}: {method}() of the policy {connector_id or attribution.class_of(policy).__name__!r}{of} of pool {pool!r} "
        f"raised {attribution.summarize(error)}; report this to its author. "
        "Without it: leave out 'policy' in the pool's configuration",
        connector_id=connector_id,
        distribution=distribution,
    )


def choice_not_offered(pool: Pool, candidate: object) -> ConnectorError:
    """A strategy that chose what it was not offered."""
    rule = (
        f"chose {candidate!s}, which is not one of the candidates it was offered. "
        "select() must return one of them or a SelectionResult that holds one"
    )
    return _not_a_strategy(pool, rule, attribution.locate_method(pool.strategy, "select"))


def _not_a_strategy(pool: Pool, rule: str, place: str | None) -> ConnectorError:
    connector_id, distribution = attribution.identify(pool.strategy)
    at, of = f"{place}: " if place else "", f" of {distribution}" if distribution else ""
    return ConnectorError(
        f"{at}strategy {connector_id!r}{of} of pool {pool.name!r} {rule}; report this to "
        "its author. Another serves meanwhile: strategy='stick-until-failure'",
        connector_id=connector_id,
        distribution=distribution,
    )

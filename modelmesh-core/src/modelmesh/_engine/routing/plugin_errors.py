"""Errors of strategies and policies that break their contract."""

from __future__ import annotations

from modelmesh._engine.plugins import attribution
from modelmesh.errors import ConnectorError


def strategy_raised(pool: str, strategy: object, error: Exception) -> ConnectorError:
    """Return the error for a strategy that raised."""
    place = attribution.locate_exception(error, strategy)
    rule = f"raised {attribution.summarize(error)}. A strategy must choose one of the candidates it is offered"
    return _strategy_error(pool, strategy, rule, place)


def policy_raised(pool: str, policy: object, method: str, error: Exception) -> ConnectorError:
    """Return the error for a standby or recovery policy that raised."""
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


def choice_not_offered(pool: str, strategy: object, candidate: object) -> ConnectorError:
    """Return the error for a strategy that did not return a candidate it was offered."""
    rule = (
        f"chose {candidate!s}, which is not one of the candidates it was offered. "
        "select() must return one of them or a SelectionResult that holds one"
    )
    return _strategy_error(pool, strategy, rule, attribution.locate_method(strategy, "select"))


def _strategy_error(pool: str, strategy: object, rule: str, place: str | None) -> ConnectorError:
    connector_id, distribution = attribution.identify(strategy)
    at = f"{place}: " if place else ""
    of = f" of {distribution}" if distribution else ""
    return ConnectorError(
        f"{at}strategy {connector_id!r}{of} of pool {pool!r} {rule}; report this to "
        "its author. Another serves meanwhile: strategy='stick-until-failure'",
        connector_id=connector_id,
        distribution=distribution,
    )

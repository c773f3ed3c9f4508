"""Construction of the strategy of a pool and of its fallback strategy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import fields_dict

from modelmesh._engine.assembly.connector_options import declared
from modelmesh._engine.assembly.policies import strategy_settings
from modelmesh._engine.assembly.standby_policies import policy_settings
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.schema import PoolSection, RateLimitSection
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.plugins.resolver import Resolver, build_at
from modelmesh.contracts.rotation import DeactivationPolicy, RecoveryPolicy
from modelmesh.contracts.strategy import Strategy
from modelmesh.errors import ConfigurationError

DEFAULT_STRATEGY = "stick-until-failure"

STRATEGY_KEYS = ("model_priority", "provider_priority", "fallback_strategy", "balance_mode")
"""Keys of a pool that only its strategy reads."""

STRATEGY_OPTIONS = {
    "affinity_mode": "session-stickiness",
    "session_timeout": "session-stickiness",
    "session_header": "session-stickiness",
    "max_sessions": "session-stickiness",
    "weights": "load-balanced",
    "model_weights": "load-balanced",
    "max_latency_ms": "latency-first",
}
"""Standard keys of ``selection``, each with the strategy that reads it."""


def build_strategy(section: PoolSection, override: str | None, resolver: Resolver, problems: Problems) -> Strategy:
    """Build the strategy of a pool.

    Raises:
        ConfigurationError: The object is not a strategy.
        ConnectorError: The connector is unknown or broken.
    """
    places = problems.source_map
    if section.strategy_instance is not None and override is None:
        where = places.where(("pools", section.name, "strategy_instance"))
        kind = type(section.strategy_instance).__name__
        if not callable(getattr(section.strategy_instance, "select", None)):
            message = f"{where}: {kind} is not a strategy: missing method select(candidates, request)."
            raise ConfigurationError(message, where=where)
        if not isinstance(getattr(section.strategy_instance, "id", None), str):
            message = f"{where}: {kind} has no id. Add one to the class, e.g. id = 'acme.mine.v1'."
            raise ConfigurationError(message, where=where)
        return section.strategy_instance  # type: ignore[no-any-return]
    builder = _StrategyBuilder(section, resolver, problems)
    where = places.where(("pools", section.name, "strategy"))
    found = builder.build(override or section.strategy or DEFAULT_STRATEGY, section.fallback_strategy, where)
    _check_selection(section, builder.classes, problems)
    return found


class _StrategyBuilder:
    def __init__(self, section: PoolSection, resolver: Resolver, problems: Problems) -> None:
        self._section = section
        self._resolver = resolver
        self._places = problems.source_map
        self.classes: list[type[Any]] = []

    def build(self, name: str, fallback: str | None, where: str, above: tuple[object, ...] = ()) -> Strategy:
        """Build a strategy and its fallback.

        ``default_fallback`` of a class names the fallback for a configuration without one. ``fixed_fallback`` names one that
        cannot be configured, and which then falls back to the configured one.
        """
        section = self._section
        cls = self._resolver.resolve(Kind.STRATEGY, name, where)
        self.classes.append(cls)
        decides = any(isinstance(cls, contract) for contract in (DeactivationPolicy, RecoveryPolicy))
        settings = policy_settings(section) if decides else strategy_settings(section)
        if above:
            settings["fallback_strategy"] = fallback
        fixed = getattr(cls, "fixed_fallback", None)
        then, beyond = (fixed, fallback) if fixed else (fallback or getattr(cls, "default_fallback", None), None)
        if then and then != "error" and cls not in above:
            if then == section.fallback_strategy:
                where = self._places.where(("pools", section.name, "fallback_strategy"))
            settings["fallback"] = self.build(then, beyond, where, (*above, cls))
        path = ("pools", section.name)
        chosen = section.selection
        found: Strategy = build_at(
            where,
            cls,
            settings,
            name,
            lambda key: self._places.where((*path, "selection", key) if key in chosen else (*path, key)),
        )
        return found


def _check_selection(section: PoolSection, classes: Iterable[type[Any]], problems: Problems) -> None:
    """Report options that no strategy of the pool has, and note keys of the pool that none of them reads."""
    known: set[str] = set()
    for cls in classes:
        reads = declared(cls)
        if reads is None:
            return  # an undeclared strategy may read any key
        known |= reads
    path, name = ("pools", section.name), str(getattr(next(iter(classes)), "id", ""))
    for option in section.selection:
        if option in known:
            continue
        if option in STRATEGY_OPTIONS:
            what = f"has no effect: it is an option of {STRATEGY_OPTIONS[option]}, but the strategy is {name}"
            problems.note((*path, "selection", option), what)
            continue
        hint = did_you_mean(option, (*known, *STRATEGY_KEYS, *STRATEGY_OPTIONS, "rate_limit", "policy"))
        listed = ", ".join(sorted(known)) or "no options"
        problems.add((*path, "selection", option), f"unknown key {option!r} of the strategy.{hint} {name} reads: {listed}")
    if "rate_limit" not in known and section.rate_limit.threshold != RateLimitSection().threshold:
        what = f"has no effect: the strategy {name} does not read it. rate-limit-aware does"
        problems.note((*path, "rate_limit", "threshold"), what)
    defaults = fields_dict(PoolSection)
    for key in STRATEGY_KEYS:
        stated = getattr(section, key)
        if key not in known and stated != defaults[key].default:
            problems.note((*path, key), f"has no effect: the strategy {name} does not read {key!r}")

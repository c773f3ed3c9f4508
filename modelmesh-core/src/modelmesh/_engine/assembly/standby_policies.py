"""Standby policies and maintenance windows, from the ``deactivation`` and ``recovery`` sections of a pool."""

from __future__ import annotations

from typing import Any

from attrs import asdict

from modelmesh._engine.assembly.limits import SCHEDULES
from modelmesh._engine.assembly.policies import strategy_settings
from modelmesh._engine.config.schema import DeactivationSection, PoolSection
from modelmesh._engine.config.source_map import SourceMap
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.health.cron import Cron
from modelmesh._engine.health.maintenance import MaintenanceWindow
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.plugins import attribution
from modelmesh._engine.plugins.resolver import Resolver, build
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.standby_policy import COOLDOWN_S, StandbyPolicyRunner
from modelmesh.contracts.rotation import DeactivationPolicy, RecoveryPolicy
from modelmesh.contracts.strategy import Strategy
from modelmesh.errors import ConfigurationError


def build_maintenance_window(section: PoolSection, pool: Pool) -> MaintenanceWindow | None:
    """Return the maintenance window of a pool, or ``None``."""
    stated = section.deactivation
    if stated.maintenance_window is None:
        return None
    cron = Cron.parse(stated.maintenance_window, stated.maintenance_zone)
    return MaintenanceWindow(cron, [candidate.health for candidate in pool.members], pool.reservations.clock)


def attach_standby_policy(section: PoolSection, pool: Pool, resolver: Resolver, source_map: SourceMap) -> None:
    """Attach the policies of a pool to its models, if it has any.

    A policy is named or given by ``policy``. By default the strategy of the pool is used if it has the methods of a policy.

    Raises:
        ConfigurationError: The configured object is not a policy.
    """
    policies = _Policies(section, pool.strategy, resolver, source_map)
    deactivation = policies.find("deactivation", DeactivationPolicy)
    recovery = policies.find("recovery", RecoveryPolicy)
    if deactivation is None and recovery is None:
        return
    period = section.deactivation.quota_window or getattr(deactivation, "quota_window", None)
    pool.standby_policy = StandbyPolicyRunner(
        pool=pool.name,
        deactivation=deactivation,
        recovery=recovery,
        reservations=pool.reservations,
        period=Window(SCHEDULES[period] if period else Period.TOTAL),
        cooldown=COOLDOWN_S if section.recovery.cooldown is None else section.recovery.cooldown,
        window=pool.policy.circuit.window,
    )
    for candidate in pool.members:
        candidate.standby_policies.append(pool.standby_policy)


def has_deactivation_policy(section: PoolSection, strategy: Strategy) -> bool:
    """Return whether a policy of the pool decides how many failures deactivate a model."""
    return section.deactivation.policy is not None or isinstance(strategy, DeactivationPolicy)


class _Policies:
    """The policies of one pool. A connector that is named for both parts is built once."""

    def __init__(self, section: PoolSection, strategy: Strategy, resolver: Resolver, source_map: SourceMap) -> None:
        self._section = section
        self._strategy = strategy
        self._resolver = resolver
        self._source_map = source_map
        self._built: dict[str, Any] = {}

    def find(self, part: str, contract: Any) -> Any:
        """Return the policy for ``deactivation`` or ``recovery``, or ``None``."""
        configured = getattr(self._section, part).policy
        if configured is None:
            return self._strategy if isinstance(self._strategy, contract) else None
        where = self._source_map.where(("pools", self._section.name, part, "policy"))
        policy = self._build(configured, where) if isinstance(configured, str) else configured
        if isinstance(policy, contract):
            return policy
        lacking = [method for method in _METHODS[part] if not callable(getattr(policy, method, None))]
        name = configured if isinstance(configured, str) else attribution.class_of(policy).__name__
        message = (
            f"{where}: {name!r} is not a {part} policy: missing {', '.join(lacking)}(). "
            f"See modelmesh.contracts.{contract.__name__}. ThresholdRotationPolicy of modelmesh.cdk has all methods."
        )
        raise ConfigurationError(message, where=where)

    def _build(self, name: str, where: str) -> Any:
        if name not in self._built:
            cls = self._resolver.resolve(Kind.STRATEGY, name, where)
            self._built[name] = build(cls, policy_settings(self._section), name)
        return self._built[name]


_METHODS = {
    "deactivation": ("should_deactivate", "get_reason"),
    "recovery": ("should_recover", "get_recovery_schedule"),
}


def policy_settings(section: PoolSection) -> dict[str, Any]:
    """Return the settings of a pool that its policies receive: those of a strategy, ``deactivation`` and ``recovery``."""
    return {
        **strategy_settings(section),
        "deactivation": _stated(section.deactivation),
        "recovery": _stated(section.recovery),
    }


def _stated(section: Any) -> dict[str, Any]:
    """Return the stated keys of a section, without the maintenance window, which the mesh itself handles."""
    left_out = {"policy", "maintenance_window", "maintenance_zone"} if isinstance(section, DeactivationSection) else {"policy"}
    kept = asdict(section, recurse=False, filter=lambda one, value: value is not None and one.name not in left_out)
    return dict(kept)

"""Discovery: periodic comparison of model lists and health checks of providers, through discovery connectors.

The connectors report findings. This module applies them to the mesh as the configuration states.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from attrs import define, field

from modelmesh._engine.background.connector_calls import call_each, call_get_model_info, call_probe, call_sync, reports_of
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.health_checks import apply_health_check, set_listed
from modelmesh.contracts.discovery import HealthReport, ProbeResult, SyncResult, SyncStatus
from modelmesh.contracts.observability import RoutingEvent
from modelmesh.errors import ConfigurationError

if TYPE_CHECKING:
    from modelmesh._engine.background.plan import Joiner, WatchedProvider
    from modelmesh._engine.background.scheduler import Scheduler
    from modelmesh._engine.background.watches import DiscoveryWatch, SyncSettings
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.contracts.models import ModelInfo

_log = logging.getLogger("modelmesh.discovery")

BATCH_SIZE = 500
"""Models that join before the lock is released for waiting requests."""

YIELD_S = 0.001
"""Pause between two batches, so that waiting requests can take the lock (locks are not fair)."""

_Changes = dict[str, list[str]]
"""Models by name of the pool that they joined or left."""


@define(eq=False, kw_only=True)
class Discoverer:
    """Calls the discovery connectors of one mesh and applies their findings.

    Attributes:
        watches: The connectors and the providers that each one watches.
        providers: Providers by their keys in the configuration.
        joiner: Adds models to pools.
        health: Health of all models and provider accounts.
        lock: The mesh's lock.
        clock: Returns monotonic seconds.
        scheduler: Runs the jobs one after another in a thread of their own, so that a slow provider delays no request.
        publish: Publishes events.
        on_joined: Called with each model that joined, under the lock.
        on_batch: Called after models have joined.
    """

    watches: Sequence[DiscoveryWatch]
    providers: Mapping[str, WatchedProvider]
    joiner: Joiner
    health: HealthRegistry
    lock: RLock
    clock: Callable[[], float]
    scheduler: Scheduler
    publish: Callable[[Sequence[RoutingEvent]], None]
    on_joined: Callable[[Candidate], None]
    on_batch: Callable[[], None]
    _failed_probes: dict[tuple[int, str], int] = field(factory=dict, init=False)
    _errors: dict[tuple[int, frozenset[str]], tuple[str, ...]] = field(factory=dict, init=False)
    _compared: set[tuple[int, str]] = field(factory=set, init=False)

    def begin(self) -> None:
        """Schedule every job, at once and then at its interval."""
        for watch in self.watches:
            for interval, names in _by_interval(watch.sync).items():
                self._schedule(interval, partial(self._sync, watch, names))
            for interval, names in _by_interval(watch.health).items():
                self._schedule(interval, partial(self._check_health, watch, names))

    def _schedule(self, interval: float, job: Callable[[], object]) -> None:
        self.scheduler.once(job)
        self.scheduler.every(interval, job)

    # -- on request -------------------------------------------------------------------------------------------------

    def sync(self, providers: Sequence[str] | None = None) -> SyncResult:
        """Compare model lists in this thread and apply the findings.

        Args:
            providers: Keys of providers. All watched providers by default.

        Returns:
            The findings of all connectors.

        Raises:
            ConfigurationError: No connector compares the models of a named provider.
        """
        self._require_watched(providers, "sync")
        watched = [(watch, _among(watch.sync, providers)) for watch in self.watches]
        found = [self._sync(watch, names) for watch, names in watched if names]
        parts = ("new_models", "deprecated_models", "updated_models", "errors")
        return SyncResult(*(tuple(dict.fromkeys(one for result in found for one in getattr(result, part))) for part in parts))

    def probe(self, providers: Sequence[str] | None = None) -> list[ProbeResult]:
        """Probe providers in this thread and apply the results.

        Args:
            providers: Keys of providers. All watched providers by default.

        Raises:
            ConfigurationError: No connector probes a named provider.
        """
        self._require_watched(providers, "health")
        return [one for watch in self.watches for one in self._check_health(watch, _among(watch.health, providers))]

    def get_sync_status(self) -> list[SyncStatus]:
        """Return the state of the model lists, one row for each connector that compares lists and reports on it."""
        return [report.get_sync_status() for watch in self.watches if watch.sync and (report := reports_of(watch.connector))]

    def get_health_report(self, provider_id: str | None = None) -> list[HealthReport]:
        """Return the summary of past probes, of every watched provider or of one. Sends no probe."""
        return [
            report
            for watch in self.watches
            if (reports := reports_of(watch.connector))
            for name in watch.health
            if provider_id in (None, name)
            for report in reports.get_health_report(name)
        ]

    def _require_watched(self, providers: Sequence[str] | None, section: str) -> None:
        watched = sorted({name for watch in self.watches for name in getattr(watch, section)})
        for name in providers or ():
            if name not in watched:
                message = (
                    f"no discovery connector of this mesh watches {name!r} for {section}: discovery.{section} covers "
                    f"{', '.join(watched) or 'no provider'}. Add it: discovery: {{{section}: {{providers: [{name}]}}}}"
                )
                raise ConfigurationError(message, where=f"discovery.{section}")

    # -- model lists ------------------------------------------------------------------------------------------------

    def _sync(self, watch: DiscoveryWatch, names: Sequence[str]) -> SyncResult:
        result = call_sync(watch.connector, names)
        if result is None:
            return SyncResult()
        key = id(watch), frozenset(names)
        before, self._errors[key] = self._errors.get(key, ()), result.errors
        for line in result.errors:
            level = logging.DEBUG if line in before else logging.WARNING  # once for each outage, not at each interval
            _log.log(level, "the models of a provider could not be compared: %s", line)
        if not self.scheduler.stopped():
            for name in names:
                self._apply_findings(watch, name, result)
        return result

    def _apply_findings(self, watch: DiscoveryWatch, name: str, result: SyncResult) -> None:
        """Apply the findings at one provider and publish events."""
        settings = watch.sync[name]
        parts = (result.new_models, result.deprecated_models, result.updated_models)
        new, gone, changed = ([one.removeprefix(f"{name}/") for one in part if _owner(one, watch.sync) == name] for part in parts)
        added, removed = self._change_pools(watch, name, settings, new, gone)
        succeeded = not any(line.startswith(f"{name}:") for line in result.errors)
        if succeeded and (id(watch), name) not in self._compared:
            self._compared.add((id(watch), name))
            changed = []  # the first comparison is with the configuration, not with an earlier list of the provider
        if settings.on_new_model == "ignore":
            new = []
        if settings.on_deprecated_model == "ignore":
            gone = []
        events, now = [], time.time()
        if new or gone or changed:
            facts = {"new": new, "deprecated": gone, "updated": changed, "found_by": watch.connector.id}
            events.append(RoutingEvent("discovery_models_updated", now, None, name, None, facts))
        for pool in sorted({*added, *removed}):
            members = {"added": added.get(pool, []), "removed": removed.get(pool, [])}
            events.append(RoutingEvent("pool_membership_changed", now, None, name, pool, members))
        self.publish(events)

    def _change_pools(
        self, watch: DiscoveryWatch, name: str, settings: SyncSettings, new: Iterable[str], gone: Iterable[str]
    ) -> tuple[_Changes, _Changes]:
        """Add new models to pools and suspend those that are gone. Returns the added and the removed models by pool."""
        added, removed = _Changes(), _Changes()
        registers = settings.auto_register and settings.on_new_model == "register"
        with self.lock:
            self.health.advance(self.clock())
            known = self.joiner.known_models(name)
            for model in new:  # a known model was unlisted before and is listed again
                self._set_listed(known.get(model, ()), added, listed=True)
            for model in gone if settings.on_deprecated_model == "deactivate" else ():
                self._set_listed(known.get(model, ()), removed, listed=False)
        fresh = [call_get_model_info(watch.connector, name, model) for model in new if model not in known] if registers else []
        has_joined = False
        for first in range(0, len(fresh), BATCH_SIZE):
            has_joined |= self._join(name, fresh[first : first + BATCH_SIZE], added)
            time.sleep(YIELD_S if len(fresh) > BATCH_SIZE else 0)
        if has_joined:
            self.on_batch()
        return added, removed

    def _join(self, name: str, fresh: Sequence[ModelInfo], added: _Changes) -> bool:
        with self.lock:
            now = self.clock()
            self.health.advance(now)
            joined = self.joiner.join(name, fresh, self.health, now)
            for candidate in joined:
                self.on_joined(candidate)
                self._record(added, candidate)
        return bool(joined)

    def _set_listed(self, candidates: Iterable[Candidate], changes: _Changes, *, listed: bool) -> None:
        for candidate in candidates:
            if set_listed(self.health, candidate.health, listed=listed):
                self._record(changes, candidate)

    def _record(self, changes: _Changes, candidate: Candidate) -> None:
        for pool in self.joiner.router.list_pools():  # configured pools only, not those of requests that name a model
            if pool.position(candidate) is not None:
                changes.setdefault(pool.name, []).append(candidate.model_id)

    # -- health checks ----------------------------------------------------------------------------------------------

    def _check_health(self, watch: DiscoveryWatch, names: Sequence[str]) -> list[ProbeResult]:
        found: list[ProbeResult] = []
        for name in names:
            if self.scheduler.stopped():
                break
            result = call_probe(watch.connector, name)
            if result is None:
                continue
            found.append(result)
            if not self.scheduler.stopped():
                self._apply_probe(watch, name, result)
        return found

    def _apply_probe(self, watch: DiscoveryWatch, name: str, result: ProbeResult) -> None:
        """Suspend a provider after consecutive failed probes and resume it after the first success."""
        key, account = (id(watch), name), self.providers[name].account
        with self.lock:
            self._failed_probes[key] = failed = 0 if result.success else self._failed_probes.get(key, 0) + 1
            suspended = SuspensionReason.HEALTH_CHECK in account.suspensions
            # When two connectors probe one provider, both must find it up before it receives requests again.
            down = any(
                self._failed_probes.get((id(one), name), 0) >= one.health[name].failure_threshold
                for one in self.watches
                if name in one.health
            )
            if down != suspended:
                self.health.advance(self.clock())
                apply_health_check(self.health, account, up=not down)
        if failed and not suspended:
            _log.info("a probe of %s failed (%d in a row): %s", name, failed, result.error)
        self.publish(())

    # -- shutdown and fork ------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close every connector."""
        call_each([watch.connector for watch in self.watches], "close")

    def after_fork(self, lock: RLock, *, go_on: bool) -> None:
        """Continue in a child process with its new lock. Threads of the parent may have held the old ones."""
        self.lock = lock
        call_each([watch.connector for watch in self.watches], "after_fork")
        self.scheduler.after_fork(go_on=go_on)


def _by_interval(settings: Mapping[str, Any]) -> dict[float, list[str]]:
    found: dict[float, list[str]] = {}
    for name, row in settings.items():
        found.setdefault(row.interval, []).append(name)
    return found


def _among(settings: Mapping[str, Any], names: Sequence[str] | None) -> list[str]:
    return [name for name in settings if names is None or name in names]


def _owner(name: str, keys: Iterable[str]) -> str | None:
    """Return the provider key of ``provider/model``: the longest key that matches."""
    return max((key for key in keys if name.startswith(f"{key}/") and len(name) > len(key) + 1), key=len, default=None)

"""Discovery: what the findings of discovery connectors change in a mesh, and when they are asked for them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from attrs import define, field, fields

from modelmesh._engine.health.circuit_breaker import SuspensionReason
from modelmesh._engine.health.health_checks import apply_health_check, unlisted
from modelmesh._engine.plugins import attribution as authors
from modelmesh.contracts.discovery import DiscoveredModels, DiscoveryReports, HealthReport, ProbeResult, SyncResult, SyncStatus
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.observability import RoutingEvent
from modelmesh.errors import ConfigurationError

if TYPE_CHECKING:
    from modelmesh._engine.assembly.accounts import ProviderEntry
    from modelmesh._engine.assembly.discovery import Watch
    from modelmesh._engine.assembly.joining import Joining
    from modelmesh._engine.background.scheduler import Background
    from modelmesh._engine.config.schema import SyncSection
    from modelmesh._engine.health.registry import HealthRegistry
    from modelmesh._engine.routing.candidates import Candidate

_log = logging.getLogger("modelmesh.discovery")

AT_ONCE = 500
"""So many models join before a request may go on that wants the lock."""

BREATH_S = 0.001
"""For so long it is left to the requests then; whoever lets go of a lock and takes it at once gets it."""


@define(eq=False)
class Discoverer:
    """Asks the discovery connectors of one mesh, and does what the configuration says about what they find.

    Attributes:
        watches: The connectors, and for whom they are asked what.
        entries: The providers by their keys.
        joining: Takes models in.
        health: The health of everything.
        lock: The mesh's.
        clock: Monotonic seconds.
        background: Runs the jobs one after the other, in a thread of their own: a provider that hangs delays no request.
        tell: Sends events.
        joined: Called with a model that was taken in, under the lock.
        settled: Called when models were taken in.
    """

    watches: Sequence[Watch]
    entries: Mapping[str, ProviderEntry]
    joining: Joining
    health: HealthRegistry
    lock: RLock
    clock: Callable[[], float]
    background: Background
    tell: Callable[[Sequence[RoutingEvent]], None]
    joined: Callable[[Candidate], None]
    settled: Callable[[], None]
    _failed: dict[tuple[int, str], int] = field(factory=dict)
    _errors: dict[tuple[int, frozenset[str]], tuple[str, ...]] = field(factory=dict)
    _looked: set[tuple[int, str]] = field(factory=set)

    def begin(self) -> None:
        """Have the background ask at the start, and at the intervals that there are."""
        for watch in self.watches:
            for interval, names in _by_interval(watch.sync).items():
                job = partial(self._compare, watch, names)
                self.background.once(job)
                self.background.every(interval, job)
            for interval, names in _by_interval(watch.health).items():
                look = partial(self._look_at, watch, names)
                self.background.once(look)
                self.background.every(interval, look)

    # -- now, and on request ----------------------------------------------------------------------------------------

    def sync(self, providers: Sequence[str] | None = None) -> SyncResult:
        """Compare lists of models now, in this thread, and do about it what the configuration says.

        Args:
            providers: Keys of providers; all that are compared when none is named.

        Returns:
            What all connectors found.

        Raises:
            ConfigurationError: Nobody compares the models of a provider that is named.
        """
        self._must_be_asked(providers, "sync")
        found = [self._compare(watch, _among(watch.sync, providers)) for watch in self.watches if _among(watch.sync, providers)]
        parts = ("new_models", "deprecated_models", "updated_models", "errors")
        return SyncResult(*(tuple(dict.fromkeys(one for result in found for one in getattr(result, part))) for part in parts))

    def probe(self, providers: Sequence[str] | None = None) -> list[ProbeResult]:
        """Probe providers now, in this thread, and do about it what the configuration says.

        Args:
            providers: Keys of providers; all that are probed when none is named.

        Raises:
            ConfigurationError: Nobody probes a provider that is named.
        """
        self._must_be_asked(providers, "health")
        return [one for watch in self.watches for one in self._look_at(watch, _among(watch.health, providers))]

    def get_sync_status(self) -> list[SyncStatus]:
        """Return how the catalogues stand, one row for each connector that compares them and can say so."""
        return [report.get_sync_status() for watch in self.watches if watch.sync and (report := _reports(watch))]

    def get_health_report(self, provider_id: str | None = None) -> list[HealthReport]:
        """Return what the probes of each provider come to, or of one. Probes nobody."""
        return [
            report
            for watch in self.watches
            if (reports := _reports(watch))
            for name in watch.health
            if provider_id in (None, name)
            for report in reports.get_health_report(name)
        ]

    def _must_be_asked(self, providers: Sequence[str] | None, what: str) -> None:
        known = sorted({name for watch in self.watches for name in getattr(watch, what)})
        for name in providers or ():
            if name not in known:
                message = (
                    f"no discovery connector of this mesh has discovery.{what} for {name!r}; it has for: "
                    f"{', '.join(known) or 'nobody'}. Add it: discovery: {{{what}: {{providers: [{name}]}}}}"
                )
                raise ConfigurationError(message, where=f"discovery.{what}")

    # -- lists of models --------------------------------------------------------------------------------------------

    def _compare(self, watch: Watch, names: Sequence[str]) -> SyncResult:
        result: Any = None
        try:
            result = watch.connector.sync(list(names))
        except Exception as error:  # noqa: BLE001 - whatever a connector raises, the mesh goes on
            _log.warning("sync() of the %s raised %s", authors.described(watch.connector), authors.what(error, watch.connector))
            return SyncResult()
        if not isinstance(result, SyncResult):
            place, kind = authors.where_of(watch.connector, "sync"), authors.class_of(result).__name__
            described = authors.described(watch.connector)
            _log.warning("sync() of the %s (%s) returned %s, not a SyncResult", described, place, kind)
            return SyncResult()
        odd = _odd(result)
        if odd is not None:
            place, described = authors.where_of(watch.connector, "sync"), authors.described(watch.connector)
            _log.warning("sync() of the %s (%s) returned a SyncResult whose %s is no tuple of text", described, place, odd)
            return SyncResult()
        key = id(watch), frozenset(names)
        before, self._errors[key] = self._errors.get(key, ()), result.errors
        for line in result.errors:
            level = logging.DEBUG if line in before else logging.WARNING  # once for each outage, not at each interval
            _log.log(level, "the models of a provider could not be compared: %s", line)
        if not self.background.stopped():
            for name in names:
                self._take(watch, name, result)
        return result

    def _take(self, watch: Watch, name: str, result: SyncResult) -> None:
        """Do what the configuration says about the findings at one provider, and tell of them."""
        section = watch.sync[name]
        parts = (result.new_models, result.deprecated_models, result.updated_models)
        new, gone, changed = ([one.removeprefix(f"{name}/") for one in part if _owner(one, watch.sync) == name] for part in parts)
        added, removed = self._apply(watch, name, section, new, gone)
        answered = not any(line.startswith(f"{name}:") for line in result.errors)
        if answered and (id(watch), name) not in self._looked:
            self._looked.add((id(watch), name))
            changed = []  # against what the configuration says of a model, not against what the vendor said before
        if section.on_new_model == "ignore":
            new = []
        if section.on_deprecated_model == "ignore":
            gone = []
        events, now = [], time.time()
        if new or gone or changed:
            facts = {"new": new, "deprecated": gone, "updated": changed, "found_by": watch.connector.id}
            events.append(RoutingEvent("discovery_models_updated", now, None, name, None, facts))
        for pool in sorted({*added, *removed}):
            said = {"added": added.get(pool, []), "removed": removed.get(pool, [])}
            events.append(RoutingEvent("pool_membership_changed", now, None, name, pool, said))
        self.tell(events)

    def _apply(
        self, watch: Watch, name: str, section: SyncSection, new: Iterable[str], gone: Iterable[str]
    ) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Let models join and leave; returns by pool who did."""
        added: dict[str, list[str]] = {}
        removed: dict[str, list[str]] = {}
        registers = section.auto_register and section.on_new_model == "register"
        with self.lock:
            self.health.advance(self.clock())
            known = self.joining.of(name)
            for model in new:  # it was gone, and is listed again
                self._turn(known.get(model, ()), added, listed=True)
            for model in gone if section.on_deprecated_model == "deactivate" else ():
                self._turn(known.get(model, ()), removed, listed=False)
        fresh = [_row(watch, name, model) for model in new if model not in known] if registers else []
        admitted = False
        for first in range(0, len(fresh), AT_ONCE):
            admitted |= self._join(name, fresh[first : first + AT_ONCE], added)
            time.sleep(BREATH_S if len(fresh) > AT_ONCE else 0)
        if admitted:
            self.settled()
        return added, removed

    def _join(self, name: str, fresh: Sequence[ModelInfo], added: dict[str, list[str]]) -> bool:
        with self.lock:
            now = self.clock()
            self.health.advance(now)
            joined = self.joining.join(self.entries[name], fresh, self.health, now)
            for candidate in joined:
                self.joined(candidate)
                self._note(added, candidate)
        return bool(joined)

    def _turn(self, candidates: Iterable[Candidate], found: dict[str, list[str]], *, listed: bool) -> None:
        for candidate in candidates:
            if unlisted(self.health, candidate, listed=listed):
                self._note(found, candidate)

    def _note(self, found: dict[str, list[str]], candidate: Candidate) -> None:
        for pool in self.joining.router.list_pools():  # not those that requests make by naming a model
            if pool.position(candidate) is not None:
                found.setdefault(pool.name, []).append(candidate.model_id)

    # -- health -----------------------------------------------------------------------------------------------------

    def _look_at(self, watch: Watch, names: Sequence[str]) -> list[ProbeResult]:
        found: list[ProbeResult] = []
        for name in names:
            if self.background.stopped():
                break
            result: Any = None
            try:
                result = watch.connector.probe(name)
            except Exception as error:  # noqa: BLE001 - whatever a connector raises, the mesh goes on
                described, said = authors.described(watch.connector), authors.what(error, watch.connector)
                _log.warning("probe(%r) of the %s raised %s", name, described, said)
                continue
            if not isinstance(result, ProbeResult):
                place, kind = authors.where_of(watch.connector, "probe"), authors.class_of(result).__name__
                _log.warning("probe(%r) of the %s (%s) returned %s", name, authors.described(watch.connector), place, kind)
                continue
            found.append(result)
            if not self.background.stopped():
                self._count(watch, name, result)
        return found

    def _count(self, watch: Watch, name: str, result: ProbeResult) -> None:
        """Take a provider off after so many failed probes in a row, and back with the first that succeeds."""
        key, account = (id(watch), name), self.entries[name].account
        with self.lock:
            self._failed[key] = failed = 0 if result.success else self._failed.get(key, 0) + 1
            withheld = SuspensionReason.HEALTH_CHECK in account.holds
            # Of two connectors that probe one provider, each must have found it up before it is asked again.
            down = any(
                self._failed.get((id(one), name), 0) >= one.health[name].failure_threshold
                for one in self.watches
                if name in one.health
            )
            if down != withheld:
                self.health.advance(self.clock())
                apply_health_check(self.health, account, up=not down)
        if failed and not withheld:
            _log.info("a probe of %s failed (%d in a row): %s", name, failed, result.error)
        self.tell(())

    # -- its end, and its going on in a child process ------------------------------------------------------------------

    def close(self) -> None:
        """Let every connector go of what it holds."""
        self._call_each("close")

    def after_fork(self, lock: RLock, *, go_on: bool) -> None:
        """Go on in a child process, with the lock that it has now; a thread of the parent may have held others."""
        self.lock = lock
        self._call_each("after_fork")
        self.background.after_fork(go_on=go_on)

    def _call_each(self, method: str) -> None:
        for watch in self.watches:
            call = getattr(watch.connector, method, None)
            if call is None:
                continue
            try:
                call()
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises, the others are called
                described, said = authors.described(watch.connector), authors.what(error, watch.connector)
                _log.warning("%s() of the %s raised %s", method, described, said)


def _by_interval(rows: Mapping[str, Any]) -> dict[float, list[str]]:
    found: dict[float, list[str]] = {}
    for name, row in rows.items():
        found.setdefault(row.interval, []).append(name)
    return found


def _among(rows: Mapping[str, Any], names: Sequence[str] | None) -> list[str]:
    return [name for name in rows if names is None or name in names]


def _reports(watch: Watch) -> DiscoveryReports | None:
    return watch.connector if isinstance(watch.connector, DiscoveryReports) else None


def _row(watch: Watch, name: str, model: str) -> ModelInfo:
    connector: Any = watch.connector
    info: Any = None
    if isinstance(connector, DiscoveredModels):
        try:
            info = connector.found(name, model)
        except Exception as error:  # noqa: BLE001 - whatever a connector raises, the mesh goes on
            described, said = authors.described(connector), authors.what(error, connector)
            _log.warning("found(%r, %r) of the %s raised %s", name, model, described, said)
    if info is not None and not _is_row(info, model):
        place, described = authors.where_of(connector, "found"), authors.described(connector)
        _log.warning("found(%r, %r) of the %s (%s) returned what is no row of that model", name, model, described, place)
        info = None
    return ModelInfo(model, model) if info is None else info


def _is_row(info: Any, model: str) -> bool:
    """Whether a row is of a model, and of the types that pools and prices are reckoned with."""
    if not isinstance(info, ModelInfo) or info.id != model:
        return False
    return (
        all(isinstance(one, str) for one in (info.upstream, *info.capabilities))
        and all(isinstance(part, Mapping) for part in (info.features, info.delivery, info.extra))
        and all(size is None or type(size) is int for size in (info.context_window, info.max_output_tokens))
        and isinstance(info.pricing, ModelPricing | None)
    )


def _owner(name: str, keys: Iterable[str]) -> str | None:
    """Return whose model ``provider/model`` is; of keys that begin alike it is the longest."""
    return max((key for key in keys if name.startswith(f"{key}/") and len(name) > len(key) + 1), key=len, default=None)


def _odd(result: SyncResult) -> str | None:
    """Return which part of a result is not what it must be."""
    for part in fields(SyncResult):
        value: Any = getattr(result, part.name)
        if not isinstance(value, tuple | list) or not all(isinstance(one, str) for one in value):
            return part.name
    return None

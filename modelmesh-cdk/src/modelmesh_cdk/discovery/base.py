"""Base class of discovery connectors: compares model lists and counts probes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Any, ClassVar, Self

from attrs import define, evolve, field, fields_dict, frozen, validators

from modelmesh.contracts import FailureClass, parse_duration
from modelmesh.contracts.call import Limits
from modelmesh.contracts.discovery import HealthReport, ProbeResult, SyncResult, SyncState, SyncStatus
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import ListsModels, Probing
from modelmesh.errors import ModelMeshError, ProviderError
from modelmesh_cdk.declared_options import DeclaresOptions
from modelmesh_cdk.observability.redaction import redact

KEPT_PROBES = 100
_FLAT = {
    "sync_interval_seconds": "sync_interval", "health_interval_seconds": "health_interval",
    "health_timeout_seconds": "health_timeout",
}  # fmt: skip
_OF_SECTION = {
    "sync": {
        "enabled": "sync_enabled", "interval": "sync_interval", "auto_register": "auto_register", "providers": "sync_providers",
        "on_new_model": "on_new_model", "on_deprecated_model": "on_deprecated_model",
    },
    "health": {
        "enabled": "health_enabled", "interval": "health_interval", "timeout": "health_timeout",
        "failure_threshold": "failure_threshold", "providers": "health_providers",
    },
}  # fmt: skip


def _names(value: Any) -> tuple[str, ...] | None:
    return tuple(value) if value else None


@frozen(kw_only=True)
class BaseDiscoveryConfig:
    """Settings of a discovery connector. The mesh reads the same settings from its configuration and acts on the results.

    ``sync_enabled``, ``health_enabled`` and ``health_interval`` are for information only: the mesh decides whether and when
    it calls a connector.

    Attributes:
        sync_enabled: Whether model lists are compared.
        sync_interval: Interval of comparisons in seconds.
        sync_providers: Providers to compare. ``None`` is all.
        auto_register: Whether new models join the matching pools.
        on_new_model: ``register``, ``notify`` or ``ignore``.
        on_deprecated_model: ``deactivate``, ``notify`` or ``ignore``.
        health_enabled: Whether providers are probed.
        health_interval: Interval of probes in seconds.
        health_timeout: Timeout of a probe in seconds.
        health_providers: Providers to probe. ``None`` is all.
        failure_threshold: Number of consecutive failed probes after which a provider is degraded.
        options: All other settings.
    """

    sync_enabled: bool = True
    sync_interval: float = field(default=3600.0, converter=parse_duration)
    sync_providers: tuple[str, ...] | None = field(default=None, converter=_names)
    auto_register: bool = True
    on_new_model: str = field(default="register", validator=validators.in_(("register", "notify", "ignore")))
    on_deprecated_model: str = field(default="notify", validator=validators.in_(("deactivate", "notify", "ignore")))
    health_enabled: bool = True
    health_interval: float = field(default=60.0, converter=parse_duration)
    health_timeout: float = field(default=10.0, converter=parse_duration)
    health_providers: tuple[str, ...] | None = field(default=None, converter=_names)
    failure_threshold: int = field(default=3, validator=validators.ge(1))
    options: Mapping[str, Any] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read settings from a map, flat or in the sections ``sync`` and ``health``. Unknown keys go to ``options``."""
        flat = {_FLAT.get(name, name): value for name, value in settings.items() if name not in _OF_SECTION}
        for section, names in _OF_SECTION.items():
            flat |= {names.get(name, name): value for name, value in (settings.get(section) or {}).items()}
        both = flat.pop("providers", None)
        if both:
            flat = {"sync_providers": both, "health_providers": both, **flat}
        known = {name: value for name, value in flat.items() if name in fields_dict(cls) and name != "options"}
        rest = {name: value for name, value in flat.items() if name not in known and name != "options"}
        return cls(**known, options={**settings.get("options", {}), **rest})


@define
class _Probed:
    """Probe results of one provider."""

    outcomes: deque[bool] = field(factory=lambda: deque(maxlen=KEPT_PROBES))
    failed_in_a_row: int = 0
    last: ProbeResult | None = None
    latency_ms: float | None = None
    at: float | None = None


class BaseDiscovery(DeclaresOptions):
    """Base class that compares model lists and counts probes. A connector overrides the two hooks that contact providers.

    A hook may raise any exception: the base class reports it as an error or as a failed probe.

    Attributes:
        id: Connector ID, equal to the entry point's name.
        config_class: Class of the settings. Derive it from :class:`BaseDiscoveryConfig` to add settings.
        providers: The live providers by key, see :meth:`attach`.
    """

    id: ClassVar[str] = "modelmesh.base-discovery.v1"
    config_class: ClassVar[type[BaseDiscoveryConfig]] = BaseDiscoveryConfig
    _base_settings: ClassVar[Collection[str]] = (*_FLAT, "sync", "health", "providers")

    def __init__(
        self, config: Mapping[str, Any] | BaseDiscoveryConfig | None = None, *, wall: Any = time.time, clock: Any = time.monotonic
    ) -> None:
        """Create a connector without any request.

        Args:
            config: Settings.
            wall: Returns Unix seconds.
            clock: Returns monotonic seconds.
        """
        self.config: Any = config if isinstance(config, BaseDiscoveryConfig) else self.config_class.of(config or {})
        self.providers: dict[str, Any] = {}
        self._wall, self._clock = wall, clock
        self._lock, self._syncing = Lock(), Lock()
        self._known: dict[str, dict[str, ModelInfo]] = {}
        self._probed: dict[str, _Probed] = {}
        self._status = SyncStatus()

    def attach(self, providers: Mapping[str, Any]) -> None:
        """Set the live providers without any request. :meth:`set_known_models` sets their known models."""
        self.providers = dict(providers)

    # -- hooks: who asks ----------------------------------------------------------------------------------------------

    def _discover_provider_models(self, provider_id: str) -> Sequence[ModelInfo]:
        """Return the current models of a provider: by default the vendor's list, else the catalogue."""
        provider = self.providers[provider_id]
        return provider.discover_models() if _lists(provider) else provider.models()  # type: ignore[no-any-return]

    def _probe_provider(self, provider_id: str, timeout: float) -> int | None:
        """Probe a provider and return its HTTP status, or ``None``. Raise if the provider is down.

        By default the provider is probed as the mesh does. A provider without a probe is asked for its models. A provider that
        rejects the request because of a rate limit is up.
        """
        provider = self.providers.get(provider_id)
        try:
            if isinstance(provider, Probing) and getattr(provider, "probe_path", True):
                provider.probe(_limits(timeout))
            elif _lists(provider) and not self._has_own_probe():
                provider.discover_models(_limits(timeout))  # type: ignore[union-attr]
            else:
                self._discover_provider_models(provider_id)
        except ProviderError as error:
            if error.failure is not FailureClass.THROTTLE:
                raise
            return error.status
        return None

    def _has_own_probe(self) -> bool:
        return type(self)._discover_provider_models is not BaseDiscovery._discover_provider_models  # noqa: SLF001 - its own

    def close(self) -> None:
        """Release the connector's resources. A second call has no effect."""

    def after_fork(self) -> None:
        """Create new locks in a child process, because a thread of the parent may have held them."""
        self._lock, self._syncing = Lock(), Lock()

    # -- catalogues ---------------------------------------------------------------------------------------------------

    def set_known_models(self, provider_id: str, models: Sequence[ModelInfo]) -> None:
        """Set the known models, which the next comparison does not report as new."""
        with self._lock:
            self._known[provider_id] = {info.id: info for info in models}

    def sync(self, providers: Sequence[str] | None = None) -> SyncResult:
        """Compare the model lists with the known models, for the named providers or all.

        A provider that fails or returns an empty list is an error, and its models are not deprecated.
        """
        names = list(providers if providers is not None else self.config.sync_providers or self.providers)
        with self._syncing:  # of two comparisons at once, both would call the same model new
            return self._compared(names)

    def _compared(self, names: Sequence[str]) -> SyncResult:
        with self._lock:
            self._status = evolve(self._status, status=SyncState.SYNCING)
        new: list[str] = []
        gone: list[str] = []
        changed: list[str] = []
        errors: list[str] = []
        for name in names:
            try:
                now = {info.id: info for info in self._discover_provider_models(name)}
            except Exception as error:  # noqa: BLE001 - a provider's exception must not affect the others
                errors.append(f"{name}: {_describe_error(error)}")
                continue
            with self._lock:
                known = self._known.get(name, {})
                if known and not now:
                    errors.append(f"{name}: its list of models is empty; the known ones stay")
                    continue
                self._known[name] = now
            new += [f"{name}/{one}" for one in now if one not in known]
            gone += [f"{name}/{one}" for one in known if one not in now]
            changed += [f"{name}/{one}" for one in now if one in known and not _same(now[one], known[one])]
        self._settle(failed=bool(names) and len(errors) == len(names))
        return SyncResult(tuple(sorted(new)), tuple(sorted(gone)), tuple(sorted(changed)), tuple(errors))

    def _settle(self, *, failed: bool) -> None:
        now = self._wall()
        with self._lock:
            count = sum(map(len, self._known.values()))
            self._status = SyncStatus(now, now + self.config.sync_interval, count, SyncState.FAILED if failed else SyncState.IDLE)

    def get_model_info(self, provider_id: str, model_id: str) -> ModelInfo | None:
        """Return the last row of a model, or ``None`` if it is unknown. Sends no request."""
        with self._lock:
            return self._known.get(provider_id, {}).get(model_id)

    def get_sync_status(self) -> SyncStatus:
        """Return the status of the comparisons."""
        with self._lock:
            return self._status

    # -- health -------------------------------------------------------------------------------------------------------

    def probe(self, provider_id: str) -> ProbeResult:
        """Probe a provider and record the result."""
        began = self._clock()
        try:
            status = self._probe_provider(provider_id, self.config.health_timeout)
        except Exception as error:  # noqa: BLE001 - any exception means that the provider is down
            status = getattr(error, "status", None)
            result = ProbeResult(provider_id, success=False, status_code=status, error=_describe_error(error))
        else:
            result = ProbeResult(provider_id, success=True, latency_ms=(self._clock() - began) * 1000, status_code=status)
        with self._lock:
            probed = self._probed.setdefault(provider_id, _Probed())
            probed.outcomes.append(result.success)
            probed.failed_in_a_row = 0 if result.success else probed.failed_in_a_row + 1
            probed.last, probed.at = result, self._wall()
            if result.success:
                probed.latency_ms = result.latency_ms
        return result

    def is_provider_degraded(self, provider_id: str) -> bool:
        """Return whether the consecutive failed probes reach the threshold. A provider without a probe is not degraded."""
        with self._lock:
            probed = self._probed.get(provider_id)
            return probed is not None and probed.failed_in_a_row >= self.config.failure_threshold

    def get_health_report(self, provider_id: str | None = None) -> list[HealthReport]:
        """Return a report for each provider, or for the named one. Sends no request."""
        names = [provider_id] if provider_id is not None else sorted({*self.providers, *self._probed})
        return [self._report(name) for name in names]

    def _report(self, name: str) -> HealthReport:
        degraded = self.is_provider_degraded(name)
        with self._lock:
            probed = self._probed.get(name)
            if probed is None or probed.last is None:
                return HealthReport(name)
            share = sum(probed.outcomes) / len(probed.outcomes)
            last = probed.last
            return HealthReport(name, not degraded, probed.latency_ms, last.status_code, last.error, share, probed.at)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


def _lists(provider: Any) -> bool:
    return isinstance(provider, ListsModels) and bool(getattr(provider, "list_path", True))


def _limits(seconds: float) -> Limits:
    return Limits(connect=min(5.0, seconds), first_content=seconds, gap=seconds, total=seconds, answer=seconds)


def _same(one: ModelInfo, other: ModelInfo) -> bool:
    """Return whether two rows are equal, apart from their source and date."""
    return evolve(one, extra={}) == evolve(other, extra={})


def _describe_error(error: Exception) -> str:
    # Only our own errors are written to be shown: another's text may hold an address with a key in it.
    return redact(error.message) if isinstance(error, ModelMeshError) else type(error).__name__

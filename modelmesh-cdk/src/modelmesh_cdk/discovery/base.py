"""What a discovery connector is made of."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Any, ClassVar, Self

from attrs import define, evolve, field, fields_dict, frozen, validators

from modelmesh.contracts import FailureClass, duration
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
    """Settings of a discovery connector. What follows from its findings is the mesh's, which reads the same settings.

    Attributes:
        sync_enabled: Whether catalogues are compared.
        sync_interval: How often, seconds.
        sync_providers: Whose; ``None``: all.
        auto_register: Whether new models join the pools they fit.
        on_new_model: ``register``, ``notify`` or ``ignore``.
        on_deprecated_model: ``deactivate``, ``notify`` or ``ignore``.
        health_enabled: Whether providers are probed.
        health_interval: How often, seconds.
        health_timeout: How long a probe may take, seconds.
        health_providers: Which; ``None``: all.
        failure_threshold: Failed probes in a row after which a provider is degraded.
        options: Whatever else the configuration said.
    """

    sync_enabled: bool = True
    sync_interval: float = field(default=3600.0, converter=duration)
    sync_providers: tuple[str, ...] | None = field(default=None, converter=_names)
    auto_register: bool = True
    on_new_model: str = field(default="register", validator=validators.in_(("register", "notify", "ignore")))
    on_deprecated_model: str = field(default="notify", validator=validators.in_(("deactivate", "notify", "ignore")))
    health_enabled: bool = True
    health_interval: float = field(default=60.0, converter=duration)
    health_timeout: float = field(default=10.0, converter=duration)
    health_providers: tuple[str, ...] | None = field(default=None, converter=_names)
    failure_threshold: int = field(default=3, validator=validators.ge(1))
    options: Mapping[str, Any] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read a map, in sections (``sync``, ``health``) or flat; keys that no field has go to ``options``."""
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
    """The probes of one provider."""

    outcomes: deque[bool] = field(factory=lambda: deque(maxlen=KEPT_PROBES))
    failed_in_a_row: int = 0
    last: ProbeResult | None = None
    latency_ms: float | None = None
    at: float | None = None


class BaseDiscovery(DeclaresOptions):
    """Compares catalogues and counts probes; a connector overrides the two hooks that ask.

    Hooks may raise whatever they like: it becomes an entry among the errors, or a failed probe.

    Attributes:
        id: Connector ID, the same as the entry point's name.
        config_class: Settings; derive from :class:`BaseDiscoveryConfig` for more of them.
        providers: The live providers by their keys, as :meth:`attach` was given them.
    """

    id: ClassVar[str] = "modelmesh.base-discovery.v1"
    config_class: ClassVar[type[BaseDiscoveryConfig]] = BaseDiscoveryConfig
    _base_settings: ClassVar[Collection[str]] = (*_FLAT, "sync", "health", "providers")

    def __init__(
        self, config: Mapping[str, Any] | BaseDiscoveryConfig | None = None, *, wall: Any = time.time, clock: Any = time.monotonic
    ) -> None:
        """Prepare; nobody is asked.

        Args:
            config: Settings.
            wall: Gives Unix seconds.
            clock: Gives monotonic seconds.
        """
        self.config: Any = config if isinstance(config, BaseDiscoveryConfig) else self.config_class.of(config or {})
        self.providers: dict[str, Any] = {}
        self._wall, self._clock = wall, clock
        self._lock, self._syncing = Lock(), Lock()
        self._known: dict[str, dict[str, ModelInfo]] = {}
        self._probed: dict[str, _Probed] = {}
        self._status = SyncStatus()

    def attach(self, providers: Mapping[str, Any]) -> None:
        """Take the live providers; nobody is asked. What is already known of their models is told by :meth:`set_known_models`."""
        self.providers = dict(providers)

    # -- hooks: who asks ----------------------------------------------------------------------------------------------

    def _discover_provider_models(self, provider_id: str) -> Sequence[ModelInfo]:
        """Return the models that a provider has now: by default what its vendor lists, else its catalogue."""
        provider = self.providers[provider_id]
        return provider.discover_models() if _lists(provider) else provider.models()  # type: ignore[no-any-return]

    def _probe_provider(self, provider_id: str, timeout: float) -> int | None:
        """Look at a provider and return its HTTP status when there is one; raise when it is not up.

        By default probes it as the mesh would, or asks for its models where it has nothing to be probed by. One that
        refuses for now, because of too many requests, is up.
        """
        provider = self.providers.get(provider_id)
        try:
            if isinstance(provider, Probing) and getattr(provider, "probe_path", True):
                provider.probe(_limits(timeout))
            elif _lists(provider) and not self._asks_otherwise():
                provider.discover_models(_limits(timeout))  # type: ignore[union-attr]
            else:
                self._discover_provider_models(provider_id)
        except ProviderError as error:
            if error.failure is not FailureClass.THROTTLE:
                raise
            return error.status
        return None

    def _asks_otherwise(self) -> bool:
        return type(self)._discover_provider_models is not BaseDiscovery._discover_provider_models  # noqa: SLF001 - its own

    def close(self) -> None:
        """Let go of what the connector holds. May be called twice."""

    def after_fork(self) -> None:
        """Take new locks in a child process: a thread of the parent may have held them."""
        self._lock, self._syncing = Lock(), Lock()

    # -- catalogues ---------------------------------------------------------------------------------------------------

    def set_known_models(self, provider_id: str, models: Sequence[ModelInfo]) -> None:
        """Take models as known, so that they are not new to the next comparison."""
        with self._lock:
            self._known[provider_id] = {info.id: info for info in models}

    def sync(self, providers: Sequence[str] | None = None) -> SyncResult:
        """Compare the catalogues with what is known; all providers when none is named.

        A provider that does not answer, or answers with no model at all, is an error, and none of its models is
        deprecated for it.
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
            except Exception as error:  # noqa: BLE001 - whatever a provider raises, the others are asked
                errors.append(f"{name}: {_said(error)}")
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
        """Return the row of a model as it was last read, ``None`` when it is not known. Asks nobody."""
        with self._lock:
            return self._known.get(provider_id, {}).get(model_id)

    def get_sync_status(self) -> SyncStatus:
        """Return how the catalogues stand."""
        with self._lock:
            return self._status

    # -- health -------------------------------------------------------------------------------------------------------

    def probe(self, provider_id: str) -> ProbeResult:
        """Look whether a provider is up, and remember it."""
        began = self._clock()
        try:
            status = self._probe_provider(provider_id, self.config.health_timeout)
        except Exception as error:  # noqa: BLE001 - whatever it raises, the provider is not up
            status = getattr(error, "status", None)
            result = ProbeResult(provider_id, success=False, status_code=status, error=_said(error))
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
        """Whether as many probes in a row failed as the threshold says; one that was never probed is not."""
        with self._lock:
            probed = self._probed.get(provider_id)
            return probed is not None and probed.failed_in_a_row >= self.config.failure_threshold

    def get_health_report(self, provider_id: str | None = None) -> list[HealthReport]:
        """Return one report for each provider, or for the one named. Probes nobody."""
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
    """Whether two rows say the same; when and where they were read is no change."""
    return evolve(one, extra={}) == evolve(other, extra={})


def _said(error: Exception) -> str:
    # Only our own errors are written to be shown: another's text may hold an address with a key in it.
    return redact(error.message) if isinstance(error, ModelMeshError) else type(error).__name__

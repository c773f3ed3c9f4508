"""Providers that could not list their models at the start: they are left out, retried, and join later."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING

from attrs import define, field

from modelmesh._engine.foundation import notices
from modelmesh.contracts.observability import RoutingEvent
from modelmesh.errors import ModelMeshError, ProviderError

if TYPE_CHECKING:
    from modelmesh._engine.background.plan import Joiner, WatchedProvider
    from modelmesh._engine.background.scheduler import Scheduler
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.contracts.models import ModelInfo

FIRST_RETRY_S, MAX_RETRY_S = 5.0, 60.0
"""Delay of the first retry and the upper limit. Each further delay is twice as long."""


class ProviderUnavailableWarning(UserWarning):
    """A provider could not list its models at the start and is left out until it can."""


@define(eq=False, kw_only=True)
class LateProviders:
    """Retries the model lists of providers that were unavailable at the start.

    Attributes:
        errors: Error of each provider that is left out, by its key.
        providers: Providers by their keys in the configuration.
        joiner: Adds models to pools.
        health: Health of all models and provider accounts.
        lock: The mesh's lock.
        clock: Returns monotonic seconds.
        scheduler: Runs the retries, never on the path of a request.
        publish: Publishes events.
        on_joined: Called with each model that joined, under the lock.
        on_batch: Called after models have joined.
    """

    errors: Mapping[str, ProviderError]
    providers: Mapping[str, WatchedProvider]
    joiner: Joiner
    health: HealthRegistry
    lock: RLock
    clock: Callable[[], float]
    scheduler: Scheduler
    publish: Callable[[Sequence[RoutingEvent]], None]
    on_joined: Callable[[Candidate], None]
    on_batch: Callable[[], None]
    _delays: dict[str, float] = field(factory=dict, init=False)

    def begin(self) -> None:
        """Warn about each provider that is left out, publish an event and schedule the first retry."""
        for key, error in self.errors.items():
            notices.warn(
                f"{key} is left out until it can list its models: {error.message} ModelMesh retries in the background.",
                ProviderUnavailableWarning,
            )
            self._publish(key, available=False, reason=str(error.failure))
            self._delays[key] = FIRST_RETRY_S
            self._schedule(key)

    def _schedule(self, key: str) -> None:
        self.scheduler.after(self._delays[key], lambda: self._retry(key))

    def _retry(self, key: str) -> None:
        try:
            models = self.providers[key].catalogue()
        except ModelMeshError:
            self._delays[key] = min(self._delays[key] * 2, MAX_RETRY_S)
            self._schedule(key)
            return
        if not self.scheduler.stopped():
            self._join(key, models)

    def _join(self, key: str, models: Sequence[ModelInfo]) -> None:
        with self.lock:
            now = self.clock()
            self.health.advance(now)
            candidates = self.joiner.join(key, models, self.health, now, is_late=True)
            for candidate in candidates:
                self.on_joined(candidate)
        if candidates:
            self.on_batch()
        self._publish(key, available=True, models=[candidate.model_id for candidate in candidates])

    def _publish(self, key: str, **facts: object) -> None:
        facts["found_by"] = "list of models"
        self.publish([RoutingEvent("provider_health_changed", time.time(), None, key, None, facts)])

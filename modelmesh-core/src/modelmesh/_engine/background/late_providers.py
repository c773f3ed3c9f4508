"""Providers that could not list their models at the start: they are left out, retried, and join when they answer."""

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
    from modelmesh._engine.assembly.accounts import ProviderEntry
    from modelmesh._engine.assembly.joining import Joining
    from modelmesh._engine.background.scheduler import Background
    from modelmesh._engine.health.registry import HealthRegistry
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.contracts.models import ModelInfo

FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 60.0
"""Time to the first retry; each further one takes twice as long, up to the second number."""


class ProviderUnavailableWarning(UserWarning):
    """A provider could not list its models at the start; it is left out until it can."""


@define(eq=False)
class LateProviders:
    """Retries the lists of providers that were unavailable at the start.

    Attributes:
        errors: Why each one is left out, by the provider's key.
        entries: The providers by their keys.
        joining: Takes models into the pools.
        health: The health of everything.
        lock: The mesh's.
        clock: Monotonic seconds.
        background: Runs the retries, never on the path of a request.
        publish: Sends events.
        joined: Called with a model that was taken in, under the lock.
        settled: Called when models were taken in.
    """

    errors: Mapping[str, ProviderError]
    entries: Mapping[str, ProviderEntry]
    joining: Joining
    health: HealthRegistry
    lock: RLock
    clock: Callable[[], float]
    background: Background
    publish: Callable[[Sequence[RoutingEvent]], None]
    joined: Callable[[Candidate], None]
    settled: Callable[[], None]
    _waits: dict[str, float] = field(factory=dict, init=False)

    def begin(self) -> None:
        """Warn about each provider that is left out, publish an event, and schedule its first retry."""
        for key, error in self.errors.items():
            notices.warn(
                f"{key} is left out until it can list its models: {error.message} ModelMesh retries in the background.",
                ProviderUnavailableWarning,
            )
            self._publish(key, available=False, reason=str(error.failure))
            self._waits[key] = FIRST_RETRY_S
            self._schedule(key)

    def _schedule(self, key: str) -> None:
        self.background.after(self._waits[key], lambda: self._retry(key))

    def _retry(self, key: str) -> None:
        try:
            rows = self.entries[key].catalogue()
        except ModelMeshError:
            self._waits[key] = min(self._waits[key] * 2, LONGEST_RETRY_S)
            self._schedule(key)
            return
        if not self.background.stopped():
            self._admit(key, rows)

    def _admit(self, key: str, rows: Sequence[ModelInfo]) -> None:
        with self.lock:
            now = self.clock()
            self.health.advance(now)
            candidates = self.joining.join(self.entries[key], rows, self.health, now, is_late=True)
            for candidate in candidates:
                self.joined(candidate)
        if candidates:
            self.settled()
        self._publish(key, available=True, models=[candidate.model_id for candidate in candidates])

    def _publish(self, key: str, **facts: object) -> None:
        facts["found_by"] = "list of models"
        self.publish([RoutingEvent("provider_health_changed", time.time(), None, key, None, facts)])

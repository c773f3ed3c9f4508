"""Health of the state store: its last error, and the events that report it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from modelmesh.contracts.observability import EventType

_log = logging.getLogger("modelmesh.state")


class StoreHealth:
    """Records whether the store works. Only the first failure after a success is logged and published.

    Attributes:
        error: Type and text of the last failure, ``None`` while the store works.
        failures: Failures since the last success.
        shares_counts: Whether counts are local to this process while the store fails.
    """

    def __init__(self, storage_id: str, publish_event: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Start without an error.

        Args:
            storage_id: ID of the storage connector.
            publish_event: Publishes ``storage_failed`` and ``storage_recovered`` with their facts.
        """
        self.error: str | None = None
        self.failures = 0
        self.shares_counts = False
        self._storage_id = storage_id
        self._publish_event = publish_event

    def record_failure(self, error: Exception) -> None:
        """Record that the store raised an error."""
        first, self.error = self.error is None, f"{type(error).__name__}: {error}"
        self.failures += 1
        if first:
            effect = "Counts are local to this process until it replies" if self.shares_counts else "Requests continue without it"
            _log.warning("the state cannot be stored in %s: %s. %s", self._storage_id, self.error, effect)
            self._publish_event(EventType.STORAGE_FAILED, {"reason": self.error, "storage": self._storage_id})

    def record_success(self) -> None:
        """Record that the store works."""
        if self.error is not None:
            self.error, self.failures = None, 0
            _log.info("the state is stored in %s again", self._storage_id)
            self._publish_event(EventType.STORAGE_RECOVERED, {"storage": self._storage_id})

    def report_damage(self, reason: str, outcome: str) -> None:
        """Publish that stored data was damaged and what became of it."""
        self._publish_event(EventType.STORAGE_FAILED, {"reason": reason, "kept": outcome, "storage": self._storage_id})

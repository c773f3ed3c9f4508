"""Settings of state persistence: when the state is saved, and whether a save takes the store's lock."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

KEY: Final = "modelmesh/state"
"""Key of the snapshot in the store. Keys of shared counters begin with it."""

DEBOUNCE_S: Final = 1.0
"""With ``immediate``, one save covers the changes of this many seconds. Reservations do not wait: they are saved first."""


class SyncPolicy(StrEnum):
    """When the state is saved."""

    IN_MEMORY = "in-memory"
    ON_BOUNDARY = "sync-on-boundary"
    PERIODIC = "periodic"
    IMMEDIATE = "immediate"


@frozen(kw_only=True)
class StateSettings:
    """Settings of one store.

    Attributes:
        policy: When the state is saved.
        interval_s: Seconds between two saves, with ``periodic``.
        locking: Whether a save takes the store's lock, where the store has locks.
    """

    policy: SyncPolicy = SyncPolicy.ON_BOUNDARY
    interval_s: float = 300.0
    locking: bool = True

"""Settings of state persistence: when the state is saved, and whether a save takes the store's lock."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

KEY: Final = "modelmesh/state"
"""Key of the snapshot in the store. Keys of shared counters begin with it."""

FIRST_RETRY_S: Final = 0.25
LONGEST_RETRY_S: Final = 5.0
"""Time between the first two calls of a store that fails, and the longest. It is called until it replies."""

DEBOUNCE_S: Final = 1.0
"""With ``immediate``, one save covers the changes of this many seconds. Reservations do not wait: they are saved first."""


def retry_delay(failures: int) -> float:
    """Return the seconds until a store that failed is called again: twice as long after each failure."""
    return min(FIRST_RETRY_S * 2.0 ** min(failures, 10), LONGEST_RETRY_S)


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
        requires_store: Whether requests that a budget limits are refused while counts cannot be shared.
    """

    policy: SyncPolicy = SyncPolicy.ON_BOUNDARY
    interval_s: float = 300.0
    locking: bool = True
    requires_store: bool = False

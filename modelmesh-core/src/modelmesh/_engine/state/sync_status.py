"""Status of state persistence, and of the counts that processes share."""

from __future__ import annotations

from typing import Final, Literal

from attrs import frozen

from modelmesh._engine.state.saver import StateSaver
from modelmesh._engine.state.settings import DEBOUNCE_S, StateSettings, SyncPolicy


@frozen(kw_only=True)
class CountsStatus:
    """Whether limits compare the counts of all processes, or those of this process only.

    Attributes:
        counts: ``shared`` or ``local``.
        reason: Why counts are local, ``None`` while they are shared.
        is_store_down: Whether counts are local only until the store replies.
        refuses_budgets: Whether requests that a budget limits are refused now.
        pending: Number of counters with amounts that wait to be sent to the store.
    """

    counts: Literal["local", "shared"]
    reason: str | None = None
    is_store_down: bool = False
    refuses_budgets: bool = False
    pending: int = 0


WITHOUT_STORE: Final = CountsStatus(counts="local", reason="no storage is configured")
"""Status of a mesh without a store."""


@frozen(kw_only=True)
class StateSyncStatus:
    """Status of the saved state. Times are Unix seconds.

    Attributes:
        last_sync: Time of the last save, ``None`` before the first.
        next_sync: Time of the next save, ``None`` when none is due.
        pending_changes: Changes since the last save, and shared counters that wait to be sent.
        locked: Whether the user of this process holds the lock of the state.
        lock_owner: ID of that lock.
        error: Why the store failed the last time, ``None`` while it works.
        counts: Whether counts are shared with other processes.
    """

    last_sync: float | None
    next_sync: float | None
    pending_changes: int
    locked: bool
    lock_owner: str | None
    error: str | None
    counts: CountsStatus


def next_save(settings: StateSettings, saver: StateSaver, now: float) -> float | None:
    """Return the Unix time of the next save, ``None`` when none is due."""
    if settings.policy is SyncPolicy.PERIODIC:
        return (saver.last_saved or now) + settings.interval_s
    if settings.policy is SyncPolicy.IMMEDIATE and saver.changes:
        return now + DEBOUNCE_S
    return None

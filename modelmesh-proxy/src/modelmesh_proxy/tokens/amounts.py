"""Used and remaining amounts of the limits of tokens and teams: of a running mesh, and from its store."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh._engine.limits.counter import LimitCounter
from modelmesh._engine.limits.forecasts import forecast
from modelmesh._engine.mesh.callers import caller_forecasts
from modelmesh._engine.state.settings import KEY, SyncPolicy
from modelmesh._engine.state.shared_counters import SharedCounters
from modelmesh._engine.state.store_health import StoreHealth
from modelmesh._engine.state.system_state import DamagedStateError, NewerStateError, SystemState
from modelmesh.contracts.storage import Counters
from modelmesh_proxy.tokens.records import TeamRecord, TokenRecord

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh._engine.config.schema import StorageSection
    from modelmesh.contracts.storage import Storage
    from modelmesh_proxy.tokens.token_info import Amounts

_log = logging.getLogger("modelmesh.proxy.tokens")


def amounts_of_mesh(mesh: ModelMesh) -> Amounts:
    """Return the source of the amounts of a running mesh."""

    def amounts(record: TokenRecord | TeamRecord) -> Sequence[Mapping[str, Any]]:
        return caller_forecasts(mesh, record.key)

    return amounts


def amounts_of_store(storage: Storage, section: StorageSection) -> Amounts:
    """Return the source of the amounts that the processes of a configuration have stored.

    With ``sync_policy: immediate`` these are the shared counts, else those of the latest save.
    """
    saved = _saved(storage)
    shared = None
    if SyncPolicy(section.sync_policy) is SyncPolicy.IMMEDIATE and isinstance(storage, Counters):
        shared = SharedCounters(storage, f"{KEY}/", time.time, StoreHealth(storage.id, lambda *_: None))

    def amounts(record: TokenRecord | TeamRecord) -> Sequence[Mapping[str, Any]]:
        when = time.time()
        counters = {limit.name: LimitCounter(limit) for limit in record.limits.of_caller(record.key, record.name).limits()}
        for name, counter in counters.items():
            counter.advance_window(when)
            if name in saved:
                counter.restore(saved[name], when)
        if shared is not None and counters:
            totals = shared.totals(counters, when)
            for counter in counters.values():
                counter.apply_totals(totals, when)
        return [forecast(counter, when) for counter in counters.values()]

    return amounts


def _saved(storage: Storage) -> Mapping[str, Any]:
    entry = storage.load(KEY)
    if entry is None:
        return {}
    try:
        return SystemState.from_bytes(entry.data).meters
    except (DamagedStateError, NewerStateError) as error:
        _log.warning("the stored counts cannot be read: %s", error)
        return {}

"""Lease of a place in flight, which one attempt holds until its result is applied."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from modelmesh._engine.health.model_health import ModelHealth
from modelmesh._engine.health.provider_health import ProviderHealth

NO_PROBES = (0, 0)
"""Probes of an attempt that is no probe."""


@define(eq=False)
class Lease:
    """One attempt in flight, and what its result may be applied to.

    Creating a lease changes nothing. :meth:`.health_registry.HealthRegistry.begin` takes the place in flight.

    Attributes:
        model: Health of the model.
        account: Health of its provider account.
        generations: Generation of the model's and of the account's breaker when the attempt began.
        probes: Number of the probe that the attempt is for each breaker, 0 for none.
        began: Start of the attempt, monotonic seconds.
        settled: Whether the result was applied and the place returned.
    """

    model: ModelHealth
    account: ProviderHealth
    generations: tuple[int, int] = (0, 0)
    probes: tuple[int, int] = NO_PROBES
    began: float = 0.0
    settled: bool = False


class LeaseGuard:
    """Returns a lease that its owner lost, for example because of an interrupt between two steps.

    The flow, and later the stream, owns the guard. When the guard is garbage-collected before the lease was settled, the
    callback receives the lease and returns its place and reservation.
    """

    __slots__ = ("_lease", "_lost")

    def __init__(self, lease: Lease, lost: Callable[[Lease], None]) -> None:
        self._lease = lease
        self._lost = lost

    def __del__(self) -> None:
        if not self._lease.settled:
            self._lost(self._lease)

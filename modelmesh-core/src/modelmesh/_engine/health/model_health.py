"""Health of one model at one provider."""

from __future__ import annotations

from typing import Protocol

from attrs import define, field

from modelmesh._engine.health.circuit_breaker import CircuitBreaker


@define(eq=False)
class ModelHealth(CircuitBreaker):
    """Health of one model at one provider.

    Attributes:
        provider_id: Key of the provider.
        model_id: The model, as configured.
        leases: Leases of its attempts in flight.
        standby_policy: The policy that suspended it, ``None`` when none did.
    """

    provider_id: str = ""
    model_id: str = ""
    leases: set[object] = field(factory=set, repr=False)
    standby_policy: StandbyPolicy | None = field(default=None, repr=False)

    def enter_standby(self, policy: StandbyPolicy) -> None:
        """Set the policy that decides when the suspension ends."""
        self.standby_policy = policy

    def leave_standby(self) -> None:
        """Clear the policy, because its suspension ended."""
        self.standby_policy = None

    @property
    def in_flight(self) -> int:
        """Number of requests in flight."""
        return len(self.leases)


class StandbyPolicy(Protocol):
    """A policy that suspends models and decides when each suspension ends."""

    def extends_until(self, model: ModelHealth, now: float, /) -> float | None:
        """Return the new end of a suspension that is due, ``None`` when the model becomes available."""

    def describe(self, model: ModelHealth, /) -> str:
        """Return the reason and the name of the policy, for messages."""

"""Routing history of a reply: computed from the live mesh, or stored in a pickle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, frozen

from modelmesh._engine.foundation.attempts import AttemptOutcome
from modelmesh._engine.routing.explain import CandidateInfo, Explanation
from modelmesh._engine.routing.final_errors import passed_over
from modelmesh.contracts.provider import Answer

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh._engine.routing.steps import Served
    from modelmesh.contracts.call import Call


@frozen
class StoredHistory:
    """Routing history of an unpickled reply.

    Attributes:
        provider: Key of the provider of the reply.
        attempts: Every attempt, the successful one last.
        metadata: Metadata of the mesh and the vendor.
        explanation: The reason for the choice of the model.
    """

    provider: str
    attempts: list[Attempt]
    metadata: Mapping[str, Any]
    explanation: Explanation

    def explain(self) -> Explanation:
        """Return the explanation as of the pickling."""
        return self.explanation


@define(eq=False)
class LiveHistory:
    """Routing history of a reply of this process."""

    served: Served
    call: Call
    clock: Callable[[], float]

    @property
    def provider(self) -> str:
        """Key of the provider of the reply."""
        return self.served.candidate.provider_id

    @property
    def attempts(self) -> list[Attempt]:
        """Every attempt, the successful one last."""
        return self.served.attempts

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata of the mesh and the vendor."""
        outcome, candidate = self.served.outcome, self.served.candidate
        return {
            "pool": self.served.pool.name,
            "connector": candidate.connector_id,
            "upstream_model": candidate.upstream,
            "headers": dict(outcome.headers if isinstance(outcome, Answer) else outcome.stream.headers),
            "adapted": tuple(self.attempts[-1].adapted),
        }

    def explain(self) -> Explanation:
        """Return why this model was chosen, and why each other model was not."""
        return explain_served(self.served, self.call, self.clock())

    def stored(self) -> StoredHistory:
        """Return a copy that another process can read."""
        return StoredHistory(self.provider, self.attempts, self.metadata, self.explain())


def explain_served(served: Served, call: Call, now: float) -> Explanation:
    """Return the explanation of a served request."""
    connectors = {candidate.provider_id: candidate.connector_id for candidate in served.pool.members}
    rows = [
        CandidateInfo(
            attempt.model_id,
            attempt.provider_id,
            connectors.get(attempt.provider_id, ""),
            "active" if attempt.outcome in (AttemptOutcome.ANSWERED, AttemptOutcome.STREAMING) else "failed",
            attempt is served.attempts[-1],
            None,
            attempt.reason if attempt is served.attempts[-1] else str(attempt),
        )
        for attempt in served.attempts
    ]
    place = served.pool.position(served.candidate)
    sets = evolve(served.sets, tried=served.sets.tried | (0 if place is None else 1 << place))
    rows += [
        CandidateInfo(
            over.model_id,
            over.provider_id,
            connectors.get(over.provider_id, ""),
            "not tried",
            selected=False,
            score=None,
            reason=over.reason,
        )
        for over in passed_over(served.pool, call, sets, now)
    ]
    return Explanation(
        served.pool.name,
        served.pool.capability,
        served.pool.strategy.id,
        served.candidate.model_id,
        served.candidate.provider_id,
        served.reason,
        tuple(rows),
    )

"""Replies: the vendor's answer, and what the mesh knows of how it came about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve

from modelmesh.client.shapes import Choice, Embedding, Usage
from modelmesh.client.view import View
from modelmesh.routing.explain import CandidateInfo, Explanation
from modelmesh.routing.verdicts import passed_over

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call
    from modelmesh.routing.attempts import Attempt
    from modelmesh.routing.flow import Served


class Reply(View):
    """A whole answer.

    Beside OpenAI's fields it has ``provider``, ``latency_ms``, ``attempts``, ``metadata`` and ``explain()``.
    """

    __slots__ = ("_call", "_clock", "_served")

    def __init__(self, data: dict[str, Any], served: Served, call: Call, clock: Callable[[], float]) -> None:
        super().__init__(data)
        object.__setattr__(self, "_served", served)
        object.__setattr__(self, "_call", call)
        object.__setattr__(self, "_clock", clock)

    @property
    def provider(self) -> str:
        """Key of the provider that answered."""
        return self._served.candidate.provider_id  # type: ignore[no-any-return]

    @property
    def attempts(self) -> list[Attempt]:
        """Every attempt, the one that answered last."""
        return self._served.attempts  # type: ignore[no-any-return]

    @property
    def latency_ms(self) -> float:
        """How long the attempt that answered took."""
        return self._served.attempts[-1].ms or 0.0

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the mesh and the vendor said around the answer: pool, headers, adaptations, the vendor's model name."""
        outcome = self._served.outcome
        return {
            "pool": self._served.pool.name,
            "connector": self._served.candidate.connector_id,
            "upstream_model": self._served.candidate.upstream,
            "headers": dict(outcome.headers if hasattr(outcome, "headers") else outcome.stream.headers),
            "adapted": tuple(self._served.attempts[-1].adapted),
        }

    def explain(self) -> Explanation:
        """Say why this model answered, and of every other why it did not."""
        return explain_served(self._served, self._call, self._clock())

    def __reduce__(self) -> tuple[Any, ...]:
        return (_unpickled, (self.model_dump(),))


def _unpickled(data: dict[str, Any]) -> View:
    """An answer from another process: what the vendor said is in it, how the mesh came by it is not."""
    return _Plain(data)


class _Chat(View, nested={"choices": Choice, "usage": Usage}):
    """What the answer to a chat says."""

    __slots__ = ()

    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    usage: Usage | None
    service_tier: str | None
    system_fingerprint: str | None

    @property
    def content(self) -> str | None:
        """Text of the first choice."""
        return self.choices[0].message.content


class _Plain(_Chat, nested={"choices": Choice, "usage": Usage}):
    """An answer without its history."""


class ChatCompletion(Reply, _Chat, nested={"choices": Choice, "usage": Usage}):
    """An answer to a chat."""

    __slots__ = ()


class CreateEmbeddingResponse(Reply, nested={"data": Embedding, "usage": Usage}):
    """Vectors, in the order of the texts."""

    __slots__ = ()

    object: str
    data: list[Embedding]
    model: str
    usage: Usage | None


def explain_served(served: Served, call: Call, now: float) -> Explanation:
    """Say why a request went where it went."""
    connectors = {candidate.provider_id: candidate.connector_id for candidate in served.pool.members}
    rows = [
        CandidateInfo(
            attempt.model_id,
            attempt.provider_id,
            connectors.get(attempt.provider_id, ""),
            "active" if attempt.outcome in ("answered", "streaming") else "failed",
            attempt is served.attempts[-1],
            None,
            attempt.reason if attempt is served.attempts[-1] else str(attempt),
        )
        for attempt in served.attempts
    ]
    place = served.pool.position(served.candidate)
    considered = evolve(served.considered, tried=served.considered.tried | (0 if place is None else 1 << place))
    rows += [
        CandidateInfo(
            over.model_id,
            over.provider_id,
            connectors.get(over.provider_id, ""),
            "not asked",
            selected=False,
            score=None,
            reason=over.reason,
        )
        for over in passed_over(served.pool, call, considered, now)
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

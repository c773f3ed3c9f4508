"""Accounts without a network, for tests above the wire."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import FailureClass
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderServerError
from modelmesh_cdk.testing.upstream import completion

CHAT_CAPABILITY = "generation.text-generation.chat-completion"


class InProcessAccount:
    """Account that answers with the name of the model, or with a 500.

    Attributes:
        down: Models that fail. Tests may change the set.
        requested_models: Model of each request, in order. Several accounts may share one list.
    """

    id = "test.account.v1"

    def __init__(
        self,
        *models: str,
        down: Iterable[str] = (),
        requested_models: list[str] | None = None,
        pricing: ModelPricing | None = None,
    ) -> None:
        """Create an account.

        Args:
            *models: Names of the models.
            down: Models that fail.
            requested_models: List that receives the model of each request.
            pricing: Price of each model.
        """
        self._rows = [ModelInfo(name, capabilities=(CHAT_CAPABILITY,), pricing=pricing) for name in models]  # type: ignore[arg-type]  # an attrs converter
        self.down = set(down)
        self.requested_models: list[str] = [] if requested_models is None else requested_models

    def models(self) -> Sequence[ModelInfo]:
        """Return a row for each model."""
        return self._rows

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        """Return a response, or raise a server error."""
        self.requested_models.append(model)
        if model in self.down:
            raise ProviderServerError("down", failure=FailureClass.SERVER, status=500)
        return Answer(completion(model, model=model))

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        """Return a response, or raise a server error."""
        return self.send(call, model, limits)

    def close(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""


def pool_of(infos: Sequence[ModelInfo], strategy: Any) -> Pool:
    """Return a pool of these models, alternating between two accounts."""
    accounts = [ProviderHealth(provider_id=key, connector_id="test.account.v1", names=(key,)) for key in ("one", "two")]
    provider = InProcessAccount(*(info.id for info in infos))
    members = [Candidate(info.id, info.name, info, provider, accounts[n % 2]) for n, info in enumerate(infos)]
    return Pool("chat-completion", CHAT_CAPABILITY, members, strategy, HealthRegistry(draw=lambda: 0.5))

"""The public surface as its users type it; checked by ``nox -s types``, never run."""

from __future__ import annotations

from typing import assert_type

import modelmesh
from modelmesh import MeshClient, MeshConfig, OpenAIClient, create, create_async
from modelmesh.cdk import BaseProvider, BaseStrategy, QuickProvider
from modelmesh.contracts import SelectionRequest, SelectionResult
from modelmesh.routing.candidates import Candidate, Candidates
from modelmesh.testing import mock_client

client = create("chat-completion", providers=["openai"], strategy="round-robin")
assert_type(client, MeshClient)
assert_type(create_async(config=MeshConfig.from_file("modelmesh.yaml")), OpenAIClient)
assert_type(client.rotate("chat-completion"), str)
assert_type(client.active_providers(), list[str])
assert_type(client.describe(), str)
assert_type(client.pool_status()["chat-completion"].current_model, str | None)
assert_type(client.usage.total_tokens, int)
assert_type(client.explain("chat-completion").selected_model, str | None)
assert_type(client.models.list().data[0].id, str)
assert_type(mock_client(["Hello!"]).calls[0].model, str)

with modelmesh.create(pool="text-generation") as other:
    assert_type(other, MeshClient)

provider: BaseProvider = QuickProvider(base_url="http://127.0.0.1:1", api_key="test", models=["m"])


class Mine(BaseStrategy):
    """A strategy."""

    id = "acme.mine.v1"

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult | Candidate:
        """Choose."""
        return next(iter(candidates))


try:
    client.chat.completions.create(model="chat-completion", messages=[])
except modelmesh.RateLimitError as error:
    assert_type(error.status, int | None)
except modelmesh.AllProvidersExhaustedError as error:
    assert_type(error.attempts[0].model_id, str)

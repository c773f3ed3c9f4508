"""Catalogue rows from the model list of Cohere."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_cohere import CohereProvider

from modelmesh.contracts.call import Limits
from modelmesh_cdk.testing import Upstream, models_listed

LIMITS = Limits(total=20.0, answer=10.0)
CHAT = "generation.text-generation.chat-completion"


def rows_of(page: Any) -> list[tuple[Any, ...]]:
    """Return ID, capabilities, features, context window and output limit of each listed model."""
    listed = models_listed(CohereProvider, page)
    return [(row.id, row.capabilities, dict(row.features), row.context_window, row.max_output_tokens) for row in listed]


@pytest.mark.parametrize(("endpoints", "capabilities"), [
    (["chat", "generate"], (CHAT, "generation.text-generation.text-completion")),
    (["embed", "classify"], ("representation.embeddings.text-embeddings", "understanding.text-understanding.classification")),
    (["rerank"], ("retrieval.reranking",)),
    (["rate", "of-tomorrow", None], ()),
    ("chat", ()),
    (None, ()),
])  # fmt: skip
def test_model_list_endpoints_set_capabilities(endpoints: Any, capabilities: tuple[str, ...]) -> None:
    page = {"models": [{"name": "of-tomorrow", "endpoints": endpoints, "context_length": 1000.0}]}
    assert rows_of(page) == [("of-tomorrow", capabilities, {}, 1000, None)]


@pytest.mark.parametrize(("written", "path"), [
    ("", "/v1/models"), ("/v1", "/v1/models"), ("/v2", "/v1/models"), ("/gateway/v2", "/gateway/v1/models"),
])  # fmt: skip
def test_model_list_and_probe_use_version_1(written: str, path: str) -> None:
    with Upstream() as upstream:
        provider = CohereProvider(base_url=upstream.url + written, api_key="test-key")
        upstream.reply({"models": []})
        assert provider.discover_models() == ()
        provider.probe(LIMITS)
        provider.close()
    assert [one.path for one in upstream.received] == [f"{path}?page_size=1000"] * 2

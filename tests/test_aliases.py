"""Aliases of connector IDs are accepted for every name, and output shows the canonical ID."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import frozen

import modelmesh
from modelmesh._engine.plugins.known_distributions import variables
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer

V10 = {
    "anthropic.llm.v1": "anthropic.claude.v1",
    "groq.inference.v1": "groq.api.v1",
    "deepseek.llm.v1": "deepseek.api.v1",
    "mistral.llm.v1": "mistral.api.v1",
    "together.inference.v1": "together.api.v1",
    "openrouter.api.v1": "openrouter.gateway.v1",
    "xai.api.v1": "xai.grok.v1",
    "cohere.api.v1": "cohere.nlp.v1",
    "jina.search.v1": "jina.ai.v1",
    "firecrawl.search.v1": "firecrawl.scrape.v1",
}
"""The table of the specification, repeated here on purpose."""

CHAT = "generation.text-generation.chat-completion"


@frozen
class InProcess:
    """A vendor in process."""

    id: str

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m-" + self.id, capabilities=(CHAT,))]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        message = {"role": "assistant", "content": self.id}
        return Answer({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        return self.send(call, model, limits)


@pytest.fixture(autouse=True)
def _vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    from modelmesh._engine.plugins import CONNECTOR_REGISTRY

    for connector_id in (*V10.values(), "acme.llm.v1"):
        made = type("Vendor", (InProcess,), {"id": connector_id, "capabilities": (CHAT,), "__init__": lambda self, config: None})
        monkeypatch.setitem(CONNECTOR_REGISTRY, connector_id, made)


PLACES: dict[str, Any] = {
    "key": lambda alias: {"providers": {alias: {}}, "pools": {"chat-completion": {}}},
    "connector": lambda alias: {"providers": {"mine": {"connector": alias}}, "pools": {"chat-completion": {}}},
    "connector with its kind": lambda alias: {"providers": {"mine": {"connector": f"provider.{alias}"}}, "pools": {"chat-completion": {}}},
    "list": lambda alias: {"providers": [{"connector": alias}], "pools": {"chat-completion": {}}},
    "pool": lambda alias: {"providers": {"acme.llm.v1": {}, "mine": {"connector": V10[alias]}}, "pools": {"chat-completion": {"providers": [alias]}}},
    "excluded": lambda alias: {"providers": {V10[alias]: {}, "acme.llm.v1": {}}, "pools": {"chat-completion": {"excluded_providers": ["acme.llm.v1"]}}},
    "model": lambda alias: {"providers": {"mine": {"connector": V10[alias]}}, "models": {"x": {"provider": alias, "capabilities": ["chat-completion"]}}, "pools": {"chat-completion": {}}},
    "priority": lambda alias: {"providers": {"acme.llm.v1": {}, "mine": {"connector": V10[alias]}}, "pools": {"chat-completion": {"strategy": "priority-selection", "provider_priority": [alias]}}},
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("alias", V10)
def test_alias_in_a_configuration_is_resolved(alias: str, place: str) -> None:
    with modelmesh.create(config=PLACES[place](alias)) as client:
        first = client.mesh.current(client.mesh.list_pools()[0])
        reply = client.chat.completions.create(model="chat-completion", messages=[{"role": "user", "content": "hi"}])
        assert first.connector_id == V10[alias]
        assert alias not in client.describe() or place == "key"
    assert reply.choices[0].message.content in (V10[alias], "acme.llm.v1")
    assert first.connector_id == V10[alias]


INSTALLED = {"anthropic.llm.v1": "ANTHROPIC_API_KEY", "groq.inference.v1": "GROQ_API_KEY", "cohere.api.v1": "COHERE_API_KEY", "mistral.llm.v1": "MISTRAL_API_KEY"}  # fmt: skip


@pytest.mark.parametrize("alias", INSTALLED)
def test_alias_in_arguments_is_resolved(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = V10[alias].partition(".")[0]
    with modelmesh.create("chat-completion", api_keys={alias: "sk-test"}) as client:
        assert client.active_providers() == [name]
    for variable in (INSTALLED[alias], "OPENAI_API_KEY"):
        monkeypatch.setenv(variable, "sk-test")
    for providers in ([alias], {alias: {"timeout": 9}}):
        with modelmesh.create("chat-completion", providers=providers) as client:
            assert client.active_providers() == [name]
            assert {model.connector_id for model in client.mesh.list_models()} == {V10[alias]}
    with modelmesh.create("chat-completion", providers={alias: {"models": ["only-this"]}}) as client:
        assert {model.model_id for model in client.mesh.list_models()} == {"only-this"}


SPECIFIED = """
OPENAI_API_KEY openai.llm.v1
ANTHROPIC_API_KEY anthropic.claude.v1
GOOGLE_API_KEY google.gemini.v1
GEMINI_API_KEY google.gemini.v1
GROQ_API_KEY groq.api.v1
MISTRAL_API_KEY mistral.api.v1
TOGETHER_API_KEY together.api.v1
FIREWORKS_API_KEY fireworks.api.v1
OPENROUTER_API_KEY openrouter.gateway.v1
HF_TOKEN huggingface.inference.v1
HF_API_KEY huggingface.inference.v1
HUGGINGFACE_API_TOKEN huggingface.inference.v1
DEEPSEEK_API_KEY deepseek.api.v1
XAI_API_KEY xai.grok.v1
COHERE_API_KEY cohere.nlp.v1
"""


def test_variables_match_the_specification_in_order() -> None:
    specified = [tuple(line.split()) for line in SPECIFIED.split("\n") if line]
    assert [(name, cid) for name, cid in variables().items() if (name, cid) in specified] == specified
    hosts = {name: cid for name, cid in variables().items() if name.endswith("_HOST")}
    assert list(hosts) == ["OLLAMA_HOST", "LMSTUDIO_HOST", "VLLM_HOST", "LOCALAI_HOST"]


KEYS = [name for name in variables() if not name.endswith("_HOST") and "PERPLEXITY" not in name]


@pytest.mark.parametrize("variable", KEYS)
def test_variable_alone_detects_its_connector(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "sk-test")
    try:
        client = modelmesh.create("chat-completion")
    except modelmesh.NoProvidersError as error:
        pytest.skip(error.message)  # its connector is not installed here
    with client:
        assert {model.connector_id for model in client.mesh.list_models()} == {variables()[variable]}


def test_detected_keys_follow_the_order_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in reversed(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY")):
        monkeypatch.setenv(variable, "sk-test")
    with modelmesh.create("chat-completion") as client:
        assert client.active_providers() == ["openai", "anthropic", "google", "groq", "mistral"]

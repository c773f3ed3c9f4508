"""Model lists: our connector finds the models that the official SDK finds, with equal requests for each page."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from modelmesh_connector_anthropic import AnthropicProvider
from modelmesh_connector_cohere import CohereProvider
from modelmesh_connector_google import GoogleProvider
from modelmesh_connector_groq import GroqProvider
from modelmesh_connector_mistral import MistralProvider
from modelmesh_connector_openai import OpenAIProvider

from modelmesh_cdk.testing import Received, Script, Upstream

pytestmark = pytest.mark.filterwarnings("ignore")

KEY = "test-key"
MODELS = ("model-a", "model-b", "model-c")
DAY = "2026-11-21T00:00:00Z"
SUPPORTED = {"supported": True}


def openai_page(names: tuple[str, ...], _: bool) -> Any:
    return {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in names]}


def mistral_page(names: tuple[str, ...], _: bool) -> Any:
    capabilities = {"completion_chat": True, "function_calling": True, "vision": False, "reasoning": False}
    head = {"object": "model", "type": "base", "max_context_length": 1000, "capabilities": capabilities}
    return {"object": "list", "data": [{**head, "id": name} for name in names]}


def anthropic_page(names: tuple[str, ...], more: bool) -> Any:
    head = {"type": "model", "created_at": DAY, "lifecycle": "active", "max_input_tokens": 1000, "max_tokens": 100}
    stated = {"capabilities": {"image_input": SUPPORTED, "thinking": {"supported": False}, "structured_outputs": SUPPORTED}}
    data = [{**head, **stated, "id": name, "display_name": name} for name in names]
    return {"data": data, "has_more": more, "first_id": names[0], "last_id": names[-1]}


def google_page(names: tuple[str, ...], more: bool) -> Any:
    methods = ["generateContent", "countTokens", "createCachedContent"]
    head = {"inputTokenLimit": 1000, "outputTokenLimit": 100, "supportedGenerationMethods": methods, "thinking": True}
    models = [{**head, "name": f"models/{name}"} for name in names]
    return {"models": models, **({"nextPageToken": names[-1]} if more else {})}


def cohere_page(names: tuple[str, ...], more: bool) -> Any:
    head = {"endpoints": ["chat", "rate"], "context_length": 1000.0, "finetuned": False, "is_deprecated": False}
    return {"models": [{**head, "name": name} for name in names], **({"next_page_token": names[-1]} if more else {})}


def by_openai(url: str) -> list[str]:
    import openai

    with openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0) as client:
        return [model.id for model in client.models.list()]


def by_groq(url: str) -> list[str]:
    import groq

    with groq.Groq(api_key=KEY, base_url=url, max_retries=0) as client:
        return [model.id for model in client.models.list().data]


def by_mistral(url: str) -> list[str]:
    from mistralai.client import Mistral

    with Mistral(api_key=KEY, server_url=url) as client:
        return [model.id for model in client.models.list().data]


def by_anthropic(url: str) -> list[str]:
    import anthropic

    with anthropic.Anthropic(api_key=KEY, base_url=url, max_retries=0) as client:
        return [model.id for model in client.models.list()]


def by_google(url: str) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from google import genai

    with genai.Client(api_key=KEY, http_options={"base_url": url}) as client:
        return [model.name.removeprefix("models/") for model in client.models.list(config={"query_base": True})]


def by_cohere(url: str) -> list[str]:
    import cohere

    found: list[str] = []
    with cohere.ClientV2(api_key=KEY, base_url=url, max_retries=0) as client:
        page = client.models.list()
        while True:
            found += [model.name for model in page.models]
            if not page.next_page_token:
                return found
            page = client.models.list(page_token=page.next_page_token)


PROVIDERS: dict[str, Any] = {
    "openai": OpenAIProvider, "groq": GroqProvider, "mistral": MistralProvider,
    "anthropic": AnthropicProvider, "google": GoogleProvider, "cohere": CohereProvider,
}  # fmt: skip
CHAT = ("generation.text-generation.chat-completion",)
VENDORS: dict[str, tuple[str, Callable[[str], list[str]], Any, str, Any]] = {
    "openai": ("openai", by_openai, openai_page, "", ((), {}, None, None)),
    "groq": ("groq", by_groq, openai_page, "", ((), {}, None, None)),
    "mistral": (
        "mistralai", by_mistral, mistral_page, "",
        (CHAT, {"tool_calling": True, "vision": False, "reasoning": False}, 1000, None),
    ),
    "anthropic": (
        "anthropic", by_anthropic, anthropic_page, "after_id",
        ((), {"vision": True, "structured_output": True, "reasoning": False}, 1000, 100),
    ),
    "google": ("google.genai", by_google, google_page, "pageToken", (CHAT, {"reasoning": True}, 1000, 100)),
    "cohere": ("cohere", by_cohere, cohere_page, "page_token", (CHAT, {}, 1000, None)),
}  # fmt: skip
"""Connector, module of the SDK, its call, the vendor's response, parameter of the next page, and facts of each row."""


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(VENDORS[request.param][0])
    return request.param, *VENDORS[request.param]


@pytest.fixture
def upstream(vendor: Any) -> Iterator[Upstream]:
    _, _, _, page, cursor, _ = vendor

    def answer(received: Received) -> Script:
        after = parse_qs(urlsplit(received.path).query).get(cursor or "-", [None])[0]
        begin = MODELS.index(after) + 1 if after else 0
        end = begin + 2 if cursor else len(MODELS)
        return Script(body=json.dumps(page(MODELS[begin:end], end < len(MODELS))).encode())

    with Upstream() as server:
        yield server.always(answer)


def essence(received: Received, cursor: str) -> Any:
    path, _, query = received.path.partition("?")
    carried = [value for name, value in received.headers.items() if name in ("authorization", "x-goog-api-key")]
    return received.method, path, parse_qs(query).get(cursor or "-"), carried, received.body


def test_model_list_equals_the_sdks(vendor: Any, upstream: Upstream) -> None:
    name, _, ask, _, cursor, stated = vendor
    theirs = ask(upstream.url)
    asked = [essence(one, cursor) for one in upstream.received]
    upstream.received.clear()
    provider = PROVIDERS[name](base_url=upstream.url, api_key=KEY)
    ours = provider.discover_models()
    provider.close()
    assert [info.id for info in ours] == theirs == list(MODELS)
    assert [essence(one, cursor) for one in upstream.received] == asked
    told = [(info.capabilities, dict(info.features), info.context_window, info.max_output_tokens) for info in ours]
    assert told == [stated] * len(MODELS)

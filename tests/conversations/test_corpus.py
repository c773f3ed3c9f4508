"""Generated and recorded conversations through each connector of OpenAI's format: no request breaks a rule of its vendor.

A vendor may lack a feature of a conversation, such as images, audio or a role of another vendor. Such a request is rejected
before it is sent, so that the mesh tries another vendor.
"""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelmesh_connector_deepseek import DeepSeekProvider
from modelmesh_connector_fireworks import FireworksProvider
from modelmesh_connector_groq import GroqProvider
from modelmesh_connector_huggingface import HuggingFaceProvider
from modelmesh_connector_lmstudio import LMStudioProvider
from modelmesh_connector_localai import LocalAIProvider
from modelmesh_connector_mistral import MistralProvider
from modelmesh_connector_ollama import OllamaProvider
from modelmesh_connector_openai import OpenAIProvider
from modelmesh_connector_openrouter import OpenRouterProvider
from modelmesh_connector_perplexity import PerplexityProvider
from modelmesh_connector_together import TogetherProvider
from modelmesh_connector_vllm import VLLMProvider
from modelmesh_connector_xai import XAIProvider

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.errors import ProviderError
from modelmesh_cdk import WireRequest
from modelmesh_cdk.message_rules import adapt, find_violations

sys.path.insert(0, str(Path(__file__).parents[1] / "replay"))

from replaying.recorded import recordings

PROVIDERS = {
    kind.id: kind(api_key="test", base_url="http://127.0.0.1:9")
    for kind in (
        OpenAIProvider, MistralProvider, DeepSeekProvider, GroqProvider, XAIProvider, TogetherProvider, FireworksProvider,
        OpenRouterProvider, HuggingFaceProvider, PerplexityProvider, OllamaProvider, VLLMProvider, LMStudioProvider, LocalAIProvider,
    )
}  # fmt: skip
MODELS = {"deepseek.api.v1": ("deepseek-v4-pro", "deepseek-reasoner")}

# -- conversations that are generated ---------------------------------------------------------------------------------

texts = st.sampled_from(["Hello", "", " ", "\n", "Ünï ✓", "{}", "a" * 50])
ids = st.sampled_from(["call_1", "call_2", "toolu_01", "M12345678", "", None, 7, "x" * 50])
arguments = st.sampled_from(['{"a": 1}', "{}", "", None, '{"a": ', "[1]", {"a": 1}, "null", "text"])
odd_keys = st.dictionaries(
    st.sampled_from([
        "name", "metadata", "id", "timestamp", "refusal", "annotations", "audio", "prefix", "reasoning_content", "reasoning",
        "thinking_blocks", "cache_control", "tool_name", "status",
    ]),
    st.sampled_from([None, [], {}, "", "own text", 3, {"a": 1}, [{"b": 2}], False]),
    max_size=3,
)  # fmt: skip
images = st.sampled_from(["data:image/png;base64,iVBORw0KGgo=", "data:image/jpg;base64,/9j/4AAQ", "data:;base64,iVBORw0KGgo=",
                          "https://example.com/a.png", "data:image/webp;base64,UklGRg==", "data:image/tiff;base64,SUkq"])  # fmt: skip
parts = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, texts),
    st.builds(lambda text: {"type": "input_text", "text": text}, texts),
    st.builds(lambda text: {"type": "output_text", "text": text, "annotations": []}, texts),
    st.builds(lambda text: {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}, texts),
    st.builds(lambda url: {"type": "image_url", "image_url": {"url": url}}, images),
    st.builds(lambda url: {"type": "image_url", "image_url": url}, images),
    st.builds(lambda text: {"type": "thinking", "thinking": text, "signature": "c2ln"}, texts),
    st.builds(lambda text: {"type": "refusal", "refusal": text}, texts),
    st.builds(
        lambda given, inner: {"type": "tool_use", "id": given, "name": "f", "input": inner}, ids, st.sampled_from([{}, {"a": 1}])
    ),
    st.builds(lambda given, text: {"type": "tool_result", "tool_use_id": given, "content": text}, ids, texts),
    st.sampled_from([{"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}, {"type": "tomorrow"}]),
)
contents = st.one_of(texts, st.none(), st.lists(parts, max_size=3))
calls = st.lists(
    st.builds(
        lambda given, inner, name, more: {
            "id": given,
            "type": "function",
            "function": {"name": name, "arguments": inner},
            **more,
        },
        ids,
        arguments,
        st.sampled_from(["f", "mcp.tool", "a b"]),
        st.sampled_from([{}, {"index": 0}, {"extra_content": {"google": {}}}]),
    ),
    max_size=3,
)
messages = st.one_of(
    st.builds(lambda role, text, more: {"role": role, "content": text, **more},
              st.sampled_from(["system", "developer", "user", "user", "human"]), contents, odd_keys),
    st.builds(lambda text, more: {"role": "assistant", "content": text, **more}, contents, odd_keys),
    st.builds(lambda text, made, more: {"role": "assistant", "content": text, "tool_calls": made, **more}, contents, calls, odd_keys),
    st.builds(lambda inner: {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": inner}}, arguments),
    st.builds(lambda given, text, more: {"role": "tool", "tool_call_id": given, "content": text, **more}, ids, contents, odd_keys),
    st.builds(lambda text: {"role": "function", "name": "f", "content": text}, texts),
    st.builds(lambda given, inner: {"type": "function_call", "call_id": given, "name": "f", "arguments": inner}, ids, arguments),
    st.builds(lambda given, text: {"type": "function_call_output", "call_id": given, "output": text}, ids, texts),
    st.builds(lambda kind, text: {"type": kind, "content": text}, st.sampled_from(["human", "ai", "system"]), texts),
)  # fmt: skip
parameters = st.fixed_dictionaries(
    {},
    optional={
        "stop": st.sampled_from([[], "", "\n", ["", "END"], list("abcdef")]),
        "tools": st.sampled_from([[], None, [{"type": "function", "function": {"name": "f", "parameters": {}}}]]),
        "tool_choice": st.sampled_from(["auto", "none"]),
        "temperature": st.sampled_from([0, 0.7, 1.7, 2.5, -1]),
        "n": st.sampled_from([1, None]),
        "logprobs": st.booleans(),
        "presence_penalty": st.sampled_from([0, 3]),
    },
)


def sent(name: str, payload: dict[str, Any], model: str) -> dict[str, Any] | None:
    """Return the request that the connector's rules produce from a conversation, or ``None`` if it is rejected before it is sent."""
    provider, before = PROVIDERS[name], deepcopy(payload)
    request = WireRequest(Call(CHAT, "chat", payload), model)
    try:
        body = json.loads(provider._encode_request(request)[2])
    except ProviderError as error:
        assert error.failure in (FailureClass.CAPABILITY, FailureClass.CALLER)
        return None
    finally:
        assert payload == before
    found = request.payload if name.startswith("perplexity") else body  # its wire is another format
    rules = provider._message_rules(request)
    assert find_violations(found, rules) == []
    return found


@pytest.mark.parametrize("name", PROVIDERS)
@settings(max_examples=60, deadline=None)
@given(said=st.lists(messages, min_size=1, max_size=7), more=parameters)
def test_generated_conversations_break_no_rule(name: str, said: list[Any], more: dict[str, Any]) -> None:
    for model in MODELS.get(name, ("test-model",)):
        found = sent(name, {"messages": said, **more}, model)
        if found is not None:
            rules = PROVIDERS[name]._message_rules(WireRequest(Call(CHAT, "chat", found), model))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("modelmesh_cdk.message_rules.adaptation.needs_no_change", lambda *_: False)
                again = adapt(found, rules)
            assert again.payload["messages"] == found["messages"], "a conversation that obeys is changed again"


RECORDED = [one for kind in ("answers", "streams", "errors", "broken") for one in recordings(kind) if one.body is not None]


@pytest.mark.parametrize("name", PROVIDERS)
def test_recorded_conversations_break_no_rule(name: str) -> None:
    chats = [one.body for one in RECORDED if isinstance(one.body.get("messages"), list) and one.vendor != "cohere"]
    assert len(chats) > 40
    served = [
        sent(name, {"messages": body["messages"], **({"tools": body["tools"]} if "tools" in body else {})}, "m") for body in chats
    ]
    assert sum(one is not None for one in served) > len(chats) * 0.8

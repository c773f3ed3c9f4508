"""Invalid shapes of a vendor or a caller are failures of their class, never connector bugs."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import Any

import pytest

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Script, Upstream

HELLO = [{"role": "user", "content": "Hello"}]
OPENAIS = ["openrouter.gateway.v1", "together.api.v1", "mistral.api.v1"]
TRANSLATORS = ["anthropic.claude.v1", "google.gemini.v1", "cohere.nlp.v1", "perplexity.search.v1"]
EVENT = {"anthropic.claude.v1": "message_start", "cohere.nlp.v1": "message-start"}


def ask(upstream: Upstream, provider_id: str, payload: dict[str, Any], *, stream: bool = False) -> Any:
    (point,) = entry_points(group="modelmesh.providers", name=provider_id)
    provider = point.load()(base_url=upstream.url, api_key="test")
    try:
        answer = provider.send(Call(CHAT, "test", payload, stream), "test-model", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize("provider_id", OPENAIS)
@pytest.mark.parametrize("choices", [True, 1, "no", {"a": 1}])
def test_choices_not_a_list_reach_the_validation(upstream: Upstream, provider_id: str, choices: Any) -> None:
    upstream.reply({"choices": choices})
    assert ask(upstream, provider_id, {"messages": HELLO})["choices"] == choices


def test_finish_reason_not_a_text_is_invalid(upstream: Upstream) -> None:
    upstream.reply({"choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": ["stop"]}]})
    with pytest.raises(ProviderError) as caught:
        ask(upstream, "mistral.api.v1", {"messages": HELLO})
    assert caught.value.failure is FailureClass.PROTOCOL


@pytest.mark.parametrize(("provider_id", "first"), EVENT.items())
@pytest.mark.parametrize("kind", [{"a": 1}, ["x"], 7])
def test_event_type_not_a_text_breaks_the_stream(upstream: Upstream, provider_id: str, first: str, kind: Any) -> None:
    begun = {"type": first, "id": "m", "message": {"id": "m", "model": "m", "role": "assistant", "content": [], "usage": {}}}
    upstream.stream([b"data: " + json.dumps(one).encode() + b"\n\n" for one in (begun, {"type": kind, "index": 0})])
    with pytest.raises(ProviderError) as caught:
        ask(upstream, provider_id, {"messages": HELLO}, stream=True)
    assert caught.value.failure is FailureClass.PROTOCOL, caught.value


@pytest.mark.parametrize("provider_id", TRANSLATORS)
@pytest.mark.parametrize(
    "payload",
    [
        {"messages": HELLO, "reasoning_effort": ["low"]},
        {"messages": HELLO, "reasoning_effort": {"effort": "low"}},
        {"messages": [{"role": "user", "content": [{"type": {"a": 1}, "text": "x"}]}]},
        {"messages": [{"role": "assistant", "tool_calls": True}, *HELLO]},
        {"messages": [{"role": "assistant", "tool_calls": [7]}, *HELLO]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": [[]]}]}, *HELLO]},
        {"messages": [*HELLO, {"role": "tool", "tool_call_id": {"a": 1}, "content": "x"}]},
        {"messages": [*HELLO, {"role": "assistant", "tool_calls": [{"id": [], "function": {"name": "f", "arguments": "{}"}}]}]},
        {"messages": HELLO, "tools": 1.5},
    ],
    ids=lambda payload: json.dumps(payload)[13:70],
)
def test_caller_shapes_are_reported_or_sent(upstream: Upstream, provider_id: str, payload: dict[str, Any]) -> None:
    upstream.always(
        lambda _: Script(400, b'{"message": "wrong", "error": {"message": "wrong", "type": "invalid_request_error"}}')
    )
    with pytest.raises(ProviderError) as caught:
        ask(upstream, provider_id, payload)
    ours = (FailureClass.CALLER, FailureClass.CAPABILITY)
    assert caught.value.failure in ((FailureClass.REFUSED,) if upstream.received else ours), caught.value
    assert " raised " not in str(caught.value)

"""Parameters of a request: converted, unchanged, or dropped with a note."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from modelmesh_connector_anthropic import AnthropicProvider

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call, CallOptions
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh_cdk import WireRequest

HI = [{"role": "user", "content": "Hello"}]
UNKNOWN = {"id": "claude-sonnet-5-5"}
"""A row that does not say how long an answer may be."""
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


def sent(
    payload: dict[str, Any], *, stream: bool = False, headers: dict[str, str] | None = None, **settings: Any
) -> tuple[Any, list[str]]:
    """Return the body of a request as it would travel, and what was adapted."""
    provider = AnthropicProvider({"api_key": "test-key", **settings})
    payload = {"messages": HI, **payload}
    before = copy.deepcopy(payload)
    request = WireRequest(Call(CHAT, "chat", payload, stream, CallOptions(headers=headers or {})), "claude-sonnet-5-5")
    body = json.loads(provider._encode_request(request)[2])
    assert payload == before, "the caller's payload was changed"
    return body, request.adapted


def refused(payload: dict[str, Any]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        sent(payload)
    assert caught.value.status == 400
    return caught.value


DROPPED = {
    "logprobs": True, "top_logprobs": 3, "frequency_penalty": 0.1, "presence_penalty": 0.5, "seed": 0, "logit_bias": {"1": 2},
    "store": True, "modalities": ["text", "audio"], "audio": {"voice": "v"}, "prediction": {"type": "content", "content": "x"},
    "verbosity": "low", "web_search_options": {}, "prompt_cache_key": "k", "prompt_cache_options": {"mode": "implicit"},
    "prompt_cache_retention": "24h", "moderation": {"model": "m"}, "temperature": 0, "top_p": 0.9, "top_k": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", DROPPED)
def test_payload_unsupported_parameter_is_dropped_with_note(name: str) -> None:
    body, adapted = sent({"max_tokens": 8, name: DROPPED[name]})
    assert body == {"model": "claude-sonnet-5-5", "max_tokens": 8, "messages": HI}
    assert len(adapted) == 1
    assert adapted[0].startswith(f"{name} dropped: ")


NEUTRAL = {
    "n": 1, "logprobs": False, "top_logprobs": 0, "frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "store": False,
    "modalities": ["text"], "temperature": 1, "top_p": 1.0, "seed": None, "tools": [], "stop": [], "parallel_tool_calls": True,
}  # fmt: skip


@pytest.mark.parametrize("name", NEUTRAL)
def test_payload_neutral_parameter_is_dropped_silently(name: str) -> None:
    body, adapted = sent({"max_tokens": 8, name: NEUTRAL[name]})
    assert body == {"model": "claude-sonnet-5-5", "max_tokens": 8, "messages": HI}
    assert adapted == []


def test_payload_several_choices_are_capability_failure() -> None:
    assert refused({"max_tokens": 8, "n": 2}).failure is FailureClass.CAPABILITY


def test_send_dropped_parameters_are_on_attempt(vendor: Any, config: Any, way: Any) -> None:
    reply = way.ask(config(), messages=HI, seed=1, temperature=0.5)
    adapted = reply.attempts[-1].adapted
    assert [line.split()[0] for line in adapted] == ["max_tokens", "seed", "temperature"]
    assert tuple(adapted) == reply.metadata["adapted"]
    assert {"seed", "temperature"}.isdisjoint(vendor.received[0].json)


def test_stream_dropped_parameters_are_on_attempt(vendor: Any, config: Any, way: Any, wire: Any) -> None:
    vendor.answers(wire.sse(*wire.STREAMS["text"]))
    _, stream, error = way.stream(config(), messages=HI, max_tokens=5, seed=2)
    assert error is None
    assert [line.split()[0] for line in stream.attempts[-1].adapted] == ["seed"]


def test_payload_conflicting_token_limits_are_reported() -> None:
    assert sent({"max_completion_tokens": 5, "max_tokens": 5})[1] == ["max_completion_tokens sent as max_tokens"]
    assert sent({"max_completion_tokens": 5, "max_tokens": 7})[1] == [
        "max_completion_tokens sent as max_tokens",
        "max_tokens dropped: max_completion_tokens was given too",
    ]


def test_payload_without_changes_has_no_note() -> None:
    assert sent({"max_tokens": 8, "tools": [TOOL], "tool_choice": "auto"})[1] == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
        ({"cache_control": None}, {"cache_control": None}),
        ({"parameter_of_tomorrow": {"a": [0, "", False]}}, {"parameter_of_tomorrow": {"a": [0, "", False]}}),
        ({"stream_options": {"include_usage": True}}, {}),
        ({"stop": []}, {}),
        ({"stop": "\n"}, {}),
        ({"stop": ["\n", "a", ""]}, {"stop_sequences": ["a"]}),
        ({"stop_sequences": ["\n"]}, {}),
        ({"stop_sequences": ["a", " "]}, {"stop_sequences": ["a"]}),
        ({"stop": "a"}, {"stop_sequences": ["a"]}),
        ({"stop": "a", "stop_sequences": ["b"]}, {"stop_sequences": ["b"]}),
        ({"max_completion_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 5, "max_tokens": 7}, {"max_tokens": 5}),
        ({"max_tokens": 0}, {"max_tokens": 0}),
        ({"reasoning_effort": "max"}, {"output_config": {"effort": "max"}}),
        ({"reasoning_effort": "of_tomorrow"}, {"output_config": {"effort": "of_tomorrow"}}),
        ({"reasoning_effort": "none"}, {}),
        ({"reasoning_effort": "minimal"}, {}),
        ({"reasoning_effort": "low", "output_config": {"effort": "high"}}, {"output_config": {"effort": "high"}}),
        ({"reasoning_effort": "low", "output_config": {"of_tomorrow": 0}}, {"output_config": {"effort": "low", "of_tomorrow": 0}}),
        ({"output_config": {}}, {"output_config": {}}),
        ({"response_format": {"type": "text"}}, {}),
        ({"user": "u"}, {"metadata": {"user_id": "u"}}),
        ({"user": "u", "safety_identifier": "s"}, {"metadata": {"user_id": "s"}}),
        ({"metadata": {"topic": "t", "user_id": "m"}, "user": "u"}, {"metadata": {"user_id": "m"}}),
        ({"metadata": {"topic": "t"}}, {}),
        ({"service_tier": "auto"}, {"service_tier": "auto"}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"service_tier": "flex"}, {}),
        ({"tool_choice": "none"}, {}),
        ({"tool_choice": {"type": "any"}}, {"tool_choice": {"type": "any"}}),
        ({"parallel_tool_calls": False}, {}),
        ({"tools": [TOOL], "parallel_tool_calls": True}, {}),
        ({"tools": [TOOL], "parallel_tool_calls": False, "tool_choice": "none"}, {"tool_choice": {"type": "none"}}),
        ({"system": "native"}, {"system": "native"}),
    ],
)  # fmt: skip
def test_payload_parameters_are_converted(given: dict[str, Any], expected: dict[str, Any]) -> None:
    body, _ = sent({"max_tokens": 8, **given})
    for name in ("model", "messages", "tools"):
        body.pop(name, None)
    assert body == {"max_tokens": 8, **expected}


# -- max_tokens -------------------------------------------------------------------------------------------------------


def test_payload_missing_max_tokens_gets_default() -> None:
    assert sent({}, models=[UNKNOWN])[0]["max_tokens"] == 4096
    assert sent({}, max_tokens=100)[0]["max_tokens"] == 100
    row = {"id": "claude-sonnet-5-5", "max_output_tokens": 777}
    body, adapted = sent({}, models=[row])
    assert body["max_tokens"] == 777
    assert adapted == ["max_tokens 777 added, the model's output limit: Anthropic requires one"]
    body, adapted = sent({}, models=[row], max_tokens=100)
    assert body["max_tokens"] == 100
    assert adapted == ["max_tokens 100 added (option max_tokens): Anthropic requires one"]


def test_payload_default_max_tokens_exceeds_thinking_budget() -> None:
    assert sent({"thinking": {"type": "enabled", "budget_tokens": 10000}}, models=[UNKNOWN])[0]["max_tokens"] == 14096
    assert sent({"thinking": {"type": "enabled", "budget_tokens": 1024}}, models=[UNKNOWN])[0]["max_tokens"] == 4096


@pytest.mark.parametrize("wrong", [0, -1, "many", True, 1.5])
def test_provider_invalid_max_tokens_is_rejected(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_tokens"):
        AnthropicProvider({"api_key": "test-key", "max_tokens": wrong})


def test_provider_invalid_version_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match="anthropic_version"):
        AnthropicProvider({"api_key": "test-key", "anthropic_version": "latest"})


def test_payload_version_header_of_request_applies() -> None:
    body, adapted = sent({"max_tokens": 8, "temperature": 0.5}, headers={"Anthropic-Version": "2023-06-01"})
    assert body["temperature"] == 0.5
    assert adapted == []


def test_send_version_header_of_account_is_sent_once(vendor: Any, config: Any, way: Any) -> None:
    way.ask(config(headers={"Anthropic-Version": "2023-06-01"}), messages=HI, max_tokens=8, top_k=0)
    (seen,) = vendor.received
    assert (seen.headers["anthropic-version"], seen.json["top_k"]) == ("2023-06-01", 0)


def test_options_are_read_from_yaml(tmp_path: Any, vendor: Any, way: Any) -> None:
    file = tmp_path / "modelmesh.yaml"
    file.write_text(
        f"""
providers:
  anthropic:
    connector: anthropic.claude.v1
    api_key: test-key
    base_url: {vendor.url}/v1/
    anthropic_version: 2023-06-01
    max_tokens: 99
models:
  claude-sonnet-5-5: {{provider: anthropic, capabilities: [chat-completion]}}
pools:
  chat: {{capability: chat-completion}}
"""
    )
    way.ask(str(file), messages=HI)
    (seen,) = vendor.received
    assert (seen.path, seen.headers["anthropic-version"], seen.json["max_tokens"]) == ("/v1/messages", "2023-06-01", 99)


def test_provider_without_key_names_variable() -> None:
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY"):
        AnthropicProvider({})


def test_models_have_features_and_price_source() -> None:
    rows = AnthropicProvider({"api_key": "test-key"}).models()
    assert rows
    for row in rows:
        assert row.features["json_mode"] is False
        assert row.features["structured_output"] is True
        assert row.pricing is not None
        assert row.pricing.source


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"response_format": {"type": "json_object"}}, FailureClass.CAPABILITY),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, FailureClass.CALLER),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, FailureClass.CAPABILITY),
        ({"tools": ["x"]}, FailureClass.CALLER),
        ({"tools": "x"}, FailureClass.CALLER),
    ],
)
def test_payload_unsupported_parameter_raises_failure_class(payload: dict[str, Any], kind: FailureClass) -> None:
    assert refused(payload).failure is kind


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_send_header_parameters_match_sdk(
    vendor: Any, config: Any, way: Any, wire: Any, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    anthropic = pytest.importorskip("anthropic")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    given = {"user_profile_id": "uprof_test", "workspace_id": "wrkspc_test", "betas": ["of-tomorrow", "of-next-year"]}
    if stream:
        vendor.answers(wire.sse(*wire.STREAMS["text"]))
        way.stream(config(), messages=HI, max_tokens=8, extra_body=given)
    else:
        way.ask(config(), messages=HI, max_tokens=8, extra_body=given)
    ours = vendor.received[-1]
    with anthropic.Anthropic(base_url=vendor.url, max_retries=0) as client:
        client.beta.messages.create(model="claude-sonnet-5-5", messages=HI, max_tokens=8, **given)
    theirs = vendor.received[-1]
    assert not given.keys() & ours.json.keys()
    for name in ("anthropic-user-profile-id", "anthropic-workspace-id", "anthropic-beta"):
        assert ours.headers[name] == theirs.headers[name]


def test_send_request_header_precedes_parameter(vendor: Any, config: Any, way: Any) -> None:
    way.ask(
        config(),
        messages=HI,
        max_tokens=8,
        extra_body={"workspace_id": "wrkspc_test", "user_profile_id": None, "betas": "of-tomorrow"},
        extra_headers={"Anthropic-Workspace-Id": "wrkspc_test_2"},
    )
    seen = vendor.last
    assert seen.headers["anthropic-workspace-id"] == "wrkspc_test_2"
    assert "anthropic-user-profile-id" not in seen.headers
    assert seen.headers["anthropic-beta"] == "of-tomorrow"
    assert not {"workspace_id", "user_profile_id", "betas"} & seen.json.keys()

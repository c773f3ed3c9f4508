"""Address and key of requests, and conversion of OpenAI's format to the request body."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from modelmesh_connector_google import GoogleProvider

import modelmesh
from modelmesh.contracts import CHAT, EMBEDDINGS, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.operations import OPERATIONS
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import WireRequest

HI = [{"role": "user", "content": "Hello"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def sent(model: str = "gemini-3.8-flash", **payload: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the request body and its adaptations, and check that the caller's payload is unchanged."""
    payload.setdefault("messages", HI)
    before = copy.deepcopy(payload)
    request = WireRequest(Call(CHAT, "chat", payload), model)
    body = json.loads(GoogleProvider(api_key="test")._encode_request(request)[2])
    assert payload == before
    return body, request.adapted


def configured(**payload: Any) -> Any:
    body, adapted = sent(**payload)
    assert adapted == []
    return body["generationConfig"]


DROPPED = {
    "audio": {"voice": "v"}, "logit_bias": {"1": 2}, "metadata": {"a": "b"}, "moderation": {"model": "m"},
    "prediction": {"type": "content", "content": "x"}, "prompt_cache_key": "k", "prompt_cache_options": {"mode": "implicit"},
    "prompt_cache_retention": "24h", "safety_identifier": "s", "user": "u", "verbosity": "low", "web_search_options": {},
}  # fmt: skip


@pytest.mark.parametrize("name", DROPPED)
def test_request_unsupported_parameter_is_dropped(name: str) -> None:
    body, adapted = sent(**{name: DROPPED[name]})
    assert (body, adapted) == (sent()[0], [f"{name} dropped: Gemini has no such parameter"])
    assert sent(**{name: None}) == sent()


@pytest.mark.parametrize(("given", "expected"), [(["text"], None), (["text", "audio"], ["TEXT", "AUDIO"])])
def test_request_modalities_are_in_generation_config(given: list[str], expected: list[str] | None) -> None:
    body, adapted = sent(modalities=given)
    assert ("modalities" in body, adapted) == (False, [])
    assert body.get("generationConfig", {}).get("responseModalities") == expected


@pytest.mark.parametrize("data", ["data:,Hello", "data:image/png,AAAA", "data:;base64,AAAA"])
@pytest.mark.parametrize("kind", ["image_url", "file"])
def test_request_data_url_without_type_or_base64_fails(kind: str, data: str) -> None:
    part = {"image_url": {"url": data}} if kind == "image_url" else {"file": {"file_data": data}}
    with pytest.raises(modelmesh.BadRequestError, match="Nothing was sent") as caught:
        sent(messages=[{"role": "user", "content": [{"type": kind, **part}]}])
    assert caught.value.failure in (FailureClass.CALLER, FailureClass.CAPABILITY)


def test_request_strict_of_function_is_dropped() -> None:
    body, (note,) = sent(tools=[{"type": "function", "function": {"name": "weather", "strict": True}}])
    assert body["tools"] == [{"functionDeclarations": [{"name": "weather"}]}]
    assert note.startswith("strict of a function dropped: ")


def test_request_missing_function_fields_are_omitted() -> None:
    tool = {"type": "function", "function": {"name": "weather", "description": None, "strict": None, "parameters": {}}}
    assert sent(tools=[tool])[0]["tools"] == [{"functionDeclarations": [{"name": "weather"}]}]


# -- address and key --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "options", "key", "path"),
    [
        ({"GOOGLE_API_KEY": "test-a", "GEMINI_API_KEY": "test-b"}, {}, "test-a", "/v1/"),
        ({"GEMINI_API_KEY": "test-b"}, {}, "test-b", "/v1/"),
        ({"GEMINI_API_KEY": "test-b"}, {"api_key": "test-c"}, "test-c", "/v1/"),
        ({"GEMINI_API_KEY": "test-b", "GOOGLE_GENAI_API_VERSION": "beta"}, {}, "test-b", "/v1beta/"),
        ({"GEMINI_API_KEY": "test-b", "GOOGLE_GENAI_API_VERSION": "beta"}, {"api_version": "v1alpha"}, "test-b", "/v1alpha/"),
    ],
)
def test_request_key_is_sent_in_header(
    monkeypatch: pytest.MonkeyPatch, upstream: Any, answer: Any, way: Any, variables: Any, options: Any, key: str, path: str
) -> None:
    for name, value in {**variables, "GOOGLE_GEMINI_BASE_URL": upstream.url}.items():
        monkeypatch.setenv(name, value)
    provider = GoogleProvider(models=[{"id": "gemini-3.8-flash", "capabilities": ["chat-completion"]}], **options)
    config = {"providers": {"google": {"instance": provider}}, "pools": {"chat": {"capability": "chat-completion"}}}
    upstream.reply(answer({"text": "Hi."}))
    assert way.send(config, messages=HI).choices[0].message.content == "Hi."
    assert upstream.last.path == f"{path}models/gemini-3.8-flash:generateContent"
    assert upstream.last.headers["x-goog-api-key"] == key
    assert "authorization" not in upstream.last.headers
    assert key not in upstream.last.path


def test_key_missing_names_the_variable() -> None:
    with pytest.raises(modelmesh.ConfigurationError, match="GOOGLE_API_KEY"):
        GoogleProvider()


@pytest.mark.parametrize(
    ("model", "stream", "operation", "path"),
    [
        ("gemini-3.8-flash", False, CHAT, "/v1beta/models/gemini-3.8-flash:generateContent"),
        ("models/gemini-3.8-flash", True, CHAT, "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", False, CHAT, "/v1beta/tunedModels/mine:generateContent"),
        ("a?key=b", False, CHAT, "/v1beta/models/a%3Fkey%3Db:generateContent"),
        ("gemini-embedding-2", False, EMBEDDINGS, "/v1beta/models/gemini-embedding-2:batchEmbedContents"),
    ],
)
def test_request_path_names_model_and_operation(model: str, stream: bool, operation: Any, path: str) -> None:
    provider = GoogleProvider(api_key="test", base_url="http://127.0.0.1:9/v1beta/")
    assert provider._endpoint(WireRequest(Call(operation, "p", {}, stream), model)) == f"http://127.0.0.1:9{path}"


def test_request_unsupported_operation_is_rejected() -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        GoogleProvider(api_key="test").send(Call(OPERATIONS["rerank"], "p", {"query": "x"}), "m", Limits())
    assert caught.value.failure is FailureClass.CAPABILITY


# -- parameters -------------------------------------------------------------------------------------------------------


def test_request_numeric_parameters_are_converted() -> None:
    assert configured(
        temperature=0, top_p=0.0, top_k=0, max_tokens=0, n=2, seed=0, presence_penalty=0, frequency_penalty=-1.5, stop="end",
        logprobs=True, top_logprobs=3,
    ) == {
        "temperature": 0, "topP": 0.0, "topK": 0, "maxOutputTokens": 0, "candidateCount": 2, "seed": 0, "presencePenalty": 0,
        "frequencyPenalty": -1.5, "stopSequences": ["end"], "responseLogprobs": True, "logprobs": 3,
    }  # fmt: skip


def test_request_without_parameters_has_no_config() -> None:
    unset = dict.fromkeys(
        ["temperature", "top_k", "frequency_penalty", "max_tokens", "stop", "tools", "tool_choice", "user", "seed"]
    )
    assert sent(**unset) == sent()
    assert sent() == ({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}, [])


@pytest.mark.parametrize(
    ("model", "effort", "config", "noted"),
    [
        ("gemini-3.8-flash", "minimal", {"thinkingLevel": "MINIMAL"}, False),
        ("gemini-3.8-flash", "xhigh", {"thinkingLevel": "XHIGH"}, False),
        ("gemini-4-argon", "none", {"thinkingBudget": 0}, False),
        ("gemini-2.5-flash", "medium", {"thinkingBudget": 8192}, False),
        ("gemini-2.5-flash", "xhigh", None, True),
        ("gemini-3.8-flash", "max", None, True),
    ],
)
def test_request_reasoning_effort_sets_thinking_config(model: str, effort: str, config: Any, noted: bool) -> None:
    body, adapted = sent(model, reasoning_effort=effort)
    assert body.get("generationConfig", {}).get("thinkingConfig") == config
    assert bool(adapted) is noted


def test_request_thinking_config_is_merged_with_effort() -> None:
    for own in ({"thinkingConfig": {"includeThoughts": True}}, {"thinking_config": {"includeThoughts": True}}):
        both = {"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True}}
        assert configured(reasoning_effort="low", **own) == both
        assert configured(reasoning_effort="low", generationConfig=own) == both
    assert configured(reasoning_effort="low", thinkingConfig={"thinkingLevel": "HIGH"}) == {
        "thinkingConfig": {"thinkingLevel": "HIGH"}
    }
    assert configured(responseFormat=[{"text": {"mimeType": "APPLICATION_JSON"}}]) == {
        "responseFormat": [{"text": {"mimeType": "APPLICATION_JSON"}}]
    }


def test_request_response_format_is_converted() -> None:
    assert configured(response_format={"type": "json_object"}) == {"responseMimeType": "application/json"}
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    assert configured(response_format=wanted) == {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    assert "generationConfig" not in sent(response_format={"type": "text"})[0]
    assert sent(response_format={"type": "json_schema"})[1] == ["response_format sent as JSON without a schema: none was given"]
    with pytest.raises(modelmesh.ProviderError, match="grammar"):
        sent(response_format={"type": "grammar"})


def test_request_dropped_parameters_are_reported() -> None:
    gone = {"user": "u", "logit_bias": {"1": 2}, "metadata": {"a": "b"}, "verbosity": "low", "parallel_tool_calls": False}
    tools = [{"type": "function", "function": {"name": "weather"}}]
    body, adapted = sent(**gone, tools=tools, service_tier="scale", max_tokens=5, max_completion_tokens=6)
    assert set(body) == {"contents", "generationConfig", "tools"}
    assert body["generationConfig"] == {"maxOutputTokens": 6}
    assert sorted(line.split()[0] for line in adapted) == sorted([*gone, "service_tier", "max_tokens"])


def test_request_service_tier_is_converted() -> None:
    assert sent(service_tier="default")[0]["serviceTier"] == "standard"
    assert sent(service_tier="flex")[0]["serviceTier"] == "flex"
    assert "serviceTier" not in sent(service_tier="auto")[0]


def test_request_own_fields_are_kept() -> None:
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]
    body, adapted = sent(
        messages=[{"role": "system", "content": "Be brief."}, *HI],
        temperature=1,
        generationConfig={"temperature": 0.5, "ofNextYear": 1},
        thinking_config={"includeThoughts": True},
        safety_settings=safety,
        cachedContent="cachedContents/test",
        systemInstruction={"parts": [{"text": "Be kind."}]},
        contents=[{"role": "user", "parts": [{"text": "Before"}]}],
        toolConfig={"retrievalConfig": {}},
        tool_choice="required",
        store=False,
        of_next_year=[1],
    )
    assert adapted == []
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "Before"}]}, {"role": "user", "parts": [{"text": "Hello"}]}],
        "systemInstruction": {"parts": [{"text": "Be kind."}, {"text": "Be brief."}]},
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}, "retrievalConfig": {}},
        "generationConfig": {"temperature": 0.5, "ofNextYear": 1, "thinkingConfig": {"includeThoughts": True}},
        "safetySettings": safety,
        "cachedContent": "cachedContents/test",
        "store": False,
        "of_next_year": [1],
    }


# -- messages ---------------------------------------------------------------------------------------------------------


def test_request_messages_become_turns() -> None:
    body, adapted = sent(
        messages=[
            {"role": "system", "content": "Be brief."},
            *HI,
            {"role": "assistant", "content": "Hi."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": "And?", "name": "ada"},
        ]
    )
    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            {"role": "model", "parts": [{"text": "Hi."}]},
            {"role": "user", "parts": [{"text": "And?"}]},
        ],
    }
    assert len(adapted) == 2


def test_request_media_parts_are_converted() -> None:
    body, adapted = sent(
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                    {"type": "image_url", "image_url": {"url": "https://example.org/a.jpg?x=1"}},
                    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
                    {"fileData": {"fileUri": "files/test", "mimeType": "video/mp4"}},
                ],
            }
        ]
    )
    assert adapted == []
    assert body["contents"][0]["parts"] == [
        {"text": "Look"},
        {"inlineData": {"mimeType": "image/png", "data": PIXEL}},
        {"fileData": {"fileUri": "https://example.org/a.jpg?x=1", "mimeType": "image/jpeg"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}},
        {"fileData": {"fileUri": "files/test", "mimeType": "video/mp4"}},
    ]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a"}}]}, "capability"),
        ({"role": "user", "content": [{"type": "file", "file": {"file_id": "file-test"}}]}, "capability"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ftp"}}]}, "caller"),
        ("Hello", "caller"),
    ],
)
def test_request_unsupported_message_is_rejected(message: Any, kind: str) -> None:
    with pytest.raises(modelmesh.ProviderError, match=r"messages\[1\].*Nothing was sent") as caught:
        sent(messages=[*HI, message])
    assert caught.value.failure == kind


# -- tools ------------------------------------------------------------------------------------------------------------


def test_request_tools_and_tool_choice_are_converted() -> None:
    weather = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
    body, adapted = sent(tools=[weather, {"googleSearch": {}}, {"type": "function", "function": {"name": "time"}}])
    assert adapted == []
    assert body["tools"] == [
        {"functionDeclarations": [{"name": "weather", "description": "d", "parametersJsonSchema": SCHEMA}, {"name": "time"}]},
        {"googleSearch": {}},
    ]
    named = {"type": "function", "function": {"name": "weather"}}
    some = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named]}}
    choices = {"auto": {"mode": "AUTO"}, "none": {"mode": "NONE"}, "required": {"mode": "ANY"}}
    for choice, config in choices.items():
        assert sent(tools=[weather], tool_choice=choice)[0]["toolConfig"] == {"functionCallingConfig": config}
    for asked, mode in ((named, "ANY"), (some, "VALIDATED")):
        config = {"mode": mode, "allowedFunctionNames": ["weather"]}
        assert sent(tools=[weather], tool_choice=asked)[0]["toolConfig"] == {"functionCallingConfig": config}
    with pytest.raises(modelmesh.ProviderError, match="free-text"):
        sent(tools=[{"type": "custom", "custom": {"name": "f"}}])


def test_request_tool_results_name_their_function() -> None:
    calls = [{"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": "{}"}} for name in "ab"]
    body, adapted = sent(
        "gemini-2.5-flash",
        messages=[
            *HI,
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "call_b", "content": '{"degrees": 7}'},
            {"role": "tool", "tool_call_id": "call_a", "content": [{"type": "text", "text": "[1]"}]},
        ],
    )
    assert adapted == []
    assert body["contents"][1:] == [
        {"role": "model", "parts": [{"functionCall": {"id": f"call_{name}", "name": name, "args": {}}} for name in "ab"]},
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "call_b", "name": "b", "response": {"degrees": 7}}},
                {"functionResponse": {"id": "call_a", "name": "a", "response": {"output": "[1]"}}},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("model", "stands_in"),
    [("gemini-3.8-flash", True), ("models/gemini-4-argon", True), ("gemini-2.5-pro", False), ("gemma-4-31b-it", False)],
)
def test_request_foreign_calls_get_placeholder_signature(model: str, stands_in: bool) -> None:
    calls = [{"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": "{}"}} for name in "ab"]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "x"} for call in calls]
    body, adapted = sent(model, messages=[*HI, {"role": "assistant", "content": "I look.", "tool_calls": calls}, *results])
    signatures = [part.get("thoughtSignature") for part in body["contents"][1]["parts"]]
    assert signatures == [None, "skip_thought_signature_validator" if stands_in else None, None]
    assert bool(adapted) is stands_in


def test_request_in_strict_pool_raises_instead_of_dropping(upstream: Any) -> None:
    provider = GoogleProvider(api_key="test", base_url=upstream.url)
    with pytest.raises(modelmesh.ProviderError, match="strict"):
        provider.send(Call(CHAT, "chat", {"messages": HI, "user": "u"}, strict=True), "gemini-3.8-flash", Limits())
    assert upstream.received == []


def test_request_results_of_calls_without_id_have_no_id() -> None:
    part = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2lnbmVk"}
    parts = [{"text": "a"}, {"text": "b", "thoughtSignature": "c2ln"}, part]
    call = {"id": "call_resp_0_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    kept = {"role": "assistant", "content": "ab", "tool_calls": [call], "content_parts": parts}
    result = {"role": "tool", "tool_call_id": "call_resp_0_0", "content": "x"}
    body, _ = sent(messages=[*HI, kept, result])
    assert body["contents"][1]["parts"] == parts
    assert body["contents"][2]["parts"] == [{"functionResponse": {"name": "f", "response": {"output": "x"}}}]


SETTINGS = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]


@pytest.mark.parametrize("given", [SETTINGS, {"HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH"}])
def test_request_configured_safety_settings_are_sent(upstream: Any, config: Any, way: Any, answer: Any, given: Any) -> None:
    upstream.reply(answer({"text": "Hi"})).reply(answer({"text": "Hi"}))
    settings = config(safety_settings=given)
    way.send(settings, messages=HI)
    assert upstream.last.json["safetySettings"] == SETTINGS
    own = [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "OFF"}]
    way.send(settings, messages=HI, extra_body={"safety_settings": own})
    assert upstream.last.json["safetySettings"] == own


@pytest.mark.parametrize("given", ["strict", [{"category": "X"}], [5], {"X": None}, 7])
def test_provider_invalid_safety_settings_are_rejected(upstream: Any, given: Any) -> None:
    with pytest.raises(ConfigurationError, match="safety_settings"):
        GoogleProvider(api_key="test", base_url=upstream.url, safety_settings=given)

"""Complete responses: text, thoughts, tool calls, usage, and fields outside OpenAI's format."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_google.answers import finish_reason, is_plain, usage_of

import modelmesh
from modelmesh.contracts import FailureClass
from modelmesh_cdk.testing import Script, event

HI = [{"role": "user", "content": "Hello"}]
CALL = {"functionCall": {"name": "weather", "args": {"city": "Oslo", "days": 0}}}


def test_send_plain_response_has_openai_format(upstream: Any, config: Any, way: Any, answer: Any) -> None:
    upstream.reply({**answer({"text": "Hel"}, {"text": "lo."}, avgLogprobs=-0.1), "modelStatus": {"modelStage": "STABLE"}})
    reply = way.send(config(), messages=HI).model_dump()
    assert reply["id"] == "resp-test-1"
    assert reply["model"]
    assert reply["created"] > 0
    assert reply["modelStatus"] == {"modelStage": "STABLE"}
    choice = reply["choices"][0]
    assert choice["message"]["content"] == "Hello."
    assert choice["finish_reason"] == "stop"
    assert choice["finishReason"] == "STOP"
    assert choice["avgLogprobs"] == -0.1
    assert "content_parts" not in choice["message"]


def test_send_thoughts_calls_and_signatures_are_kept(upstream: Any, config: Any, way: Any, answer: Any) -> None:
    thought = {"text": "Let me see.", "thought": True}
    second = {"functionCall": {"id": "fc-2", "name": "time"}}
    upstream.reply(answer(thought, {"text": "I look."}, {**CALL, "thoughtSignature": "c2lnbmVk"}, second))
    choice = way.send(config(), messages=HI).model_dump()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    message = choice["message"]
    assert (message["content"], message["reasoning_content"]) == ("I look.", "Let me see.")
    assert message["tool_calls"] == [
        {
            "id": "call_resp-test-1_0_0",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city":"Oslo","days":0}'},
            "extra_content": {"google": {"thought_signature": "c2lnbmVk"}},
        },
        {"id": "fc-2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
    ]
    assert "content_parts" not in message


def test_send_unrepresentable_parts_are_kept(upstream: Any, config: Any, way: Any, answer: Any) -> None:
    parts = [{"text": "So:"}, {"executableCode": {"language": "PYTHON", "code": "1"}}, {"text": "1", "thoughtSignature": "c2ln"}]
    upstream.reply(answer(*parts, groundingMetadata={"webSearchQueries": ["x"]}))
    choice = way.send(config(), messages=HI).model_dump()["choices"][0]
    assert choice["message"]["content"] == "So:1"
    assert choice["message"]["content_parts"] == parts
    assert choice["groundingMetadata"] == {"webSearchQueries": ["x"]}


def test_send_candidates_and_log_probabilities_are_mapped(upstream: Any, config: Any, way: Any, answer: Any) -> None:
    body = answer({"text": "a"})
    chosen = {"token": "é", "tokenId": 7, "logProbability": -0.5}
    other = {
        "content": {"parts": [{"text": "é"}], "role": "model"},
        "index": 1,
        "finishReason": "MAX_TOKENS",
        "logprobsResult": {"chosenCandidates": [chosen], "topCandidates": [{"candidates": [chosen]}]},
    }
    upstream.reply({**body, "candidates": [*body["candidates"], other]})
    reply = way.send(config(), messages=HI, n=2, logprobs=True).model_dump()
    assert [choice["message"]["content"] for choice in reply["choices"]] == ["a", "é"]
    assert reply["choices"][1]["finish_reason"] == "length"
    token = {"token": "é", "logprob": -0.5, "bytes": [195, 169]}
    assert reply["choices"][1]["logprobs"]["content"] == [{**token, "top_logprobs": [token]}]


@pytest.mark.parametrize(
    ("theirs", "called", "ours"),
    [
        ("STOP", False, "stop"),
        ("STOP", True, "tool_calls"),
        ("MAX_TOKENS", True, "length"),
        ("CONTINUATION", False, "length"),
        *((word, False, "content_filter") for word in ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")),
        ("OF_NEXT_YEAR", True, "tool_calls"),
        ("OF_NEXT_YEAR", False, "stop"),
        *((none, True, None) for none in (None, "", "FINISH_REASON_UNSPECIFIED", 5, ["STOP"], {})),
    ],
)
def test_completion_finish_reason_is_mapped(theirs: Any, called: bool, ours: Any) -> None:
    assert finish_reason(theirs, called=called) == ours


def test_send_filtered_response_has_content_filter_reason(upstream: Any, config: Any, way: Any) -> None:
    ratings = [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": True}]
    upstream.reply({"candidates": [{"finishReason": "SAFETY", "safetyRatings": ratings}], "responseId": "r"})
    choice = way.send(config(), messages=HI).model_dump()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"], choice["finishReason"]) == (None, "content_filter", "SAFETY")
    assert choice["safetyRatings"] == ratings


def test_send_blocked_prompt_is_policy_failure(upstream: Any, config: Any, way: Any) -> None:
    feedback = {"blockReason": "PROHIBITED_CONTENT"}
    upstream.reply({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 5}, "responseId": "r"})
    with pytest.raises(modelmesh.BadRequestError) as caught:
        way.send(config(), messages=HI)
    assert caught.value.failure is FailureClass.POLICY
    assert caught.value.code == "PROHIBITED_CONTENT"
    assert caught.value.body["promptFeedback"] == feedback


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": []},
        {"candidates": ["x"]},
        {"candidates": [{"content": {"parts": "x"}}]},
        {"candidates": [{"content": {"parts": [{"text": 5}]}}]},
        {"candidates": [{"content": {"parts": [{"functionCall": None}]}}]},
    ],
)
def test_send_invalid_body_is_protocol_failure(upstream: Any, config: Any, way: Any, body: Any) -> None:
    upstream.reply(body)
    with pytest.raises(modelmesh.BadUpstreamResponseError):
        way.send(config(), messages=HI)


def test_usage_token_counts_are_mapped() -> None:
    told = {
        "promptTokenCount": 100, "cachedContentTokenCount": 80, "candidatesTokenCount": 7, "thoughtsTokenCount": 30,
        "toolUsePromptTokenCount": 3, "totalTokenCount": 140, "trafficType": "ON_DEMAND",
    }  # fmt: skip
    assert usage_of(told) == {
        "prompt_tokens": 103,
        "completion_tokens": 37,
        "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 80},
        "completion_tokens_details": {"reasoning_tokens": 30},
        **told,
    }
    assert usage_of({"promptTokenCount": 5, "thoughtsTokenCount": 9, "totalTokenCount": 14})["completion_tokens"] == 9  # type: ignore[index]
    assert usage_of({"promptTokenCount": 5}) == {"prompt_tokens": 5, "promptTokenCount": 5}
    assert usage_of(None) is None


@pytest.mark.parametrize(
    ("parts", "plain"),
    [
        ([], True),
        ([{"text": "a"}, {"text": "b"}, CALL], True),
        ([{"text": "a", "thoughtSignature": "s"}, CALL], True),
        ([{"text": "a"}, {"text": "", "thoughtSignature": "s"}], False),
        ([CALL, {"text": "a"}], False),
        ([{"text": "t", "thought": True, "thoughtSignature": "s"}, {"text": "a"}], False),
        ([{"functionCall": {"name": "f", "ofNextYear": 1}}], False),
        ([{"inlineData": {}}], False),
    ],
)
def test_parts_representable_in_openai_format_are_detected(parts: Any, plain: bool) -> None:
    assert is_plain(parts) is plain


def test_usage_tokens_are_counted_by_modality() -> None:
    told = {
        "promptTokenCount": 30,
        "toolUsePromptTokenCount": 4,
        "candidatesTokenCount": 9,
        "cachedContentTokenCount": 2,
        "totalTokenCount": 43,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 5},
            {"modality": "AUDIO", "tokenCount": 12},
            {"modality": "IMAGE", "tokenCount": 10},
            {"modality": "VIDEO", "tokenCount": 3},
        ],
        "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 4}],
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 8}, {"modality": "TEXT"}, {"modality": "OF_TOMORROW"}],
    }
    usage = usage_of(told)
    assert usage is not None
    assert usage["prompt_tokens_details"] == {"text_tokens": 9, "audio_tokens": 12, "image_tokens": 10, "cached_tokens": 2}
    assert usage["completion_tokens_details"] == {"audio_tokens": 8}
    assert {name: usage[name] for name in told} == told


@pytest.mark.parametrize("details", [None, {}, "TEXT", [7], [{"modality": ["TEXT"], "tokenCount": 5}], [{"tokenCount": "5"}]])
def test_usage_malformed_details_are_not_counted(details: Any) -> None:
    usage = usage_of({"promptTokenCount": 5, "promptTokensDetails": details})
    assert usage == {"prompt_tokens": 5, "promptTokenCount": 5, "promptTokensDetails": details}


BROKEN = ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "MALFORMED_RESPONSE", "OF_NEXT_YEAR"]


@pytest.mark.parametrize("reason", BROKEN)
@pytest.mark.parametrize("content", [{}, {"parts": []}, None, {"parts": [{"text": "Hm.", "thought": True}]}])
def test_send_interrupted_response_without_content_fails(upstream: Any, config: Any, way: Any, reason: str, content: Any) -> None:
    body = {"candidates": [{"content": content, "finishReason": reason}], "usageMetadata": {"promptTokenCount": 9}}
    upstream.reply(body)
    with pytest.raises(modelmesh.ModelMeshError) as caught:
        way.send(config(), messages=HI)
    assert (caught.value.failure, caught.value.code) == ("protocol", reason)
    upstream.then(Script(200, event(body), content_type="text/event-stream"))
    with pytest.raises(modelmesh.ModelMeshError) as caught:
        way.stream(config(), messages=HI)
    assert caught.value.failure == "protocol"


@pytest.mark.parametrize("reason", [None, "", "FINISH_REASON_UNSPECIFIED", 5])
def test_send_without_finish_reason_is_protocol_failure(upstream: Any, config: Any, way: Any, reason: Any) -> None:
    candidate = {"content": {"parts": [{"text": "Hello"}]}, "finishReason": reason}
    upstream.reply({"candidates": [candidate]})
    with pytest.raises(modelmesh.ModelMeshError) as caught:
        way.send(config(), messages=HI)
    assert caught.value.failure == "protocol"
    upstream.then(Script(200, event({"candidates": [candidate]}), content_type="text/event-stream"))
    with pytest.raises(modelmesh.StreamInterruptedError):
        way.stream(config(), messages=HI)


@pytest.mark.parametrize(
    "part",
    [
        {"text": 5},
        {"text": ["a"]},
        {"functionCall": "f"},
        {"functionCall": {"args": {}}},
        {"functionCall": {"name": "f", "args": '{"city": "Os'}},
        {"functionCall": {"name": 7, "args": {}}},
        "text",
        None,
    ],
)
def test_send_part_of_wrong_type_is_protocol_failure(upstream: Any, config: Any, way: Any, part: Any) -> None:
    body = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}
    upstream.reply(body)
    with pytest.raises(modelmesh.ModelMeshError) as caught:
        way.send(config(), messages=HI)
    assert (caught.value.failure, type(caught.value.last_error).__name__) == ("protocol", "BadUpstreamResponseError")
    upstream.then(Script(200, event(body), content_type="text/event-stream"))
    with pytest.raises(modelmesh.ModelMeshError) as caught:
        way.stream(config(), messages=HI)
    assert caught.value.failure == "protocol"


@pytest.mark.parametrize("usage", ["lots", [1], 5, {"promptTokenCount": "3"}, {"promptTokenCount": -3, "totalTokenCount": 2.5}])
def test_send_usage_of_wrong_type_is_accepted(upstream: Any, config: Any, way: Any, usage: Any) -> None:
    body = {"candidates": [{"content": {"parts": [{"text": "Hello"}]}, "finishReason": "STOP"}], "usageMetadata": usage}
    upstream.reply(body)
    assert way.send(config(), messages=HI).choices[0].message.content == "Hello"
    upstream.then(Script(200, event(body), content_type="text/event-stream"))
    assert way.stream(config(), messages=HI)[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("content", [0, "", False, [], "text", {"parts": 0}, {"parts": ""}, {"parts": {}}])
def test_send_content_of_wrong_type_is_protocol_failure(upstream: Any, config: Any, way: Any, content: Any) -> None:
    upstream.reply({"candidates": [{"content": content, "finishReason": "STOP"}]})
    with pytest.raises(modelmesh.ModelMeshError) as caught:
        way.send(config(), messages=HI)
    assert caught.value.failure == "protocol"

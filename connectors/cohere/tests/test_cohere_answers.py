"""Whole answers in OpenAI's format."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
from modelmesh_connector_cohere.answers import completion, logprobs_of, usage_of

TEXT = {"type": "text", "text": "Hello — ✓"}
THOUGHT = {"type": "thinking", "thinking": "Let me see."}
CALL = {"id": "weather_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
CITATION = {"start": 0, "end": 5, "text": "Hello", "sources": [{"type": "document", "id": "d", "document": {"t": "x"}}]}
FINISH = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "OF_TOMORROW": "stop",
}


def test_send_text_response_has_openai_format(upstream: Any, made: Any, send: Any, reply: Any) -> None:
    upstream.reply(reply(TEXT, message={"tool_plan": "", "citations": []}, of_tomorrow={"x": 0}), x_debug_trace_id="t")
    began = int(time.time())
    answer = send(made())
    body = answer.body
    assert began <= body.pop("created") <= time.time()
    assert body == {
        "id": "c14c80c3-test",
        "object": "chat.completion",
        "model": "command-a-03-2025",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello — ✓"},
                "finish_reason": "stop",
                "logprobs": None,
                "stop_reason": "COMPLETE",
            }
        ],
        "usage": {
            "prompt_tokens": 71,
            "completion_tokens": 9,
            "total_tokens": 80,
            "prompt_tokens_details": {"cached_tokens": 16},
            "billed_units": {"input_tokens": 5, "output_tokens": 2},
            "tokens": {"input_tokens": 71.0, "output_tokens": 9},
            "cached_tokens": 16,
        },
        "of_tomorrow": {"x": 0},
    }
    assert type(body["usage"]["prompt_tokens"]) is int
    assert answer.headers["x-debug-trace-id"] == "t"


@pytest.mark.parametrize("reason", FINISH)
def test_completion_finish_reason_is_mapped(reason: str, reply: Any) -> None:
    choice = completion(reply(TEXT, reason=reason), created=0)["choices"][0]
    assert (choice["finish_reason"], choice["stop_reason"]) == (FINISH[reason], reason)


def message(reply: Any, *blocks: Any, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = completion(reply(*blocks, message=more), created=0)["choices"][0]["message"]
    return found


def test_completion_thoughts_tools_plan_citations_are_kept(reply: Any) -> None:
    bare = {"id": "clock_2", "function": {"name": "clock", "arguments": ""}}
    found = message(reply, THOUGHT, TEXT, tool_calls=[CALL, bare], tool_plan="I look.", citations=[CITATION], of_tomorrow=1)
    assert found == {
        "role": "assistant",
        "content": "Hello — ✓",
        "reasoning_content": "Let me see.",
        "thinking_blocks": [THOUGHT],
        "tool_calls": [CALL, {"id": "clock_2", "type": "function", "function": {"name": "clock", "arguments": "{}"}}],
        "tool_plan": "I look.",
        "citations": [CITATION],
        "of_tomorrow": 1,
    }


def test_completion_unrepresentable_blocks_are_kept(reply: Any) -> None:
    strange = {"type": "of_tomorrow", "x": 0}
    for blocks in ([TEXT, TEXT], [TEXT, THOUGHT], [strange], [{**TEXT, "x": 1}]):
        found = message(reply, *blocks)
        assert found["content_blocks"] == blocks
        assert (found["content"] or "") == "".join(block["text"] for block in blocks if block["type"] == "text")
    assert "content_blocks" not in message(reply, THOUGHT, THOUGHT, TEXT)


def test_completion_without_text_has_null_or_empty_content(reply: Any) -> None:
    assert message(reply, tool_calls=[CALL], content=None)["content"] is None
    assert message(reply, {"type": "text", "text": ""})["content"] == ""


def test_completion_log_probabilities_are_per_token(reply: Any) -> None:
    items = [{"text": "Hé", "token_ids": [1], "logprobs": [-0.5]}, {"text": "!", "token_ids": [2], "logprobs": [0.0]}]
    whole = completion(reply(TEXT, logprobs=items), created=0)
    assert whole["logprobs"] == items
    assert whole["choices"][0]["logprobs"] == {
        "content": [
            {"token": "Hé", "logprob": -0.5, "bytes": [72, 195, 169], "top_logprobs": []},
            {"token": "!", "logprob": 0.0, "bytes": [33], "top_logprobs": []},
        ],
        "refusal": None,
    }
    assert logprobs_of([{"text": "Hello!", "token_ids": [1, 2], "logprobs": [-0.5, 0.0]}]) is None
    assert logprobs_of([{"token_ids": [1]}]) is None
    assert logprobs_of([{"text": "Hi", "token_ids": [1], "logprobs": None}]) is None


def test_usage_missing_counts_stay_missing() -> None:
    assert usage_of(None) is None
    assert usage_of({"tokens": {"input_tokens": 3}}) == {"prompt_tokens": 3, "tokens": {"input_tokens": 3}}
    billed = {"billed_units": {"input_tokens": 3.0, "output_tokens": 0, "search_units": 1}}
    assert usage_of(billed) == {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3, **billed}


def test_completion_reply_is_not_mutated(reply: Any) -> None:
    data = reply(THOUGHT, TEXT, message={"tool_calls": [CALL]})
    before = copy.deepcopy(data)
    completion(data, created=0)
    assert data == before


def test_send_round_trip_restores_vendor_blocks(upstream: Any, made: Any, send: Any, reply: Any) -> None:
    said = {"tool_calls": [CALL], "tool_plan": "I look.", "citations": [CITATION]}
    for blocks in ([], [THOUGHT, TEXT], [TEXT, {**TEXT, "text": " More."}, THOUGHT]):
        upstream.reply(reply(*blocks, reason="TOOL_CALL", message=said)).reply(reply(TEXT))
        first = send(made()).body["choices"][0]["message"]
        answer = send(
            made(),
            messages=[
                {"role": "user", "content": "Hello"},
                first,
                {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "rain"},
            ],
        )
        assert answer.adapted == []
        sent = upstream.last.json["messages"]
        assert sent[1] == {"role": "assistant", **said, **({"content": blocks} if blocks else {})}
        assert sent[2] == {"role": "tool", "tool_call_id": "weather_1", "content": "rain"}


@pytest.mark.parametrize("reason", ["COMPLETE", "MAX_TOKENS", "TOOL_CALL"])
def test_send_response_matches_openai_type(reason: str, upstream: Any, made: Any, send: Any, reply: Any) -> None:
    chat = pytest.importorskip("openai.types.chat")
    items = [{"text": "Hello", "token_ids": [1], "logprobs": [-0.5]}]
    upstream.reply(reply(THOUGHT, TEXT, reason=reason, message={"tool_calls": [CALL]}, logprobs=items))
    read = chat.ChatCompletion.model_validate(send(made()).body, strict=True)
    assert read.choices[0].message.tool_calls[0].function.arguments == '{"city":"Oslo"}'
    assert read.choices[0].finish_reason == FINISH[reason]
    assert read.usage.total_tokens == 80
    assert read.choices[0].logprobs.content[0].token == "Hello"


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "text", "text": 5}]},
        {"content": ["text"]},
        {"content": [{"type": "thinking", "thinking": []}]},
        {"content": [], "tool_calls": "f"},
        {"content": [], "tool_calls": [{"id": "x"}]},
        {"content": [], "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": '{"city": "Os'}}]},
        {"content": [], "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": {}}}]},
        {"content": [], "tool_calls": [{"id": 7, "function": {"name": "f", "arguments": "{}"}}]},
    ],
)
def test_completion_message_of_wrong_type_is_invalid(message: Any) -> None:
    with pytest.raises(ValueError, match=r"reply|block|tool call|JSON"):
        completion({"id": "x", "message": {"role": "assistant", **message}, "finish_reason": "TOOL_CALL"}, created=1)


@pytest.mark.parametrize("reason", [None, "", 5])
def test_completion_without_finish_reason_is_invalid(reason: Any) -> None:
    message = {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}
    with pytest.raises(ValueError, match="no finish_reason"):
        completion({"id": "x", "message": message, "finish_reason": reason}, created=1)


@pytest.mark.parametrize("message", [{}, {"a": None}])
def test_completion_message_without_fields_is_invalid(message: Any) -> None:
    with pytest.raises(ValueError, match="none of a message's fields"):
        completion({"id": "x", "message": message, "finish_reason": "COMPLETE"}, created=1)

"""Requests, responses with sources, streams and error mapping of Perplexity's Agent API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_perplexity import PerplexityProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Script, Upstream, event

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PERPLEXITY_API_KEY", "PERPLEXITY_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: PerplexityProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Send one request and return the response body, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "perplexity/sonar", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


RESULTS = [{"id": 1, "url": "https://example.com/a", "title": "A", "snippet": "…", "source": "web"}] * 2
USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7, "cost": {"total_cost": 0.003, "currency": "USD"}}
NAMES = {"prompt_tokens": 5, "completion_tokens": 2}


def response(*output: Any, **fields: Any) -> dict[str, Any]:
    head = {"id": "resp_test", "object": "response", "created_at": 1_763_700_000, "model": "perplexity/sonar"}
    return {
        **head,
        "status": "completed",
        "output": [{"type": "search_results", "results": RESULTS}, *output],
        "usage": USAGE,
        **fields,
    }


def message_item(text: str) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


CALL = {"type": "function_call", "id": "f", "call_id": "call_1", "name": "weather", "arguments": "{}", "status": "completed"}
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


@pytest.mark.parametrize("written", ["", "/v1", "/v1/"])
def test_send_request_has_path_key_and_body(upstream: Upstream, written: str) -> None:
    upstream.reply(response(message_item("Hi")))
    given = {
        "max_tokens": 9,
        "search_recency_filter": "day",
        "num_search_results": 3,
        "reasoning_effort": "low",
        "of_next_year": 1,
    }
    send(PerplexityProvider(base_url=upstream.url + written, api_key=KEY), **given)
    assert (upstream.last.path, upstream.last.headers["authorization"]) == ("/v1/agent", f"Bearer {KEY}")
    search = {"type": "web_search", "filters": {"search_recency_filter": "day"}, "max_results": 3}
    assert upstream.last.json == {
        "model": "perplexity/sonar",
        "input": [{"type": "message", "role": "user", "content": "Hello!"}],
        "tools": [search],
        "max_output_tokens": 9,
        "reasoning": {"effort": "low"},
        "of_next_year": 1,
    }


def test_send_tools_and_images_are_converted(upstream: Upstream) -> None:
    upstream.reply(response(CALL))
    parts = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "https://example.com/i.png"}}]
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    function = {"name": "weather", "parameters": {"type": "object"}}
    tools = [{"type": "function", "function": function}, {"type": "web_search", "filters": {"search_domain_filter": ["a"]}}]
    chosen = {"type": "function", "function": {"name": "weather"}}
    provider = PerplexityProvider(base_url=upstream.url, api_key=KEY, search_recency_filter="week")
    answer = send(provider, messages=messages, tools=tools, tool_choice=chosen)
    assert (answer["choices"][0]["message"]["tool_calls"], answer["choices"][0]["finish_reason"]) == ([TOOL_CALL], "tool_calls")
    sent = upstream.last.json
    assert sent["input"] == [
        {"type": "message", "role": "system", "content": "Be brief."},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": "https://example.com/i.png"},
            ],
        },
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
    ]
    filters = {"search_recency_filter": "week", "search_domain_filter": ["a"]}
    assert sent["tools"] == [{"type": "function", **function}, {"type": "web_search", "filters": filters}]
    assert sent["tool_choice"] == {"name": "weather"}
    assert tools[1] == {"type": "web_search", "filters": {"search_domain_filter": ["a"]}}


FILTERS = {
    "search_domain_filter": ["example.com"],
    "search_recency_filter": "day",
    "search_after_date_filter": "1/1/2026",
    "search_before_date_filter": "2/1/2026",
    "last_updated_after_filter": "3/1/2026",
    "last_updated_before_filter": "4/1/2026",
}


@pytest.mark.parametrize("tools", [None, [{"type": "web_search", "max_tokens": 9, "filters": {"search_recency_filter": "week"}}]])
def test_send_search_parameters_move_to_web_search_tool(upstream: Upstream, tools: Any) -> None:
    upstream.reply(response(message_item("Hi")))
    place = {"type": "approximate", "approximate": {"country": "NO"}}
    options = {"search_context_size": "low", "user_location": place}
    given = {**FILTERS, "num_search_results": 3, "web_search_options": options, **({"tools": tools} if tools else {})}
    send(PerplexityProvider(base_url=upstream.url, api_key=KEY), **given)
    (search,) = upstream.last.json["tools"]
    stated = tools[0] if tools else {"type": "web_search", "filters": {}}
    around = {"max_results": 3, "search_context_size": "low", "user_location": {"country": "NO"}}
    assert search == {**around, **stated, "filters": {**FILTERS, **stated["filters"]}}
    assert upstream.last.json.keys() == {"model", "input", "tools"}


@pytest.mark.parametrize("choice", ["required", {"type": "web_search"}])
def test_send_tool_choice_without_function_is_unchanged(upstream: Upstream, choice: Any) -> None:
    upstream.reply(response(message_item("Hi")))
    send(PerplexityProvider(base_url=upstream.url, api_key=KEY), tool_choice=choice)
    assert upstream.last.json["tool_choice"] == choice


def test_send_dropped_message_field_is_reported(upstream: Upstream) -> None:
    upstream.reply(response(message_item("Hi")))
    messages = [
        {"role": "user", "content": "Hello!", "name": "Ada"},
        {"role": "assistant", "content": "Hi", "refusal": None},
        {"role": "user", "content": "And?"},
    ]
    provider = PerplexityProvider(base_url=upstream.url, api_key=KEY)
    answer = provider.send(Call(CHAT, "test", {"messages": messages}), "perplexity/sonar", Limits())
    provider.close()
    assert answer.adapted == ["name of messages left out: Perplexity refuses it (messages[0])"]


@pytest.mark.parametrize(
    "payload",
    [{"tools": {"type": "web_search"}}, {"messages": [{"role": "assistant", "content": None, "tool_calls": ["weather"]}]}],
    ids=["tools", "calls"],
)
def test_send_malformed_payload_is_caller_failure(upstream: Upstream, payload: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="Nothing was sent") as caught:
        send(PerplexityProvider(base_url=upstream.url, api_key=KEY), **payload)
    assert (caught.value.failure, upstream.received) == (F.CALLER, [])


def test_usage_cached_tokens_are_in_openai_field(upstream: Upstream) -> None:
    upstream.reply(response(message_item("Hi"), usage={**USAGE, "input_tokens_details": {"cache_read_input_tokens": 3}}))
    got = send(PerplexityProvider(base_url=upstream.url, api_key=KEY))
    assert got["usage"]["prompt_tokens_details"] == {"cached_tokens": 3}


def test_stream_without_response_id_is_accepted(upstream: Upstream) -> None:
    upstream.stream(
        [agent_event("in_progress", response={"id": None}), agent_event("completed", response=response(message_item("Hi")))]
    )
    chunks = send(PerplexityProvider(base_url=upstream.url, api_key=KEY), stream=True)
    assert [choice["delta"].get("content") for one in chunks for choice in one["choices"]] == ["", "Hi", None]


def test_send_annotations_are_in_message(upstream: Upstream) -> None:
    note = {"type": "url_citation", "url": "https://example.com/a", "start_index": 0, "end_index": 2}
    item = message_item("Hi")
    item["content"][0]["annotations"] = [note]
    upstream.reply(response(item))
    got = send(PerplexityProvider(base_url=upstream.url, api_key=KEY))
    assert got["choices"][0]["message"] == {"role": "assistant", "content": "Hi", "annotations": [note]}


def test_send_plain_response_has_sources(upstream: Upstream) -> None:
    upstream.reply(response(message_item("Hi"), of_next_year=1))
    got = send(PerplexityProvider(base_url=upstream.url, api_key=KEY))
    assert got["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop", "logprobs": None}
    ]
    assert (got["citations"], got["search_results"]) == (["https://example.com/a"], RESULTS)
    assert (got["object"], got["created"], got["usage"]) == ("chat.completion", 1_763_700_000, USAGE | NAMES)
    assert (got["of_next_year"], got["output"][1]) == (1, message_item("Hi"))


def test_send_incomplete_response_has_finish_reason_length(upstream: Upstream) -> None:
    upstream.reply(response(message_item("Hi"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}))
    assert send(PerplexityProvider(base_url=upstream.url, api_key=KEY))["choices"][0]["finish_reason"] == "length"


def agent_event(kind: str, **fields: Any) -> bytes:
    return event({"type": f"response.{kind}", "sequence_number": 0, **fields})


@pytest.mark.parametrize("deltas", [["H", "i"], []])
@pytest.mark.parametrize("asked", [True, False, None])
def test_send_stream_returns_chunks(upstream: Upstream, deltas: list[str], asked: bool | None) -> None:
    upstream.stream(
        [
            agent_event("created", response=response(status="in_progress", usage=None)),
            agent_event("reasoning.search_queries", queries=["q"], thought="I look."),
            *[agent_event("output_text.delta", delta=text) for text in deltas],
            agent_event("output_text.done", text="Hi"),
            agent_event("output_item.added", item=CALL),
            agent_event("output_item.done", item=CALL),
            agent_event("completed", response=response(message_item("Hi"), CALL)),
        ]
    )
    options = {} if asked is None else {"stream_options": {"include_usage": asked}}
    chunks = send(PerplexityProvider(base_url=upstream.url, api_key=KEY), stream=True, **options)
    moves = [choice["delta"] for one in chunks for choice in one["choices"]]
    assert "".join(move.get("content") or "" for move in moves) == "Hi"
    assert [move["reasoning_content"] for move in moves if "reasoning_content" in move] == ["I look."]
    assert [move["tool_calls"] for move in moves if "tool_calls" in move] == [[{"index": 0, **TOOL_CALL}]]
    assert [one["perplexity_event"]["type"] for one in chunks if "perplexity_event" in one] == [
        "response.reasoning.search_queries"
    ]
    assert {type(one["created"]) for one in chunks} == {int}
    last = chunks[-2] if asked else chunks[-1]
    assert (last["choices"][0]["finish_reason"], last["citations"]) == ("tool_calls", ["https://example.com/a"])
    assert (chunks[-1]["usage"], bool(chunks[-1]["choices"])) == (USAGE | NAMES, not asked)
    assert {(one["id"], one["object"], one["model"]) for one in chunks} == {
        ("resp_test", "chat.completion.chunk", "perplexity/sonar")
    }


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("kind", "failure"), [("request_rate_limit_exceeded", F.THROTTLE), ("internal_error", F.SERVER), ("new", F.PROTOCOL)]
)
def test_send_failed_run_with_status_200_is_failure(upstream: Upstream, stream: bool, kind: str, failure: F) -> None:
    error = {"message": "test", "type": kind, "code": None}
    if stream:
        upstream.stream([agent_event("output_text.delta", delta="Half"), agent_event("failed", error=error)])
    else:
        upstream.reply(response(status="failed", error=error))
    with pytest.raises(ProviderError) as caught:
        send(PerplexityProvider(base_url=upstream.url, api_key=KEY), stream=stream)
    assert (caught.value.failure, caught.value.code) == (failure, kind)


@pytest.mark.parametrize(
    ("status", "kind", "text", "failure"),
    [
        (400, "invalid_request", 'invalid request body: json: unknown field "stop"', F.CAPABILITY),
        (400, "invalid_model", "no such model", F.NOT_FOUND),
        (400, "invalid_parameter", "temperature", F.REFUSED),
        (401, "forbidden", "bad key", F.CREDENTIAL),
        (429, "request_rate_limit_exceeded", "slow down", F.THROTTLE),
        (502, "bad_gateway", "test", F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, kind: str, text: str, failure: F) -> None:
    upstream.reply({"error": {"message": text, "type": kind, "code": status}}, status)
    with pytest.raises(ProviderError) as caught:
        send(PerplexityProvider(base_url=upstream.url, api_key=KEY))
    assert (caught.value.failure, caught.value.code) == (failure, kind)


def test_send_presets_and_disabled_search_have_no_tool(upstream: Upstream) -> None:
    upstream.always(Script(body=json.dumps(response(message_item("Hi"))).encode()))
    bodies = []
    for model, searches in (("preset:low", True), ("openai/gpt-6.1-terra", False)):
        provider = PerplexityProvider(base_url=upstream.url, api_key=KEY, web_search=searches)
        provider.send(Call(CHAT, "test", {"messages": MESSAGES}), model, Limits())
        provider.close()
        bodies.append({name: value for name, value in upstream.last.json.items() if name != "input"})
    assert bodies == [{"preset": "low"}, {"model": "openai/gpt-6.1-terra"}]


def test_capabilities_exclude_plain_chat_completion() -> None:
    assert "generation.text-generation.chat-completion" not in PerplexityProvider(api_key=KEY).get_capabilities()

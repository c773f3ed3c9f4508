"""Anthropic's Messages API ↔ chat completions, validated with the types of the anthropic package."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from chats import HEAD, answers, call_of, chat, chunks_of, sizes, tool_call
from hypothesis import given, settings
from pydantic import TypeAdapter

from modelmesh._engine.translation import TRANSLATIONS
from modelmesh._engine.translation.messages.token_count import estimated_tokens
from modelmesh.errors import BadRequestError, RateLimitError

MESSAGES = TRANSLATIONS["messages"]
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
REQUEST: dict[str, Any] = {"max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}], "stop_sequences": ["END"]}
TOOL = {"name": "weather", "description": "d", "input_schema": {"type": "object"}}


def to_chat(payload: dict[str, Any], **options: Any) -> Any:
    return MESSAGES.to_chat(call_of("messages", {**REQUEST, **payload}, **options))


def conversation(*turns: dict[str, Any]) -> Any:
    return to_chat({"messages": list(turns)})


def reply(body: dict[str, Any]) -> dict[str, Any]:
    made = MESSAGES.from_chat(body, call_of("messages", REQUEST))
    Message.model_validate(made, strict=True)
    return made


def streamed(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events of chunks, each validated with the SDK's types."""
    stream = MESSAGES.stream(call_of("messages", REQUEST, stream=True))
    events = [event for chunk in chunks for event in stream.feed(chunk)] + stream.end()
    for event in events:
        EVENT.validate_python(event, strict=True)
    return events


def accumulated(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the message that the SDK makes of the events."""
    snapshot, buffers = None, dict[int, bytes]()
    for event in events:
        snapshot = accumulate_event(event=EVENT.validate_python(event), current_snapshot=snapshot, json_bufs=buffers)
    assert snapshot is not None
    return snapshot.to_dict()


def plain(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as the SDK keeps it, without absent values."""
    return json.loads(Message.model_validate(message).model_dump_json(exclude_none=True))  # type: ignore[no-any-return]


# -- requests ---------------------------------------------------------------------------------------------------------


def test_a_request_becomes_a_chat_completion() -> None:
    found = to_chat(
        {
            "system": "Be brief",
            "tools": [{**TOOL, "strict": True}],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
            "thinking": {"type": "enabled", "budget_tokens": 8000},
            "metadata": {"user_id": "u"},
            "service_tier": "standard_only",
            "top_k": 5,
            "temperature": 0.5,
            "unknown": 1,
        },
        stream=True,
    )
    assert found.payload == {
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}],
        "max_tokens": 50,
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "d", "parameters": {"type": "object"}, "strict": True},
            }
        ],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "reasoning_effort": "medium",
        "user": "u",
        "service_tier": "default",
        "stop": ["END"],
        "top_k": 5,
        "temperature": 0.5,
        "unknown": 1,
        "stream_options": {"include_usage": True},
    }
    assert (found.output_limit, found.native_only) == (50, "")
    assert found.lost == ["thinking.budget_tokens 8000 sent as reasoning_effort 'medium'"]


def test_turns_become_messages() -> None:
    cached = {"type": "ephemeral"}
    found = to_chat(
        {
            "system": [{"type": "text", "text": "Long", "cache_control": cached}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Where?"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
                        {"type": "image", "source": {"type": "url", "url": "https://a.test/b.png"}},
                        {
                            "type": "document",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
                            "title": "a.pdf",
                        },
                        {
                            "type": "document",
                            "source": {"type": "text", "media_type": "text/plain", "data": "plain"},
                            "title": "Note",
                        },
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Ålesund"}},
                        {"type": "tool_use", "id": "t2", "name": "weather", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "rain"}]},
                        {"type": "tool_result", "tool_use_id": "t2", "content": "none", "is_error": True},
                        {"type": "text", "text": "Well?"},
                    ],
                },
            ],
        }
    )
    assert found.payload["messages"] == [
        {"role": "system", "content": [{"type": "text", "text": "Long", "cache_control": cached}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Where?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                {"type": "image_url", "image_url": {"url": "https://a.test/b.png"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
                {"type": "text", "text": "Note"},
                {"type": "text", "text": "plain"},
            ],
        },
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [tool_call("weather", '{"city": "Ålesund"}', "t1"), tool_call("weather", "{}", "t2")],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "rain"},
        {"role": "tool", "tool_call_id": "t2", "content": "Error: none"},
        {"role": "user", "content": "Well?"},
    ]
    assert [line.split(" of ")[0] for line in found.lost] == ["document", "is_error"]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "'web_search_20250305' is built into"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "'bash_20250124'"),
        ({"container": "c"}, "container: "),
        ({"inference_geo": "eu"}, "inference_geo: "),
        ({"messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]}, "'container_upload'"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}]}, "file_id"),
    ],
)
def test_state_and_built_in_tools_need_a_native_provider(parameters: dict[str, Any], reason: str) -> None:
    assert reason in to_chat(parameters).native_only


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"thinking": {"type": "disabled"}}, "thinking 'disabled' dropped"),
        ({"metadata": {"user_id": "u" * 200}}, "metadata.user_id dropped"),
        ({"speed": "fast"}, "speed dropped"),
        ({"tools": [{**TOOL, "defer_loading": True}]}, "defer_loading of a tool dropped"),
        ({"tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}]}, "cache_control of a tool dropped"),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm", "signature": "s"}]}]},
            "thinking of messages[0] dropped: only Anthropic can read it",
        ),
    ],
)
def test_losses_are_listed(parameters: dict[str, Any], line: str) -> None:
    found = to_chat(parameters)
    assert [one for one in found.lost if one.startswith(line)]
    assert not found.native_only


@pytest.mark.parametrize(
    "payload",
    [
        {"messages": []},
        {"max_tokens": None},
        {"messages": "Hi"},
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use"}]}]},
    ],
)
def test_an_invalid_request_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError, match="Nothing was sent"):
        to_chat(payload)


def test_a_file_of_an_account_pins_it() -> None:
    block = {"type": "document", "source": {"type": "file", "file_id": "file_1@anthropic"}}
    found = conversation({"role": "user", "content": [block]})
    assert found.account == "anthropic"
    assert found.native["messages"][0]["content"][0]["source"]["file_id"] == "file_1"


def test_structured_output_and_effort() -> None:
    config = {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}}
    payload = to_chat({"output_config": config, "thinking": {"type": "adaptive"}}).payload
    assert payload["reasoning_effort"] == "low"
    assert payload["response_format"]["json_schema"]["schema"] == {"type": "object"}


# -- answers ----------------------------------------------------------------------------------------------------------


def test_a_chat_answer_becomes_a_message() -> None:
    made = reply(chat({"content": "It rains", "tool_calls": [tool_call()]}, "tool_calls", citations=["u"]))
    assert (made["id"], made["model"], made["citations"]) == ("msg_1", HEAD["model"], ["u"])
    assert made["content"] == [
        {"type": "text", "text": "It rains"},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Oslo"}},
    ]
    assert made["usage"] == {
        "input_tokens": 6,
        "output_tokens": 7,
        "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 2,
        "output_tokens_details": {"thinking_tokens": 3},
    }


@pytest.mark.parametrize(
    ("reason", "stopped", "expected"),
    [
        ("stop", None, ("end_turn", None)),
        ("length", None, ("max_tokens", None)),
        ("tool_calls", None, ("tool_use", None)),
        ("content_filter", None, ("refusal", None)),
        ("unknown", None, ("end_turn", None)),
        ("stop", "END", ("stop_sequence", "END")),
        ("stop", "pause_turn", ("pause_turn", None)),
        ("stop", "other", ("end_turn", None)),
    ],
)
def test_stop_reasons(reason: str, stopped: str | None, expected: tuple[str, str | None]) -> None:
    body = chat({"content": "a"}, reason)
    body["choices"][0]["stop_reason"] = stopped
    made = reply(body)
    assert (made["stop_reason"], made["stop_sequence"]) == expected


def test_the_events_have_the_order_of_the_sdk() -> None:
    body = chat({"reasoning_content": "Hm", "content": "Rain", "tool_calls": [tool_call(arguments="{}")]}, "tool_calls")
    kinds = [(event["type"], event.get("index")) for event in streamed(chunks_of(body, [9]))]
    assert kinds == [
        ("message_start", None),
        ("content_block_start", 0), ("content_block_delta", 0), ("content_block_delta", 0), ("content_block_stop", 0),
        ("content_block_start", 1), ("content_block_delta", 1), ("content_block_stop", 1),
        ("content_block_start", 2), ("content_block_delta", 2), ("content_block_stop", 2),
        ("message_delta", None), ("message_stop", None),
    ]  # fmt: skip


def test_parallel_calls_come_one_after_the_other() -> None:
    body = chat({"tool_calls": [tool_call(identity="call_1"), tool_call("time", '{"a": 1}', "call_2")]}, "tool_calls")
    chunks = chunks_of(body)
    called = [chunk for chunk in chunks if (chunk["choices"] or [{}])[0].get("delta", {}).get("tool_calls")]
    one, two = ([c for c in called if c["choices"][0]["delta"]["tool_calls"][0]["index"] == index] for index in (0, 1))
    events = streamed([chunks[0], one.pop(0), two.pop(0), *two, *one, *chunks[-2:]])
    assert accumulated(events)["content"] == reply(body)["content"]
    places = [event["index"] for event in events if "index" in event]
    assert places == sorted(places)


@settings(max_examples=25, deadline=None)
@given(answers(), sizes, sizes)
def test_every_split_gives_the_plain_message(body: dict[str, Any], one: list[int], other: list[int]) -> None:
    expected = plain(reply(body))
    for split in (one, other):
        assert plain(accumulated(streamed(chunks_of(body, split)))) == expected


def test_an_interruption_is_an_error_event() -> None:
    stream = MESSAGES.stream(call_of("messages", REQUEST, stream=True))
    assert stream.fail(RateLimitError("Too many.", status=429)) == [
        {"type": "error", "error": {"type": "rate_limit_error", "message": "Too many."}}
    ]


# -- conversations ----------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(answers())
def test_an_answer_returns_as_the_same_message(body: dict[str, Any]) -> None:
    """The content of a message, sent back, gives the message of the vendor with its own fields."""
    content = reply(body)["content"]
    if not content:
        return
    found = conversation({"role": "user", "content": "Hi"}, {"role": "assistant", "content": content})
    message = {name: value for name, value in body["choices"][0]["message"].items() if value not in (None, "")}
    text = (message.get("content") or "") + (message.pop("refusal", None) or "")  # the format has one text
    message |= {"content": text} if text else {}
    back = {name: value for name, value in found.payload["messages"][1].items() if value not in (None, "")}
    for call in (*message.get("tool_calls", ()), *back.get("tool_calls", ())):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])  # the format has objects
    assert back == message
    assert found.lost == []


def test_fields_of_a_vendor_return_to_it() -> None:
    call = tool_call(extra_content={"google": {"thought_signature": "s"}})
    message = {"content": None, "tool_calls": [call], "connector": "google.gemini.v1"}
    body = chat(message, "tool_calls")
    content = accumulated(streamed(chunks_of(body)))["content"]
    assert content == reply(body)["content"]
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "rain"}]}
    found = conversation({"role": "assistant", "content": content}, result)
    assert found.payload["messages"][0] == {"role": "assistant", **message}
    assert [block["type"] for block in found.native["messages"][0]["content"]] == ["tool_use"]


def test_token_counts_are_estimates() -> None:
    found = estimated_tokens(
        call_of("messages", {"messages": [{"role": "user", "content": "word " * 100}], "system": "Be brief"})
    )
    assert found["estimated"] is True
    assert 100 < found["input_tokens"] < 200

"""Responses API ↔ chat completions, validated with the types of the openai package."""

from __future__ import annotations

from typing import Any

import pytest
from chats import HEAD, USAGE, answers, call_of, chat, chunks_of, sizes, tool_call
from hypothesis import given, settings
from openai._types import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from modelmesh._engine.translation import TRANSLATIONS
from modelmesh.errors import BadRequestError, StreamInterruptedError

RESPONSES = TRANSLATIONS["responses"]
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
REQUEST = {
    "input": "Hi",
    "instructions": "Be brief",
    "tools": [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": True}],
    "tool_choice": "required",
    "metadata": {"a": "b"},
    "max_output_tokens": 50,
    "reasoning": {"effort": "low"},
    "temperature": 0.5,
    "text": {"verbosity": "low"},
}


def to_chat(payload: dict[str, Any], **options: Any) -> Any:
    return RESPONSES.to_chat(call_of("responses", payload, **options))


def streamed(body: dict[str, Any], split: list[int] | None = None, request: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the events of a chat answer, each validated with the SDK's types."""
    stream = RESPONSES.stream(call_of("responses", request or REQUEST, stream=True))
    events = [event for chunk in chunks_of(body, split) for event in stream.feed(chunk)] + stream.end()
    for event in events:
        EVENT.validate_python(event, strict=True)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


# -- requests ---------------------------------------------------------------------------------------------------------


def test_a_request_becomes_a_chat_completion() -> None:
    found = to_chat({**REQUEST, "top_logprobs": 2, "unknown": 1, "user": None})
    assert found.payload == {
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}, "strict": True}}],
        "tool_choice": "required",
        "max_tokens": 50,
        "reasoning_effort": "low",
        "temperature": 0.5,
        "verbosity": "low",
        "logprobs": True,
        "top_logprobs": 2,
        "unknown": 1,
    }
    assert (found.output_limit, found.native_only, found.account) == (50, "", None)
    assert found.lost == ["metadata dropped: only the response contains it"]


def test_items_become_messages() -> None:
    schema = {"type": "json_schema", "name": "city", "schema": {"type": "object"}, "strict": True}
    found = to_chat(
        {
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "Where?"},
                        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
                        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
                        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
                    ],
                },
                {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}", "id": "fc_1"},
                {"type": "function_call", "call_id": "call_2", "name": "time", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
                {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "noon"}]},
                {
                    "type": "message",
                    "id": "msg_1",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "Rain.", "annotations": []}],
                },
                {"role": "developer", "content": "Be kind"},
            ],
            "text": {"format": schema},
            "tool_choice": {"type": "function", "name": "weather"},
            "tools": [{"type": "custom", "name": "run", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}],
        },
        stream=True,
    )
    assert found.payload == {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Where?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
                    {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
                    {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [tool_call("weather", "{}", "call_1"), tool_call("time", "{}", "call_2")],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
            {"role": "assistant", "content": "Rain."},
            {"role": "developer", "content": "Be kind"},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "city", "schema": {"type": "object"}, "strict": True},
        },
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "tools": [
            {
                "type": "custom",
                "custom": {"name": "run", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}},
            }
        ],
        "stream_options": {"include_usage": True},
    }
    assert found.lost == []


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"tools": [{"type": "web_search"}]}, "'web_search' is built into"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "'mcp' is built into"),
        ({"tools": [{"type": "code_interpreter", "container": "c"}]}, "'code_interpreter'"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice: 'file_search'"),
        ({"background": True}, "background: "),
        ({"previous_response_id": "resp_1"}, "previous_response_id: "),
        ({"conversation": "conv_1"}, "conversation: "),
        ({"prompt": {"id": "pmpt_1"}}, "prompt: "),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]: the item of a reference"),
        ({"input": [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}]}, "encrypted the reasoning"),
        ({"input": [{"type": "computer_call_output", "call_id": "c", "output": {}}]}, "'computer_call_output'"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file-1"}]}]}, "input_image.file_id"),
    ],
)
def test_state_and_built_in_tools_need_a_native_provider(parameters: dict[str, Any], reason: str) -> None:
    assert reason in to_chat({"input": "Hi", **parameters}).native_only


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"store": True}, "store dropped"),
        ({"truncation": "auto"}, "truncation dropped"),
        ({"max_tool_calls": 3}, "max_tool_calls dropped"),
        ({"reasoning": {"summary": "auto"}}, "reasoning.summary dropped"),
        ({"include": ["reasoning.encrypted_content"]}, "include 'reasoning.encrypted_content' dropped"),
        (
            {"input": [{"role": "user", "content": "a"}, {"type": "reasoning", "id": "rs_1", "summary": []}]},
            "reasoning of input[1]",
        ),
        ({"tools": [{"type": "function", "name": "a", "defer_loading": True}]}, "defer_loading of a tool dropped"),
    ],
)
def test_losses_are_listed(parameters: dict[str, Any], line: str) -> None:
    found = to_chat({"input": "Hi", **parameters})
    assert [one for one in found.lost if one.startswith(line)]
    assert not found.native_only


def test_a_qualified_id_pins_the_account_and_is_sent_without_it() -> None:
    found = to_chat({"input": "Hi", "previous_response_id": "resp_1@openai"})
    assert (found.account, found.native["previous_response_id"]) == ("openai", "resp_1")
    part = {"type": "input_file", "file_id": "file-1@azure"}
    found = to_chat({"input": [{"role": "user", "content": [part]}]})
    assert (found.account, found.native["input"][0]["content"]) == ("azure", [{"type": "input_file", "file_id": "file-1"}])
    with pytest.raises(BadRequestError, match="'azure', other state of the request to 'openai'"):
        to_chat({"input": [{"role": "user", "content": [part]}], "previous_response_id": "resp_1@openai"})


@pytest.mark.parametrize("payload", [{}, {"input": []}, {"input": 3}, {"input": [3]}, {"input": [{"type": "function_call"}]}])
def test_an_invalid_request_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError, match="Nothing was sent"):
        to_chat(payload)


# -- answers ----------------------------------------------------------------------------------------------------------


def test_a_chat_answer_becomes_a_response() -> None:
    citation = {"start_index": 0, "end_index": 2, "title": "t", "url": "u"}
    body = chat(
        {"content": "It rains", "annotations": [{"type": "url_citation", "url_citation": citation}], "tool_calls": [tool_call()]},
        "tool_calls",
        citations=["u"],
    )
    body["choices"][0]["logprobs"] = {"content": [{"token": "It", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
    made = RESPONSES.from_chat(body, call_of("responses", REQUEST))
    found = Response.model_validate(made, strict=True)
    assert (found.id, found.model, found.created_at) == ("resp_mesh_1", HEAD["model"], HEAD["created"])
    assert (found.status, found.output_text, found.instructions) == ("completed", "It rains", "Be brief")
    assert made["citations"] == ["u"]
    text, call = found.output
    assert text.content[0].annotations[0].model_dump() == {"type": "url_citation", **citation}  # type: ignore[union-attr]
    assert text.content[0].logprobs[0].token == "It"  # type: ignore[union-attr,index]
    assert (call.type, call.call_id, call.arguments) == ("function_call", "call_1", '{"city": "Oslo"}')
    assert found.usage is not None
    assert (found.usage.input_tokens, found.usage.output_tokens, found.usage.total_tokens) == (12, 7, 19)
    assert (found.usage.input_tokens_details.cached_tokens, found.usage.output_tokens_details.reasoning_tokens) == (4, 3)


@pytest.mark.parametrize(("reason", "cause"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_a_truncated_answer_is_incomplete(reason: str, cause: str) -> None:
    made = RESPONSES.from_chat(chat({"content": "It r"}, reason, None), call_of("responses", REQUEST))
    assert (made["status"], made["incomplete_details"], made["usage"]) == ("incomplete", {"reason": cause}, None)
    assert made["output"][-1]["status"] == "incomplete"
    assert streamed(chat({"content": "It r"}, reason))[-1]["type"] == "response.incomplete"


def test_the_events_have_the_order_of_the_sdk() -> None:
    body = chat({"reasoning_content": "Hm", "content": "Rain", "tool_calls": [tool_call(arguments="{}")]}, "tool_calls")
    assert [event["type"].removeprefix("response.") for event in streamed(body, [9])] == [
        "created", "in_progress",
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done",
        "output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done", "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
        "completed",
    ]  # fmt: skip


def test_an_interrupted_stream_fails_with_the_output_so_far() -> None:
    stream = RESPONSES.stream(call_of("responses", REQUEST, stream=True))
    chunks = chunks_of(chat({"content": "It rains"}))
    events = [event for chunk in chunks[:3] for event in stream.feed(chunk)] + stream.fail(
        StreamInterruptedError("The stream broke.")
    )
    for event in events:
        EVENT.validate_python(event, strict=True)
    failed, error = events[-2:]
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    assert failed["response"]["output"][0]["content"][0]["text"] == "It rai"
    assert (error["type"], error["error"]["message"]) == ("error", "The stream broke.")


def test_a_custom_tool_call_is_streamed() -> None:
    call = {"id": "call_1", "type": "custom", "custom": {"name": "run", "input": "ls -l"}}
    body = chat({"tool_calls": [call]}, "tool_calls")
    final = streamed(body)[-1]["response"]
    assert final == RESPONSES.from_chat(body, call_of("responses", REQUEST))
    assert (final["output"][0]["type"], final["output"][0]["input"]) == ("custom_tool_call", "ls -l")


def test_parallel_calls_may_be_interleaved() -> None:
    body = chat({"tool_calls": [tool_call(identity="call_1"), tool_call("time", '{"a": 1}', "call_2")]}, "tool_calls")
    chunks = chunks_of(body)
    begins = [chunk for chunk in chunks if (chunk["choices"] or [{}])[0].get("delta", {}).get("tool_calls")]
    one, two = ([c for c in begins if c["choices"][0]["delta"]["tool_calls"][0]["index"] == index] for index in (0, 1))
    mixed = [one.pop(0), two.pop(0), *two, *one]
    stream = RESPONSES.stream(call_of("responses", REQUEST, stream=True))
    order = [chunks[0], *mixed, *chunks[-2:]]
    events = [event for chunk in order for event in stream.feed(chunk)] + stream.end()
    assert events[-1]["response"] == RESPONSES.from_chat(body, call_of("responses", REQUEST))


@settings(max_examples=25, deadline=None)
@given(answers(), sizes, sizes)
def test_every_split_gives_the_plain_response(body: dict[str, Any], one: list[int], other: list[int]) -> None:
    plain = RESPONSES.from_chat(body, call_of("responses", REQUEST))
    Response.model_validate(plain, strict=True)
    events = streamed(body, one)
    assert events[-1]["response"] == plain
    assert streamed(body, other)[-1]["response"] == plain
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in events:
        state.handle_event(EVENT.validate_python(event))
    if plain["status"] == "completed":
        assert state._completed_response is not None
        assert state._completed_response.output_text == Response.model_validate(plain).output_text


# -- conversations ----------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(answers())
def test_an_answer_returns_as_the_same_message(body: dict[str, Any]) -> None:
    """The output of a response, sent as input, gives the message of the vendor with its own fields."""
    output = RESPONSES.from_chat(body, call_of("responses", REQUEST))["output"]
    found = to_chat({"input": [{"role": "user", "content": "Hi"}, *output]})
    message = {name: value for name, value in body["choices"][0]["message"].items() if value not in (None, "")}
    back = {name: value for name, value in found.payload["messages"][1].items() if value not in (None, "")}
    if isinstance(back.get("content"), list):  # text and refusal are two parts of one message
        parts = {part["type"]: part for part in back.pop("content")}
        back |= {"content": parts["text"]["text"], "refusal": parts["refusal"]["refusal"]}
    assert back == message
    assert found.lost == []


def test_fields_of_a_vendor_return_to_it() -> None:
    call = tool_call(extra_content={"google": {"thought_signature": "s"}})
    message = {"content": None, "tool_calls": [call], "connector": "google.gemini.v1", "images": [{"type": "image", "url": "u"}]}
    body = chat(message, "tool_calls")
    final = streamed(body)[-1]["response"]
    assert final == RESPONSES.from_chat(body, call_of("responses", REQUEST))
    found = to_chat({"input": [*final["output"], {"type": "function_call_output", "call_id": "call_1", "output": "rain"}]})
    assert found.payload["messages"][0] == {"role": "assistant", **message}
    kinds = [item["type"] for item in found.native["input"]]
    assert kinds == ["function_call", "function_call_output"]
    assert "id" not in found.native["input"][0]


def test_a_translated_response_is_no_previous_response() -> None:
    made = RESPONSES.from_chat(chat({"content": "Hi"}), call_of("responses", REQUEST))
    with pytest.raises(BadRequestError, match="translated from a chat completion"):
        to_chat({"input": "Hi", "previous_response_id": made["id"]})


def test_unreported_usage_is_unknown() -> None:
    assert RESPONSES.from_chat(chat({"content": "Hi"}, usage=None), call_of("responses", REQUEST))["usage"] is None
    assert USAGE["total_tokens"] == streamed(chat({"content": "Hi"}))[-1]["response"]["usage"]["total_tokens"]

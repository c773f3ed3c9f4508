"""Tests of requests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import pytest

from modelmesh.contracts import CHAT
from modelmesh_cdk.message_rules import Blank, is_neutral
from modelmesh_cdk.testing.callers import MODEL, Caller
from modelmesh_cdk.testing.dialects.samples import CALLS, WORDS, text_answer, text_chunks
from modelmesh_cdk.testing.provider.subject import Subject
from modelmesh_cdk.testing.upstream import Upstream

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
PIXEL = "data:image/png;base64,iVBORw0KGgo="


class Requests(Subject):
    """Everything in the call arrives at the vendor, and nothing else."""

    def received_chat(self, ask: Caller, upstream: Upstream, **payload: Any) -> dict[str, Any]:
        """Return the chat that the vendor received for these parameters."""
        self.reply(upstream, text_answer())
        ask.adapted = tuple(ask.answer(payload).adapted)
        return self.wire.read_chat(upstream.last)

    def expected_values(self, upstream: Upstream, **parameters: Any) -> dict[str, Any]:
        """Return the values that these parameters have in the latest request."""
        return {name: self.wire.expected_value(name, value, upstream.last) for name, value in parameters.items()}

    def check_arrival(self, ask: Caller, upstream: Upstream, **parameters: Any) -> dict[str, Any]:
        """Send these parameters. Each arrives unchanged, or in the nearest form of the format with a note."""
        question = self.received_chat(ask, upstream, **parameters)
        expected = self.expected_values(upstream, **parameters)
        rules = getattr(self.provider_class, "message_rules", None)
        refused = () if rules is None else rules.unsupported
        missing = [name for name in parameters if name not in question]
        expected |= {name: None for name in missing if name in refused or is_neutral(name, parameters[name])}
        assert {name: question.get(name) for name in parameters} == expected
        changed = [name for name, value in parameters.items() if expected[name] != value and not is_neutral(name, value)]
        assert [name for name in changed if not is_noted(name, ask.adapted)] == [], f"not noted as adapted: {ask.adapted}"
        return question

    @pytest.mark.parametrize("spelling", ["{host}", "{host}/", "{host}{root}", "{host}{root}/", "{host}/gateway{root}"])
    def test_request_url_has_one_version(self, spelling: str, upstream: Upstream) -> None:
        """For every spelling of the base URL, a chat is one POST to one path that contains the version once."""
        address = spelling.format(host=upstream.url, root=self.root)
        self.reply(upstream, text_answer())
        with Caller(self.make(upstream, base_url=address), in_task=False) as ask:
            ask.answer()
        gateway = "/gateway" if "/gateway" in spelling else ""
        paths = [(received.method, received.path) for received in upstream.received]
        assert paths == [("POST", f"{gateway}{self.root}{self.wire.path(CHAT.name, MODEL)}")], (
            f"{paths} for the base URL {address}"
        )

    def test_request_names_the_model(self, ask: Caller, upstream: Upstream) -> None:
        """The request names the model that ``send`` received."""
        self.reply(upstream, text_answer())
        ask.answer(model="vendor/other-model:1")
        assert self.wire.read_chat(upstream.last)["model"] == "vendor/other-model:1"

    def test_request_messages_arrive(self, ask: Caller, upstream: Upstream) -> None:
        """Every message arrives unchanged: order, role, text in any script."""
        messages = [
            {"role": "system", "content": "Réponds en français."},
            {"role": "user", "content": "".join(WORDS)},
            {"role": "assistant", "content": "שלום \u0000 \u2028"},
            {"role": "user", "content": "Why?"},
        ]
        assert self.received_chat(ask, upstream, messages=messages)["messages"] == messages

    def test_request_parameters_arrive(self, ask: Caller, upstream: Upstream) -> None:
        """The usual parameters arrive with their values. An unsupported parameter is noted as dropped."""
        parameters = {"temperature": 0.7, "top_p": 0.9, "max_completion_tokens": 64, "stop": ["\n\n", "END"], "seed": 7}
        self.check_arrival(ask, upstream, **parameters)

    def test_request_keeps_zero(self, ask: Caller, upstream: Upstream) -> None:
        """Zero is a value: temperature 0 is not the default temperature."""
        self.check_arrival(ask, upstream, temperature=0, top_p=0.0, seed=0)

    def test_request_adds_no_parameter(self, ask: Caller, upstream: Upstream) -> None:
        """A parameter that the caller omits is not sent. One that the vendor requires is added and noted."""
        question = self.received_chat(ask, upstream)
        assert set(question) - {"stream"} == {"model", "messages", *self.wire.required_parameters}
        assert len(ask.adapted) == len(self.wire.required_parameters), (
            f"added {set(self.wire.required_parameters)}, noted {ask.adapted}"
        )
        assert not question.get("stream"), "the answer was not to be streamed"

    def test_request_keeps_empty_values(self, ask: Caller, upstream: Upstream) -> None:
        """Empty text and ``False`` are values where the vendor accepts them. A value that requests the default may be dropped."""
        rules = getattr(self.provider_class, "message_rules", None)
        accepted = rules is None or rules.blank.get("user", Blank.KEEP) is Blank.KEEP
        messages = [{"role": "user", "content": "" if accepted else "Hello"}]
        question = self.check_arrival(ask, upstream, messages=messages, stop=[], logprobs=False, user="")
        assert question["messages"] == self.wire.expected_value("messages", messages, upstream.last)

    def test_request_unknown_parameters_arrive(self, ask: Caller, upstream: Upstream) -> None:
        """A parameter that the connector does not know reaches the vendor."""
        invented = {"deep": [1, {"nested": None}], "text": "ü"}
        assert self.received_chat(ask, upstream, a_parameter_of_tomorrow=invented).get("a_parameter_of_tomorrow") == invented

    def test_request_extra_headers_arrive(self, ask: Caller, upstream: Upstream) -> None:
        """The caller's extra headers are sent."""
        self.require("supports_extra_headers")
        self.reply(upstream, text_answer())
        ask.answer(headers={"X-Of-The-Caller": "test"})
        assert upstream.last.headers.get("x-of-the-caller") == "test"

    def test_request_body_is_json(self, ask: Caller, upstream: Upstream) -> None:
        """The body and its content type are JSON."""
        self.received_chat(ask, upstream)
        kind = upstream.last.headers.get("content-type", "")
        assert re.match(r"application/json\b", kind), kind
        assert isinstance(upstream.last.json, dict)

    def test_call_is_not_changed(self, ask: Caller, upstream: Upstream) -> None:
        """The connector does not modify the call, because other attempts share it."""
        self.received_chat(ask, upstream, temperature=0.5, tools=[TOOL], metadata={"a": ["b"]})
        assert ask.call.payload == ask.sent

    def test_request_for_stream_differs_only_in_stream(self, ask: Caller, upstream: Upstream) -> None:
        """A streamed request equals one without a stream, except for the stream parameters."""
        self.stream_reply(upstream, text_chunks())
        ask.chunks({"temperature": 0, "a_parameter_of_tomorrow": 1})
        question = self.wire.read_chat(upstream.last)
        assert question.get("stream") is True
        arrived = {name: question.get(name) for name in ("model", "messages", "temperature", "a_parameter_of_tomorrow")}
        assert arrived == {"model": MODEL, **self.expected_values(upstream, **ask.sent)}

    def test_request_tools_arrive(self, ask: Caller, upstream: Upstream) -> None:
        """Tools and the tool choice arrive complete."""
        self.require("supports_tools")
        choice = {"type": "function", "function": {"name": "weather"}}
        question = self.received_chat(ask, upstream, tools=[TOOL], tool_choice=choice)
        assert (question.get("tools"), question.get("tool_choice")) == ([TOOL], choice)

    @pytest.mark.parametrize("text", [None, "I look."], ids=["silent", "said"])
    def test_request_tool_results_arrive(self, text: str | None, ask: Caller, upstream: Upstream) -> None:
        """Tool calls, the text next to them, and each result with its call ID arrive."""
        self.require("supports_tools")
        messages: list[dict[str, Any]] = [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": text, "tool_calls": [dict(call) for call in CALLS]},
            *({"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['id']}"} for call in CALLS),
        ]
        arrived = [_without_blanks(one) for one in self.received_chat(ask, upstream, messages=messages, tools=[TOOL])["messages"]]
        spelled = {call["id"]: sent.get("id") for call, sent in zip(CALLS, arrived[1].get("tool_calls") or (), strict=False)}
        if any(given != sent for given, sent in spelled.items()):
            assert is_noted("IDs", ask.adapted), f"IDs of calls arrive as {spelled}, and that is not noted: {ask.adapted}"
        assert arrived == _respelled(messages, spelled)

    def test_request_images_arrive(self, ask: Caller, upstream: Upstream) -> None:
        """An image arrives between its texts, byte for byte."""
        self.require("supports_images")
        parts = [
            {"type": "text", "text": "What is"},
            {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
            {"type": "text", "text": "this?"},
        ]
        arrived = self.received_chat(ask, upstream, messages=[{"role": "user", "content": parts}])["messages"][0]["content"]
        if self.wire.expected_value("image_url.detail", "low", upstream.last) is None:
            assert is_noted("image_url.detail", ask.adapted), f"the detail is lost and not noted: {ask.adapted}"
            parts[1] = {"type": "image_url", "image_url": {"url": PIXEL}}
        assert arrived == parts

    def test_request_json_schema_arrives(self, ask: Caller, upstream: Upstream) -> None:
        """The schema of the response arrives complete, with its name and ``strict`` where the format has them."""
        self.require("supports_json_schema")
        schema = {"name": "city", "strict": True, "schema": TOOL["function"]["parameters"]}  # type: ignore[index]
        wanted = {"type": "json_schema", "json_schema": schema}
        arrived = self.received_chat(ask, upstream, response_format=wanted).get("response_format")
        kept = {
            name: value
            for name, value in schema.items()
            if self.wire.expected_value(f"response_format.json_schema.{name}", value, upstream.last) is not None
        }
        assert arrived == {**wanted, "json_schema": kept}


def _without_blanks(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without blank vendor fields, and with ``None`` for missing text next to tool calls."""
    known = ("role", "content", "tool_calls", "tool_call_id")
    kept = {name: value for name, value in message.items() if name in known or not isinstance(value, str) or value.strip()}
    return {**kept, "content": kept.get("content") or None} if kept.get("tool_calls") else kept


def _respelled(messages: list[dict[str, Any]], spelled: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a conversation with tool-call IDs in another spelling, in calls and results."""
    found = deepcopy(messages)
    for call in (call for message in found for call in message.get("tool_calls") or ()):
        call["id"] = spelled.get(call["id"])
    for message in found:
        if "tool_call_id" in message:
            message["tool_call_id"] = spelled.get(message["tool_call_id"])
    return found


def is_noted(name: str, adapted: Sequence[str]) -> bool:
    """Return whether an adaptation note mentions a parameter."""
    return any(re.search(rf"\b{name.rpartition('.')[2]}\b", note) for note in adapted)

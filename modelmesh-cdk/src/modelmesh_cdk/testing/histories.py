"""Conversations of real applications: saved by other frameworks, started at other vendors, or interrupted.

A text that must reach the vendor contains a word of the form ``say-…``. A key without meaning for a model contains a word of
the form ``own-…``, and a note must name the key if the word does not arrive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

USER: Mapping[str, Any] = {"role": "user", "content": "say-hello"}
_CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS: Sequence[Mapping[str, Any]] = [{"type": "function", "function": {"name": "weather", "parameters": _CITY}}]
PNG = "iVBORw0KGgo="


@frozen
class History:
    """A conversation.

    Attributes:
        name: What is special about it.
        messages: The messages.
        parameters: Further parameters of the request.
        may_refuse: Whether a vendor may lack a requested feature, such as images, and may reject the request before it is sent.
        has_no_effect: Whether its special values have no effect, so that a strict request is also sent.
    """

    name: str
    messages: Sequence[Any]
    parameters: Mapping[str, Any] = field(factory=dict)
    may_refuse: bool = False
    has_no_effect: bool = False


def called(*, arguments: Any = '{"city": "say-Oslo"}', given: Any = "call_1", **more: Any) -> dict[str, Any]:
    """Return an assistant message that calls a tool."""
    call = {"id": given, "type": "function", "function": {"name": "weather", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call], **more}


def result(text: Any = "say-rain", given: Any = "call_1", **more: Any) -> dict[str, Any]:
    """Return the result of a tool call."""
    return {"role": "tool", "tool_call_id": given, "content": text, **more}


def assistant(text: Any, **more: Any) -> dict[str, Any]:
    """Return an assistant message."""
    return {"role": "assistant", "content": text, **more}


_WITH_TOOLS: Mapping[str, Any] = {"tools": TOOLS}

HISTORIES: Sequence[History] = (
    History("the role developer", [{"role": "developer", "content": "say-brief"}, USER]),
    History("roles of other frameworks", [{"role": "human", "content": "say-one"}, {"role": "ai", "content": "say-two"}, USER]),
    History(
        "keys of other frameworks",
        [
            {**USER, "metadata": {"title": "own-title"}, "timestamp": "own-time"},
            assistant("say-hi", id="own-id", options=None, status="own-status"),
            USER,
        ],
    ),
    History(
        "keys that say nothing",
        [
            {**USER, "name": None},
            assistant("say-hi", tool_calls=None, refusal=None, annotations=[], audio=None, function_call=None),
            assistant("say-more", tool_calls=[]),
            USER,
        ],
    ),
    History("fields of other vendors", [USER, assistant("say-hi", reasoning_content="own-thought", prefix=False), USER]),
    History(
        "blank messages",
        [USER, assistant(""), USER, assistant(" \n"), {"role": "user", "content": "  "}, assistant("say-hi"), USER],
    ),
    History("blank content", [{"role": "user", "content": ""}, assistant(None), {"role": "user", "content": []}, USER]),
    History(
        "blank parts",
        [
            {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "say-part"}]},
            assistant("say-hi"),
            USER,
        ],
    ),
    History("blank text next to a call", [USER, {**called(), "content": "\n\n"}, result()], _WITH_TOOLS),
    History("no content next to a call", [USER, {k: v for k, v in called().items() if k != "content"}, result()], _WITH_TOOLS),
    History("an empty result", [USER, called(), result("")], _WITH_TOOLS),
    History("a result in parts", [USER, called(), result([{"type": "text", "text": "say-rain"}])], _WITH_TOOLS),
    History("a user after a result", [USER, called(), result(), {"role": "user", "content": "say-next"}], _WITH_TOOLS),
    History(
        "a system message after a result",
        [USER, called(), result(), {"role": "system", "content": "say-rule"}, USER],
        _WITH_TOOLS,
    ),
    History("the assistant is last", [USER, assistant("say-begun")]),
    History("the assistant is first", [assistant("say-welcome"), USER]),
    History(
        "the same role twice", [USER, {"role": "user", "content": "say-twice"}, assistant("say-a"), assistant("say-b"), USER]
    ),
    History("a late system message", [USER, assistant("say-hi"), {"role": "system", "content": "say-late"}, USER]),
    History("only a system message", [{"role": "system", "content": "say-alone"}]),
    History("arguments that are an object", [USER, called(arguments={"city": "say-Rome"}), result()], _WITH_TOOLS),
    History("arguments that were cut", [USER, called(arguments='{"city": "say-Ro'), result()], _WITH_TOOLS),
    History("no arguments", [USER, called(arguments=""), result()], _WITH_TOOLS),
    History("arguments that are a list", [USER, called(arguments='["say-Rome"]'), result()], _WITH_TOOLS),
    History("a call without a result", [USER, called(), {"role": "user", "content": "say-next"}], _WITH_TOOLS),
    History("a call at the end", [USER, called()], _WITH_TOOLS),
    History("a result without a call", [USER, assistant("say-hi"), result("say-lost", "call_9"), USER], _WITH_TOOLS),
    History("a result that comes late", [USER, called(), {"role": "user", "content": "say-next"}, result()], _WITH_TOOLS),
    History("no IDs", [USER, called(given=None), result(given=None)], _WITH_TOOLS),
    History("a long ID", [USER, called(given="call|" + "x" * 60), result(given="call|" + "x" * 60)], _WITH_TOOLS),
    History(
        "one ID twice",
        [USER, called(), result("say-first"), assistant("say-ok"), USER, called(), result("say-second")],
        _WITH_TOOLS,
    ),
    History("names", [{**USER, "name": "own-Ada Lovelace"}, assistant("say-hi", name="own-bot"), USER]),
    History(
        "a tool with a point in its name",
        [
            USER,
            assistant(
                None, tool_calls=[{"id": "call_1", "type": "function", "function": {"name": "mcp.weather", "arguments": "{}"}}]
            ),
            result(),
        ],
        _WITH_TOOLS,
    ),
    History(
        "functions before tools",
        [
            USER,
            assistant(None, function_call={"name": "weather", "arguments": '{"city": "say-Oslo"}'}),
            {"role": "function", "name": "weather", "content": "say-rain"},
        ],
        _WITH_TOOLS,
    ),
    History("a refusal", [USER, assistant(None, refusal="say-no"), USER]),
    History(
        "blocks of Anthropic",
        [
            USER,
            assistant(
                [
                    {"type": "thinking", "thinking": "own-thinking", "signature": "own-signature"},
                    {"type": "text", "text": "say-look"},
                    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "say-Oslo"}},
                ]
            ),
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "say-rain"}]},
                    {"type": "text", "text": "say-next"},
                ],
            },
        ],
        _WITH_TOOLS,
    ),
    History(
        "items of the Responses API",
        [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "say-question"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "own-sealed"},
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city": "say-Oslo"}', "id": "fc_1"},
            {"type": "function_call", "call_id": "call_2", "name": "weather", "arguments": '{"city": "say-Rome"}', "id": "fc_2"},
            {"type": "function_call_output", "call_id": "call_1", "output": "say-rain"},
            {"type": "function_call_output", "call_id": "call_2", "output": "say-sun"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "say-done", "annotations": []}]},
            {"role": "user", "content": "say-thanks"},
        ],
        _WITH_TOOLS,
    ),
    History(
        "messages of LangChain",
        [
            {"type": "system", "content": "say-brief", "additional_kwargs": {}},
            {"type": "human", "data": {"content": "say-question", "additional_kwargs": {}, "type": "human"}},
            {
                "type": "ai",
                "content": "",
                "tool_calls": [{"name": "weather", "args": {"city": "say-Oslo"}, "id": "lc_1", "type": "tool_call"}],
            },
            {"type": "tool", "content": "say-rain", "tool_call_id": "lc_1", "status": "success"},
            {"type": "human", "content": "say-next"},
        ],
        _WITH_TOOLS,
    ),
    History(
        "contents of Gemini",
        [
            {"role": "user", "parts": [{"text": "say-question"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "say-Oslo"}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"result": "say-rain"}}}]},
            {"role": "model", "parts": [{"text": "say-answer"}]},
            USER,
        ],
        _WITH_TOOLS,
    ),
    History(
        "messages of LibreChat",
        [
            {"sender": "User", "text": "say-question", "isCreatedByUser": True, "messageId": "m1"},
            {"sender": "Bot", "text": "say-answer", "isCreatedByUser": False, "messageId": "m2"},
            USER,
        ],
    ),
    History(
        "an image with the wrong media type",
        [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": f"data:image/jpg;base64,{PNG}"}},
                    {"type": "text", "text": "say-what"},
                ],
            }
        ],
        may_refuse=True,
    ),
    History(
        "an image in a result",
        [
            USER,
            called(),
            result(
                [
                    {"type": "text", "text": "say-shot"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                ]
            ),
        ],
        _WITH_TOOLS,
        may_refuse=True,
    ),
    *(
        History(
            f"a part of type {part['type']}",
            [{"role": "user", "content": [part, {"type": "text", "text": "say-what"}]}],
            may_refuse=True,
        )
        for part in (
            {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
            {"type": "document_url", "document_url": "https://example.com/a.pdf"},
            {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
            {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PHN2Zz4="}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        )
    ),
    History("blank stop sequences", [USER], {"stop": ["", "\n", "END"]}),
    History("many stop sequences", [USER], {"stop": list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}),
    History("parameters out of range", [USER], {"temperature": 2.5, "top_p": 1.5}, may_refuse=True),
    History(
        "parameters that say nothing",
        [USER],
        {"n": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": False, "tools": [], "stop": [], "logit_bias": {}},
        has_no_effect=True,
    ),
    History(
        "keys that say nothing, strictly",
        [USER, assistant("say-hi", tool_calls=[], refusal=None, annotations=[]), USER],
        has_no_effect=True,
    ),
)

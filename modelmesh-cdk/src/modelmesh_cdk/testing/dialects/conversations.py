"""Conversations of saved histories, other vendors and other frameworks. OpenAI's format can express each of them.

A provider must send each of them in a form that its vendor accepts, or raise a ``capability`` error before it sends anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

USER = {"role": "user", "content": "Weather in Oslo?"}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
PNG, JPEG, GIF = "iVBORw0KGgoAAAANSUhEUg==", "/9j/4AAQSkZJRgABAQ==", "R0lGODlhAQABAIAAAA=="


def _call(given: Any = "call_1", arguments: Any = '{"city": "Oslo"}', **more: Any) -> dict[str, Any]:
    return {"id": given, "type": "function", "function": {"name": "weather", "arguments": arguments}, **more}


def _asks(*calls: dict[str, Any], content: Any = None, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": list(calls), **more}


def _result(content: Any = "rain", given: Any = "call_1", **more: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": given, "content": content, **more}


def _assistant(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def _image(kind: str, data: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}


def _user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


_HI = {"type": "text", "text": "Hi"}
_TALK = [USER, _assistant("Rain."), USER]

CONVERSATIONS: Mapping[str, Mapping[str, Any]] = {
    "empty question": {"messages": [{"role": "user", "content": ""}]},
    "blank question": {"messages": [{"role": "user", "content": " \n\t"}]},
    "no content": {"messages": [{"role": "user", "content": None}]},
    "no parts": {"messages": [{"role": "user", "content": []}]},
    "blank part beside another": {"messages": [_user({"type": "text", "text": ""}, _HI, {"type": "text", "text": " "})]},
    "only blank parts": {"messages": [_user({"type": "text", "text": ""}, {"type": "text", "text": " "})]},
    "null text of a part": {"messages": [_user({"type": "text", "text": None}, _HI)]},
    "part that is text": {"messages": [{"role": "user", "content": ["Hi", _HI]}]},
    "blank answer": {"messages": [USER, _assistant(" "), USER]},
    "answer of null": {"messages": [USER, _assistant(None), USER]},
    "answer without parts": {"messages": [USER, _assistant([]), USER]},
    "answer of blank parts": {"messages": [USER, _assistant([{"type": "text", "text": ""}]), USER]},
    "only a blank answer": {"messages": [_assistant("")]},
    "answer that is begun": {"messages": [USER, _assistant("Sure: ")]},
    "answer that is begun in parts": {"messages": [USER, _assistant([{"type": "text", "text": "Sure:\n"}])]},
    "assistant begins": {"messages": [_assistant("How can I help?"), USER]},
    "only a system message": {"messages": [{"role": "system", "content": "Write a line about rain."}]},
    "only system messages": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Rain."}]},
    "only a blank system message": {"messages": [{"role": "system", "content": " "}]},
    "blank system message": {"messages": [{"role": "system", "content": ""}, USER]},
    "system message in parts": {"messages": [{"role": "system", "content": [_HI, {"type": "text", "text": ""}]}, USER]},
    "late system message": {"messages": [*_TALK, {"role": "system", "content": "Be brief."}]},
    "system message between": {"messages": [USER, {"role": "system", "content": "Be brief."}, USER]},
    "developer": {"messages": [{"role": "developer", "content": "Be brief."}, USER]},
    "two questions": {"messages": [USER, USER]},
    "two answers": {"messages": [USER, _assistant("Rain."), _assistant("Snow."), USER]},
    "other keys": {
        "messages": [{**USER, "id": 1, "metadata": {"a": 1}, "timestamp": "t"}, _assistant("x", status="ok", prefix=True), USER]
    },
    "keys that say nothing": {
        "messages": [
            USER,
            _assistant("x", tool_calls=[], function_call=None, refusal=None, audio=None, annotations=[], name=None),
            USER,
        ]
    },
    "name": {"messages": [{**USER, "name": "Ada Lovelace"}]},
    "other keys of parts": {"messages": [_user({**_HI, "annotations": [], "id": "p1"})]},
    "refusal": {"messages": [USER, _assistant(None, refusal="No."), USER]},
    "refusal as a part": {"messages": [USER, _assistant([{"type": "refusal", "refusal": "No."}]), USER]},
    "sound of an answer": {"messages": [USER, _assistant(None, audio={"id": "a", "transcript": "Rain."}), USER]},
    "call": {"messages": [USER, _asks(_call()), _result()], "tools": [TOOL]},
    "blank beside a call": {"messages": [USER, _asks(_call(), content="\n\n"), _result()], "tools": [TOOL]},
    "no content key beside a call": {"messages": [USER, {"role": "assistant", "tool_calls": [_call()]}, _result()]},
    "blank part beside a call": {"messages": [USER, _asks(_call(), content=[{"type": "text", "text": ""}]), _result()]},
    "empty result": {"messages": [USER, _asks(_call()), _result("")]},
    "blank result": {"messages": [USER, _asks(_call()), _result(" \n")]},
    "result of null": {"messages": [USER, _asks(_call()), _result(None)]},
    "result of blank parts": {"messages": [USER, _asks(_call()), _result([{"type": "text", "text": ""}])]},
    "result without parts": {"messages": [USER, _asks(_call()), _result([])]},
    "result as an object": {"messages": [USER, _asks(_call()), _result({"weather": "rain"})]},
    "result with an image": {"messages": [USER, _asks(_call()), _result([_HI, _image("image/png", PNG)])]},
    "result that is JSON": {"messages": [USER, _asks(_call()), _result('[{"weather": "rain"}]')]},
    "parallel calls": {"messages": [USER, _asks(_call("a"), _call("b")), _result(given="b"), _result(given="a")]},
    "parallel calls of which one has a result": {"messages": [USER, _asks(_call("a"), _call("b")), _result(given="b"), USER]},
    "call without a result": {"messages": [USER, _asks(_call()), USER]},
    "last call without a result": {"messages": [USER, _asks(_call())]},
    "result without a call": {"messages": [USER, _result()]},
    "result that begins": {"messages": [_result(), USER]},
    "result that is late": {"messages": [USER, _asks(_call()), USER, _result()]},
    "question before the results": {
        "messages": [USER, _asks(_call("a"), _call("b")), _result(given="a"), USER, _result(given="b")]
    },
    "system message before the result": {"messages": [USER, _asks(_call()), {"role": "system", "content": "x"}, _result()]},
    "two results of one call": {"messages": [USER, _asks(_call()), _result(), _result("snow")]},
    "question after a result": {"messages": [USER, _asks(_call()), _result(), USER]},
    "text beside a call": {"messages": [USER, _asks(_call(), content="I look."), _result(), _assistant("Rain."), USER]},
    "arguments that are cut": {"messages": [USER, _asks(_call(arguments='{"city": "Os')), _result()]},
    "arguments that are a list": {"messages": [USER, _asks(_call(arguments="[1]")), _result()]},
    "arguments that are text": {"messages": [USER, _asks(_call(arguments="Oslo")), _result()]},
    "arguments that are null": {"messages": [USER, _asks(_call(arguments="null")), _result()]},
    "arguments of nothing": {"messages": [USER, _asks(_call(arguments="")), _result()]},
    "arguments as an object": {"messages": [USER, _asks(_call(arguments={"city": "Oslo"})), _result()]},
    "IDs of one message that are the same": {"messages": [USER, _asks(_call(), _call()), _result(), _result()]},
    "IDs of two messages that are the same": {
        "messages": [USER, _asks(_call("call_0")), _result(given="call_0"), _asks(_call("call_0")), _result(given="call_0"), USER]
    },
    "ID of another vendor": {"messages": [USER, _asks(_call("functions.weather:0")), _result(given="functions.weather:0")]},
    "no IDs": {"messages": [USER, _asks(_call(None)), _result(given=None, name="weather")]},
    "empty IDs": {"messages": [USER, _asks(_call("")), _result(given="")]},
    "index of a call": {"messages": [USER, _asks(_call(index=0)), _result()]},
    "function of old": {
        "messages": [
            USER,
            _assistant(None, function_call={"name": "weather", "arguments": "{}"}),
            {"role": "function", "name": "weather", "content": "rain"},
        ]
    },
    "JPEG that is called PNG": {"messages": [_user(_HI, _image("image/png", JPEG))]},
    "PNG that is called JPG": {"messages": [_user(_HI, _image("image/jpg", PNG))]},
    "image/jpg": {"messages": [_user(_HI, _image("image/jpg", JPEG))]},
    "GIF": {"messages": [_user(_HI, _image("image/gif", GIF))]},
    "TIFF": {"messages": [_user(_HI, _image("image/tiff", "SUkqAA=="))]},
    "image without a type": {"messages": [_user(_HI, {"type": "image_url", "image_url": {"url": f"data:;base64,{PNG}"}})]},
    "image as text": {"messages": [_user(_HI, {"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"})]},
    "image of an answer": {"messages": [USER, _assistant([_HI, _image("image/png", PNG)]), USER]},
    "linked image": {"messages": [_user(_HI, {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}})]},
    "linked GIF": {"messages": [_user(_HI, {"type": "image_url", "image_url": {"url": "https://example.org/a.gif"}})]},
    "Mistral's document": {"messages": [_user(_HI, {"type": "document_url", "document_url": "https://example.org/a.pdf"})]},
    "OpenRouter's video": {"messages": [_user(_HI, {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}})]},
    "OpenRouter's linked file": {
        "messages": [_user(_HI, {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://example.org/a.pdf"}})]
    },
    "file of base64 alone": {"messages": [_user(_HI, {"type": "file", "file": {"file_data": "JVBERi0xLjcK"}})]},
    "file by its ID": {"messages": [_user(_HI, {"type": "file", "file": {"file_id": "file-1"}})]},
    "sound": {"messages": [_user(_HI, {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}})]},
    "part of tomorrow": {"messages": [_user(_HI, {"type": "of_tomorrow", "of_tomorrow": 1})]},
    "Anthropic's blocks": {
        "messages": [
            USER,
            _assistant(
                [{"type": "text", "text": "I look."}, {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]
            ),
            _user({"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "rain"}]}, _HI),
        ]
    },
    "Anthropic's unsigned thought": {"messages": [USER, _assistant([{"type": "thinking", "thinking": "Hm."}, _HI]), USER]},
    "Anthropic's signed thought": {
        "messages": [USER, _assistant([{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, _HI]), USER]
    },
    "Anthropic's image": {
        "messages": [_user({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}})]
    },
    "Mistral's thought": {"messages": [USER, _assistant([{"type": "thinking", "thinking": [_HI]}, _HI]), USER]},
    "thoughts as fields": {
        "messages": [USER, _assistant("x", reasoning_content="Hm.", reasoning="Hm.", reasoning_details=[{"type": "x"}]), USER]
    },
    "items of the Responses API": {
        "messages": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "rain"},
        ]
    },
    "LangChain's roles": {"messages": [{"role": "human", "content": "Hi"}, {"role": "ai", "content": "Hello"}, USER]},
    "Gemini's turns": {
        "messages": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"weather": "rain"}}}]},
        ]
    },
    "blank stop": {"messages": [USER], "stop": "\n"},
    "blank stops": {"messages": [USER], "stop": ["\n\n", "", "END"]},
    "many stops": {"messages": [USER], "stop": ["a", "b", "c", "d", "e", "f"]},
    "no stops": {"messages": [USER], "stop": []},
    "no tools": {"messages": [USER], "tools": [], "tool_choice": "auto", "parallel_tool_calls": True},
    "null tools": {"messages": [USER], "tools": None, "tool_choice": None, "stop": None, "functions": []},
    "choice of no tool": {"messages": [USER], "tool_choice": "none"},
    "values that say nothing": {
        "messages": [USER],
        "n": 1,
        "presence_penalty": 0,
        "frequency_penalty": 0.0,
        "logprobs": False,
        "logit_bias": {},
        "store": False,
        "metadata": {},
    },
    "two choices": {"messages": [USER], "n": 2},
}

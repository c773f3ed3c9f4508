"""Gemini's generateContent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fakevendors.requests import Answer, Asked, Request, expect, only
from fakevendors.vendors import TOOL_NAME, Vendor

KEYS = {"x-goog-api-key": ""}
"""Headers of the key, with their prefixes."""
PATH = re.compile(r".*/models/(?P<model>[^/:]+):(?P<verb>generateContent|streamGenerateContent)")
BODY = "contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent labels"
PART = "text thought thoughtSignature functionCall functionResponse inlineData fileData"
FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}


def path_holds(path: str) -> bool:
    return PATH.fullmatch(path.partition("?")[0]) is not None


def asked(request: Request, vendor: Vendor) -> Asked:
    """Check a request by Gemini's rules."""
    found = PATH.fullmatch(request.path.partition("?")[0])
    assert found is not None
    body = request.body
    only(body, BODY, "Invalid JSON payload received. Unknown name")
    contents = body.get("contents")
    expect(isinstance(contents, list) and contents, "* GenerateContentRequest.contents: contents is not specified")
    waiting: list[str] = []
    last, results, said, before = "", 0, [], ""
    for place, content in enumerate(contents):
        where = f"GenerateContentRequest.contents[{place}]"
        only(content, "role parts", where)
        role, parts = content.get("role"), content.get("parts")
        expect(role in ("user", "model"), f"Please use a valid role: user, model. ({role!r})")
        expect(isinstance(parts, list) and parts, f"{where}.parts: contents.parts must not be empty.")
        given, calls, text = _check_parts(parts, where)
        expect(
            sorted(given) == sorted(waiting),
            "Please ensure that the number of function response parts is equal to the number of function call parts "
            "of the function call turn.",
        )
        expect(not calls or before == "user", "Please ensure that function call turn comes immediately after a user turn")
        waiting, before = calls, role
        said.append(text)
        if role == "user":
            last, results = (text, 0) if text.strip() else (last, results + len(given))
    expect(not waiting, "Please ensure that the number of function response parts is equal to the number of calls.")
    system = " ".join(part.get("text", "") for part in (body.get("systemInstruction") or {}).get("parts", ()))
    config = body.get("generationConfig") or {}
    expect(all(stop.strip() for stop in config.get("stopSequences") or ()), "stop_sequences: must not be empty")
    declared = [one for tool in body.get("tools") or () for one in tool.get("functionDeclarations", ())]
    tools = tuple(one["name"] for one in declared)
    expect(all(TOOL_NAME.fullmatch(name) for name in tools), "function_declarations[0].name: Invalid function name")
    return Asked(
        found["model"],
        " ".join([system, *said]),
        found["verb"] == "streamGenerateContent",
        config.get("maxOutputTokens"),
        last,
        results,
        tools=tools,
    )


def _check_parts(parts: list[dict[str, Any]], where: str) -> tuple[list[str], list[str], str]:
    for part in parts:
        only(part, PART, where)
        kinds = part.keys() & {"text", "functionCall", "functionResponse", "inlineData", "fileData"}
        expect(len(kinds) == 1, f"{where}.parts[0].data: required oneof field 'data' must have one initialized field")
        if "functionCall" in part:
            expect(isinstance(part["functionCall"].get("args", {}), dict), f"{where}.function_call.args: not a Struct")
        if "functionResponse" in part:
            expect(
                isinstance(part["functionResponse"].get("response"), dict), f"{where}.function_response.response: not a Struct"
            )
    given = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
    calls = [part["functionCall"]["name"] for part in parts if "functionCall" in part]
    return given, calls, " ".join(part["text"] for part in parts if "text" in part and not part.get("thought"))


def whole(asked: Asked, answer: Answer, vendor: Vendor) -> dict[str, Any]:
    """Build a plain answer."""
    parts: list[Any] = [{"text": answer.text}] if answer.text or not answer.calls else []
    parts += [{"functionCall": {"name": name, "args": given}} for name, given in answer.calls]
    return _response(asked, answer, parts, FINISH[answer.finish])


def events(asked: Asked, answer: Answer, vendor: Vendor) -> Iterator[str]:
    """Build a stream: the first event carries no content."""
    yield _data(_response(asked, answer, [{"text": ""}], None))
    parts: list[Any] = [{"text": piece} for piece in answer.pieces]
    parts += [{"functionCall": {"name": name, "args": given}} for name, given in answer.calls]
    for part in parts:
        yield _data(_response(asked, answer, [part], None))
    yield _data(_response(asked, answer, [{"text": ""}], FINISH[answer.finish]))


def _response(asked: Asked, answer: Answer, parts: list[Any], finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {
        "promptTokenCount": answer.prompt,
        "candidatesTokenCount": answer.completion,
        "totalTokenCount": answer.prompt + answer.completion,
    }
    head = {"modelVersion": asked.model, "responseId": f"resp-{answer.number}"}
    return {"candidates": [candidate], "usageMetadata": usage, **head}


def _data(value: Any) -> str:
    return f"data: {json.dumps(value)}\r\n\r\n"

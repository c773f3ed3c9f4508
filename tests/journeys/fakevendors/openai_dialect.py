"""OpenAI's chat completions, with the rules by which the vendors of the dialect differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fakevendors.requests import Answer, Asked, Request, expect, only, texts
from fakevendors.vendors import TOOL_NAME, Rules, Vendor

KEYS = {"authorization": "Bearer "}
"""Headers of the key, with their prefixes."""


def path_holds(path: str) -> bool:
    return path.endswith("/chat/completions")


def asked(request: Request, vendor: Vendor) -> Asked:
    """Check a request by the vendor's rules."""
    body, rules = request.body, vendor.rules
    messages = body.get("messages")
    expect(isinstance(messages, list) and messages, "[] is too short - 'messages'")
    for place, message in enumerate(messages):
        _check_message(message, rules, f"messages.{place}")
    _check_order(messages, rules)
    tools = body.get("tools")
    expect(tools is None or (isinstance(tools, list) and tools), "[] is too short - 'tools'")
    expect("tool_choice" not in body or tools, "'tool_choice' is only allowed when 'tools' are specified")
    names = tuple(tool["function"]["name"] for tool in tools or ())
    expect(all(TOOL_NAME.fullmatch(name) for name in names), "Invalid 'tools[0].function.name': string does not match pattern")
    stop = body.get("stop")
    expect(stop is None or (stop and all([stop] if isinstance(stop, str) else stop)), "'stop' must not be empty")
    options = body.get("stream_options")
    expect(options is None or body.get("stream"), "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    expect(limit is None or (isinstance(limit, int) and limit > 0), "Invalid 'max_tokens': integer below minimum value")
    users = [place for place, message in enumerate(messages) if message["role"] == "user"]
    return Asked(
        model=body.get("model", ""),
        prompt=" ".join(texts(message.get("content"), "messages") for message in messages),
        stream=bool(body.get("stream")),
        limit=limit,
        last=texts(messages[users[-1]]["content"], "messages") if users else "",
        results=sum(message["role"] == "tool" for message in messages[users[-1] :]) if users else 0,
        usage=rules.usage == "always" or bool((options or {}).get("include_usage")) or not body.get("stream"),
        tools=names,
    )


def _check_message(message: Any, rules: Rules, where: str) -> None:
    role = message.get("role")
    expect(role in rules.roles, f"{where}.role: Invalid value: {role!r}")
    if rules.keys is not None:
        only(message, rules.keys[role], where, 422 if rules.last else 400)
    content, calls = message.get("content"), message.get("tool_calls")
    if role == "assistant":
        expect(calls is None or calls, f"[] is too short - '{where}.tool_calls'")
        expect(content or calls or rules.empty_assistant, f"{where}: assistant message must have either content or tool_calls")
        for call in calls or ():
            expect(re.fullmatch(rules.call_id, call.get("id") or ""), f"{where}.tool_calls.0.id: {call.get('id')!r} is no ID")
            _check_arguments(call["function"].get("arguments"), where)
        return
    expect(content is not None, f"{where}.content: expected a string, got null")
    texts(content, where)


def _check_arguments(arguments: Any, where: str) -> None:
    expect(isinstance(arguments, str), f"{where}.tool_calls.0.function.arguments: expected a string")
    try:
        given = json.loads(arguments)
    except ValueError:
        given = None
    expect(isinstance(given, dict), f"{where}.tool_calls.0.function.arguments: not a JSON object")


def _check_order(messages: list[dict[str, Any]], rules: Rules) -> None:
    waiting: list[str] = []
    before = ""
    for place, message in enumerate(messages):
        role = message["role"]
        if role == "tool":
            expect(message.get("tool_call_id") in waiting, f"messages.{place}: no call {message.get('tool_call_id')!r} before it")
            waiting.remove(message["tool_call_id"])
        else:
            expect(not waiting, f"messages.{place}: tool_call_ids did not have response messages: {waiting}")
            expect(rules.tool_then_user or (before, role) != ("tool", "user"), "Unexpected role 'user' after role 'tool'")
            waiting = [call["id"] for call in message.get("tool_calls") or ()]
        before = role
    expect(not waiting, f"tool_call_ids did not have response messages: {waiting}")
    expect(not rules.last or before in rules.last, f"Expected last role User or Tool but got {before}")


def whole(asked: Asked, answer: Answer, vendor: Vendor) -> dict[str, Any]:
    """Build a plain answer."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.text == "" and not answer.calls:
        message["content"] = ""
    if answer.calls:
        message["tool_calls"] = _calls(answer, vendor)
    choice = {"index": 0, "message": message, "finish_reason": answer.finish, "logprobs": None}
    return {**_head(asked, answer), "object": "chat.completion", "choices": [choice], "usage": _usage(answer)}


def events(asked: Asked, answer: Answer, vendor: Vendor) -> Iterator[str]:
    """Build a stream: the first event carries no content."""
    head = {**_head(asked, answer), "object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        return _data({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})

    yield chunk({"role": "assistant", "content": ""})
    for piece in answer.pieces:
        yield chunk({"content": piece})
    for index, call in enumerate(_calls(answer, vendor)):
        given = call["function"]["arguments"]
        yield chunk({"tool_calls": [{**call, "index": index, "function": {**call["function"], "arguments": ""}}]})
        for half in (given[:4], given[4:]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": half}}]})
    yield chunk({}, answer.finish, **({"usage": _usage(answer)} if vendor.rules.usage == "always" else {}))
    if asked.usage and vendor.rules.usage != "always":
        yield _data({**head, "choices": [], "usage": _usage(answer)})
    yield "data: [DONE]\n\n"


def _calls(answer: Answer, vendor: Vendor) -> list[dict[str, Any]]:
    width = 9 if vendor.rules.call_id.endswith("{9}") else 24
    return [
        {
            "id": f"{vendor.name[0]}{answer.number:0{width - 3}}{place:02}"[-width:],
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(given)},
        }
        for place, (name, given) in enumerate(answer.calls)
    ]


def _head(asked: Asked, answer: Answer) -> dict[str, Any]:
    return {"id": f"chatcmpl-{answer.number}", "created": 1, "model": asked.model}


def _usage(answer: Answer) -> dict[str, int]:
    total = answer.prompt + answer.completion
    return {"prompt_tokens": answer.prompt, "completion_tokens": answer.completion, "total_tokens": total}


def _data(value: Any) -> str:
    return f"data: {json.dumps(value)}\n\n"

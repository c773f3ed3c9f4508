"""Anthropic's Messages API.

Paths, headers, fields, events and types of errors are those of the anthropic package 2.11.0 (read 2026-11-21):
``_client.py``, ``types/message_create_params.py``, ``types/message.py``, ``types/raw_*_event.py``, ``types/*_delta.py``,
``types/shared/error_type.py``, ``types/model_info.py``, ``pagination.py``. That package sends the key as a bearer token, and
gateways of the format still accept ``x-api-key``. The messages of errors without a code are quoted in the trackers of
anthropics/claude-code and anthropics/anthropic-sdk-python (read 2026-11-21).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from modelmesh.contracts import FailureClass
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_cdk.testing.dialects.anthropic_rules import anthropic_violations
from modelmesh_cdk.testing.dialects.protocol import Dialect, Refusal
from modelmesh_cdk.testing.dialects.shape import (
    calls_in,
    choices_of,
    extra_fields,
    named_event,
    replace_blank_text,
    usage_in,
    without,
    written,
)
from modelmesh_cdk.testing.upstream import Received, Script

_F = FailureClass
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "tool_calls": "tool_use"}
_CHOICES = {"any": "required", "auto": "auto", "none": "none"}
_WITHOUT_SAMPLING = "2026-10-21"
"""First API version without ``temperature``, ``top_p`` and ``top_k``."""


def _body(status: int, message: str, code: str | None = None, request_id: str | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"type": _TYPES.get(status, "api_error"), "message": message}
    if code is not None:
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": request_id}


def _row(status: int, failure: FailureClass, message: str = "test", code: str | None = None) -> Refusal:
    return Refusal(status, _body(status, message, code), failure)


class AnthropicDialect(Dialect):
    """Anthropic's format: separate ``system``, content blocks, tool arguments as objects, named events."""

    operations = frozenset({"messages"})
    unsupported_capabilities: Collection[str] = frozenset(
        {"supports_several_choices", "supports_embeddings", "numbers_tool_calls"}
    )
    arguments_are_text = False
    has_pages = True
    required_parameters: Collection[str] = frozenset({"max_completion_tokens"})
    unknown_finish_reason = "stop"  # OpenAI's set is closed, and a separate field keeps the vendor's value
    finish_reasons: Mapping[str, str] = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "pause_turn": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "refusal": "content_filter",
    }
    error_responses: Sequence[Refusal] = (
        _row(400, _F.REFUSED, "messages.0.role: Input should be 'user' or 'assistant'"),
        _row(400, _F.CAPABILITY, "prompt is too long: 210000 tokens > 200000 maximum"),
        _row(400, _F.CAPABILITY, "too many tools", "available_tools_limit_exceeded"),
        _row(400, _F.POLICY, "Output blocked by content filtering policy"),
        _row(400, _F.QUOTA, "Your credit balance is too low to access the Anthropic API."),
        _row(400, _F.CREDENTIAL, "This organization has been disabled."),
        _row(401, _F.CREDENTIAL),
        _row(402, _F.QUOTA),
        _row(403, _F.PERMISSION),
        _row(404, _F.NOT_FOUND, "model: claude-none"),
        _row(408, _F.TRANSIENT),
        _row(409, _F.REFUSED),
        _row(413, _F.CAPABILITY),
        _row(429, _F.THROTTLE),
        _row(429, _F.QUOTA, "spent", "enforced_spend_limit_reached"),
        _row(500, _F.SERVER),
        _row(502, _F.SERVER),
        _row(503, _F.SERVER),
        _row(504, _F.SERVER),
        _row(529, _F.SERVER),
    )
    extra_field_paths: Mapping[str, tuple[str | int, ...]] = {
        **Dialect.extra_field_paths,
        "choice": (),  # a response and its choice are one object
        "message": ("choices", 0, "message", "content_blocks", 0),  # a message and its content blocks are one object
    }

    # -- requests -----------------------------------------------------------------------------------------------------

    def path(self, operation: str, model: str) -> str:
        """Return the path of messages. The model is in the body."""
        del operation, model
        return "/messages"

    def key(self, received: Received) -> str | None:
        """Return the bearer token or the value of ``x-api-key``."""
        scheme, _, key = received.headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else received.headers.get("x-api-key")

    def read_chat(self, received: Received) -> dict[str, Any]:
        """Return the chat. It must have a version and a token limit."""
        body = self.latest = received.json
        assert isinstance(body, dict), "the body of a request is a JSON object"
        assert received.headers.get("anthropic-version"), "Anthropic requires the header anthropic-version"
        assert isinstance(body.get("max_tokens"), int), "Anthropic requires max_tokens, a whole number"
        found = without(body, "system", "max_tokens", "stop_sequences", "tools", "tool_choice", "output_config", "metadata")
        system = [{"role": "system", "content": body["system"]}] if "system" in body else []
        found |= {
            "messages": system + [message for turn in body["messages"] for message in _messages(turn)],
            "max_completion_tokens": body["max_tokens"],
        }
        if "stop_sequences" in body:
            found["stop"] = body["stop_sequences"]
        if "tools" in body:
            found["tools"] = [_tool(tool) for tool in body["tools"]]
        if "tool_choice" in body:
            found["tool_choice"] = _choice(body["tool_choice"])
        config = body.get("output_config") or {}
        if "format" in config:
            found["response_format"] = {"type": config["format"]["type"], "json_schema": without(config["format"], "type")}
        if "effort" in config:
            found["reasoning_effort"] = config["effort"]
        if "user_id" in (body.get("metadata") or {}):
            found["user"] = body["metadata"]["user_id"]
        return found

    def read_embeddings(self, received: Received) -> dict[str, Any]:
        """Raise: the API has no embeddings."""
        raise NotImplementedError

    def violations(self, question: Mapping[str, Any], rules: MessageRules | None) -> list[str]:
        """Return the rules that the latest request breaks, in the vendor's format."""
        del question, rules
        return anthropic_violations(self.latest)

    def expected_value(self, name: str, value: Any, received: Received) -> Any:
        """Anthropic lacks blank text, seed, logprobs, image detail and schema names. Recent versions lack sampling parameters."""
        lacks = {"seed", "logprobs", "image_url.detail", "response_format.json_schema.name", "response_format.json_schema.strict"}
        if received.headers.get("anthropic-version", "") >= _WITHOUT_SAMPLING:
            lacks |= {"temperature", "top_p"}
        if name == "stop":
            return [one for one in value if one.strip()]
        return replace_blank_text(value) if name == "messages" else None if name in lacks else value

    # -- responses ----------------------------------------------------------------------------------------------------

    def write_response(self, body: Mapping[str, Any]) -> bytes:
        """Write a message, which has one choice."""
        choice = body["choices"][0]
        message = choice["message"]
        text = message.get("content")
        blocks = [] if text is None else [{"type": "text", "text": text, **extra_fields(message, "message")}]
        for call in message.get("tool_calls") or ():
            function = call["function"]
            blocks.append({**_tool_use(call | function), "input": json.loads(function["arguments"])})
        usage = {} if body.get("usage") is None else {"usage": _usage(body["usage"])}
        head = _message(body, blocks, _REASONS.get(choice["finish_reason"], choice["finish_reason"]))
        return written({**head, **usage, **extra_fields(body, "answer"), **extra_fields(choice, "choice")})

    def write_stream(self, chunks: Sequence[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
        """Write named events. Blocks, and with them tool calls, are written one after the other."""
        return [named_event(one["type"], one) for one in _events(chunks)] + (self.write_final_event() if done else [])

    def write_final_event(self) -> list[bytes]:
        """Return ``message_stop``."""
        return [named_event("message_stop", {"type": "message_stop"})]

    def write_error_event(self) -> list[bytes]:
        """Return an ``error`` event, the last one of a stream."""
        return [named_event("error", _body(529, "Overloaded"))]

    def write_embeddings(self, body: Mapping[str, Any], received: Received) -> bytes:
        """Raise: the API has no embeddings."""
        raise NotImplementedError

    # -- the list of models -------------------------------------------------------------------------------------------

    def write_model_list(self, rows: Sequence[Any], *, more: bool = False) -> bytes:
        """Write a page with its last name and whether another page follows."""
        names = [row for row in rows if isinstance(row, str)]
        head = {"type": "model", "created_at": "2026-11-21T00:00:00Z", "lifecycle": "active"}
        data = [{**head, "id": row, "display_name": row} if isinstance(row, str) else row for row in rows]
        ends = {"first_id": names[0], "last_id": names[-1]} if names else {"first_id": None, "last_id": None}
        return written({"data": data, "has_more": more, **ends})

    def requested_page(self, received: Received) -> str | None:
        """Return ``after_id``."""
        return parse_qs(urlsplit(received.path).query).get("after_id", [None])[0]

    def write_error(
        self, status: int, message: str, *, code: str | None = None, wait: float | None = None, request_id: str | None = None
    ) -> Script:
        """Return an error body with its code in the details. Headers have the delay and the request ID."""
        more = {"retry-after": None if wait is None else f"{wait:g}", "request-id": request_id}
        body = _body(status, message, code, request_id)
        return Script(status, written(body), {name: value for name, value in more.items() if value is not None})


# -- reading ----------------------------------------------------------------------------------------------------------


def _messages(turn: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the messages of an entry. Tool results are part of a user message."""
    content = turn["content"]
    if isinstance(content, str):
        yield dict(turn)
        return
    results = [block for block in content if block.get("type") == "tool_result"]
    yield from ({"role": "tool", "tool_call_id": block["tool_use_id"], "content": block.get("content")} for block in results)
    parts = [_part(block) for block in content if block.get("type") not in ("tool_result", "tool_use")]
    calls = [_call(block) for block in content if block.get("type") == "tool_use"]
    if turn["role"] == "assistant":
        texts = [part["text"] for part in parts if part.get("type") == "text"]
        reply_content = parts if len(texts) < len(parts) else "".join(texts) if texts else None
        yield {"role": "assistant", "content": reply_content, **({"tool_calls": calls} if calls else {})}
    elif parts:
        yield {**turn, "content": parts}


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    if block.get("type") != "image":
        return dict(block)
    source = block["source"]
    url = source.get("url") or f"data:{source['media_type']};base64,{source['data']}"
    return {"type": "image_url", "image_url": {"url": url}}


def _call(block: Mapping[str, Any]) -> dict[str, Any]:
    assert isinstance(block["input"], dict), "Anthropic takes the arguments of a tool as an object"
    arguments = json.dumps(block["input"], ensure_ascii=False)
    return {"id": block["id"], "type": "function", "function": {"name": block["name"], "arguments": arguments}}


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if "input_schema" not in tool:
        return dict(tool)
    return {"type": "function", "function": {**without(tool, "input_schema"), "parameters": tool["input_schema"]}}


def _choice(choice: Mapping[str, Any]) -> Any:
    if choice["type"] == "tool":
        return {"type": "function", "function": {"name": choice["name"]}}
    return _CHOICES.get(choice["type"], choice)


# -- writing ----------------------------------------------------------------------------------------------------------


def _message(body: Mapping[str, Any], blocks: list[Any], reason: str | None) -> dict[str, Any]:
    head = {"id": body["id"], "type": "message", "role": "assistant", "model": body["model"]}
    return {**head, "content": blocks, "stop_reason": reason, "stop_sequence": None}


def _tool_use(call: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call["id"], "name": call["name"], "input": {}}


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    return {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"], **extra_fields(usage, "usage")}


def _events(chunks: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    usage = usage_in(chunks)
    begun = {} if usage is None else {"usage": {**_usage(usage), "output_tokens": 1}}
    yield {"type": "message_start", "message": {**_message(chunks[0], [], None), **begun}}
    place, reason = -1, None
    for chunk, choice in choices_of(chunks):
        delta = choice["delta"]
        reason = choice["finish_reason"] or reason
        if not delta.get("content"):
            continue
        if place < 0:
            place = 0
            yield {"type": "content_block_start", "index": place, "content_block": {"type": "text", "text": ""}}
        content = {"type": "text_delta", "text": delta["content"], **extra_fields(delta, "message")}
        yield {"type": "content_block_delta", "index": place, "delta": content, **extra_fields(chunk, "answer")}
    for call, pieces in calls_in(chunks):
        if place >= 0:
            yield {"type": "content_block_stop", "index": place}
        place += 1
        yield {"type": "content_block_start", "index": place, "content_block": _tool_use(call)}
        for piece in pieces:
            yield {"type": "content_block_delta", "index": place, "delta": {"type": "input_json_delta", "partial_json": piece}}
    if reason is None:
        return
    if place >= 0:
        yield {"type": "content_block_stop", "index": place}
    last = {"stop_reason": _REASONS.get(reason, reason), "stop_sequence": None}
    more = {} if usage is None else {"usage": {"output_tokens": usage["completion_tokens"]}}
    yield {"type": "message_delta", "delta": last, **more}

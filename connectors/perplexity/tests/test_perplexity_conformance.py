"""Conformance tests of PerplexityProvider, with a fake of Perplexity's Agent API.

Names and shapes are those of docs.perplexity.ai/docs/agent-api/migrate-from-sonar and of the perplexityai package 0.46.1, read
2026-11-21.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from modelmesh_connector_perplexity import PerplexityProvider

from modelmesh.contracts import FailureClass
from modelmesh_cdk.testing import ProviderConformance, Received, Script, event
from modelmesh_cdk.testing.dialects import OpenAIDialect, Refusal, calls_in, choices_of, extra_fields, usage_in, without, written

KINDS = {401: "forbidden", 429: "request_rate_limit_exceeded", 500: "internal_error"}
STATUSES = {"length": "max_output_tokens", "content_filter": "content_filter"}


def body_of(status: int, message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": code or KINDS.get(status, "invalid_request"), "code": status}}


class AgentDialect(OpenAIDialect):
    """Dialect with input items for messages, output items for a response, and one choice."""

    unsupported_capabilities: Collection[str] = frozenset({"supports_several_choices", "numbers_tool_calls"})
    vectors: Sequence[Sequence[float]] = ([4, -128, 2], [127, 0, -1], [-4, 12, 0])
    finish_reasons: Mapping[str, str] = {"stop": "stop", "length": "length", "content_filter": "content_filter"}
    failed_finish_reasons: Sequence[str] = ()  # a failed response contains an error, and its event does not end a response
    error_responses: Sequence[Refusal] = tuple(
        # a 404 that does not name the model has no known cause
        Refusal(row.status, body_of(row.status, "test"), FailureClass.REFUSED if row.status == 404 else row.failure)
        for row in OpenAIDialect.error_responses
        if row.status in (401, 402, 403, 404, 408, 413, 422, 500, 502, 503, 504)
    )
    extra_field_paths: Mapping[str, tuple[str | int, ...]] = {
        "answer": (),
        "choice": (),
        "message": ("output", 0),
        "usage": ("usage",),
        "chunk": (),
        "delta": (),
    }

    def path(self, operation: str, model: str) -> str:
        return "/agent" if operation == "chat.completions" else super().path(operation, model)

    def expected_value(self, name: str, value: Any, received: Received) -> Any:
        return None if name == "image_url.detail" else value

    def read_chat(self, received: Received) -> dict[str, Any]:
        body = super().read_chat(received)
        found = {"max_completion_tokens" if name == "max_output_tokens" else name: value for name, value in body.items()}
        found["messages"] = messages_of(found.pop("input"))
        if "tools" in found:
            found["tools"] = [{"type": "function", "function": without(tool, "type")} for tool in found["tools"]]
        if "tool_choice" in found:
            found["tool_choice"] = {"type": "function", "function": found["tool_choice"]}
        return found

    def read_embeddings(self, received: Received) -> dict[str, Any]:
        assert received.json.get("encoding_format") in (None, "base64_int8", "base64_binary")
        return OpenAIDialect.read_chat(self, received)

    def write_embeddings(self, body: Mapping[str, Any], received: Received) -> bytes:
        rows = [{**row, "embedding": eight_bits(row["embedding"])} for row in body["data"]]
        return written({**body, "data": rows})

    def write_response(self, body: Mapping[str, Any]) -> bytes:
        choice = body["choices"][0]
        reply = choice["message"]
        output = [] if reply.get("content") is None else [message(reply["content"], extra_fields(reply, "message"))]
        output += [call(one["id"], **one["function"]) for one in reply.get("tool_calls") or ()]
        extra = {**extra_fields(body, "answer"), **extra_fields(choice, "choice")}
        return written(response(body, choice["finish_reason"], output, body.get("usage"), **extra))

    def write_stream(self, chunks: Sequence[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
        found = [agent_event("created", response={"id": chunks[0]["id"], "model": chunks[0]["model"]})]
        reason, text = None, ""
        for chunk, choice in choices_of(chunks):
            delta, reason = choice["delta"], choice["finish_reason"] or reason
            if delta.get("content"):
                text += delta["content"]
                extra = {**extra_fields(chunk, "answer"), **extra_fields(delta, "message")}
                found.append(agent_event("output_text.delta", delta=delta["content"], **extra))
        output: list[dict[str, Any]] = [message(text)] if text else []
        for one, pieces in calls_in(chunks):
            output.append(call(one["id"], one["name"], "".join(pieces)))
            found.append(agent_event("output_item.done", item=output[-1]))
        if reason is not None:
            found.append(agent_event("completed", response=response(chunks[0], reason, output, usage_in(chunks))))
        return found

    def write_final_event(self) -> list[bytes]:
        return []

    def write_error_event(self) -> list[bytes]:
        return [agent_event("failed", **body_of(500, "down"))]

    def write_error(
        self, status: int, message: str, *, code: str | None = None, wait: float | None = None, request_id: str | None = None
    ) -> Script:
        told = {"Retry-After": None if wait is None else f"{wait:g}", "x-request-id": request_id}
        headers = {name: value for name, value in told.items() if value is not None}
        return Script(status, written(body_of(status, message, code)), headers)


def agent_event(kind: str, **fields: Any) -> bytes:
    return event(written({"type": f"response.{kind}", "sequence_number": 0, **fields}).decode())


def eight_bits(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"{len(vector)}b", *map(int, vector))).decode()


def message(text: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "m", "role": "assistant", "content": content, **(extra or {})}


def call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"type": "function_call", "id": "f", "call_id": call_id, "name": name, "arguments": arguments, "status": "completed"}


def response(
    head: Mapping[str, Any], reason: str, output: list[dict[str, Any]], usage: Mapping[str, Any] | None, **extra: Any
) -> dict[str, Any]:
    ended: dict[str, Any] = {"status": "completed"}
    if reason not in ("stop", "tool_calls"):
        ended = {"status": "incomplete", "incomplete_details": {"reason": STATUSES.get(reason, reason)}}
    names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"}
    told = {} if usage is None else {"usage": {names.get(name, name): count for name, count in usage.items()}}
    made = {"id": head["id"], "object": "response", "created_at": head["created"], "model": head["model"], "output": output}
    return {**made, **ended, **told, **extra}


def messages_of(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in items:
        if item["type"] == "message":
            found.append({"role": item["role"], "content": content_of(item["content"])})
        elif item["type"] == "function_call_output":
            found.append({"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]})
        else:
            if not found or found[-1]["role"] != "assistant":
                found.append({"role": "assistant", "content": None})
            function = {"name": item["name"], "arguments": item["arguments"]}
            found[-1].setdefault("tool_calls", []).append({"id": item["call_id"], "type": "function", "function": function})
    return found


def content_of(content: Any) -> Any:
    if isinstance(content, str):
        return content
    names = {"input_text": "text", "input_image": "image_url"}
    return [
        {
            "type": names[part["type"]],
            **({"image_url": {"url": part["image_url"]}} if "image_url" in part else without(part, "type")),
        }
        for part in content
    ]


class TestPerplexity(ProviderConformance):
    provider_class = PerplexityProvider
    supports_embeddings = True
    unlisted = ("pplx-embed-v1-0.6b", "pplx-embed-v1-4b", "search")  # the list contains models of the Agent API only
    wire = AgentDialect()
    settings = {"web_search": False}  # test_perplexity_provider.py tests the tool that the connector adds

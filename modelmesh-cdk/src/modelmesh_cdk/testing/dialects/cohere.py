"""Cohere's chat and embed, version 2.

Paths, header, fields, finish reasons and events are those of the cohere package 7.3.1 (read 2026-11-21):
``v2/raw_client.py``, ``v2/types/v2chat_response.py``, ``v2/types/v2chat_stream_response.py``, ``types/*_event_delta*.py``,
``types/chat_finish_reason.py``, ``types/embed_by_type_response.py``,
``types/list_models_response.py``, ``types/api_meta.py``, ``errors/``. Error bodies have no code. Their messages are
examples of docs.cohere.com/v2/reference/errors (read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from modelmesh.contracts import EMBEDDINGS, FailureClass
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_cdk.testing.dialects.cohere_rules import cohere_violations
from modelmesh_cdk.testing.dialects.protocol import Dialect, Refusal
from modelmesh_cdk.testing.dialects.shape import (
    calls_in,
    choices_of,
    extra_fields,
    named_event,
    packed,
    replace_blank_text,
    usage_in,
    without,
    written,
)
from modelmesh_cdk.testing.upstream import Received, Script, event

_F = FailureClass
_REASONS = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}
_NAMES = {"max_tokens": "max_completion_tokens", "p": "top_p", "k": "top_k", "stop_sequences": "stop"}
_CHOICES = {"REQUIRED": "required", "NONE": "none"}
_LEAST_P, _MOST_P = 0.01, 0.99
_TRIAL = "You are using a Trial key, which is limited to {}. You can continue to use the Trial key for free"


def _body(message: str, request_id: str | None = None) -> dict[str, Any]:
    return {"message": message} if request_id is None else {"id": request_id, "message": message}


def _row(status: int, failure: FailureClass, message: str = "test") -> Refusal:
    return Refusal(status, _body(message), failure)


class CohereDialect(Dialect):
    """Cohere's format: values in capitals, a response without the model's name, named events, errors without codes."""

    unsupported_capabilities: Collection[str] = frozenset({"supports_several_choices", "numbers_tool_calls"})
    has_error_codes = False
    reports_model = False
    has_pages = True
    required_embedding_parameters: Collection[str] = frozenset({"input_type", "embedding_types"})
    unknown_finish_reason = "stop"  # OpenAI's set is closed, and a separate field keeps the vendor's value
    finish_reasons: Mapping[str, str] = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length"}
    failed_finish_reasons: Sequence[str] = ("ERROR", "TIMEOUT")
    error_responses: Sequence[Refusal] = (
        _row(400, _F.REFUSED, "cannot have duplicate tool ids"),
        _row(400, _F.CAPABILITY, "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292."),
        _row(400, _F.POLICY, "blocked input: please adjust your prompt"),
        _row(401, _F.CREDENTIAL, "invalid api token"),
        _row(402, _F.QUOTA, "Please add or update your payment method to continue"),
        _row(403, _F.PERMISSION),
        _row(404, _F.NOT_FOUND, "model 'xyz' not found, make sure the correct model ID was used"),
        _row(422, _F.REFUSED, "invalid request: documents[0].data must be an object"),
        _row(429, _F.THROTTLE, "You are past the per minute request limit, please wait and try again later."),
        _row(429, _F.THROTTLE, _TRIAL.format("40 API calls / minute")),
        _row(429, _F.QUOTA, _TRIAL.format("1000 API calls / month")),
        _row(498, _F.CREDENTIAL, "invalid token"),
        _row(499, _F.TRANSIENT, "request cancelled"),
        _row(500, _F.SERVER, "internal server error"),
        _row(502, _F.SERVER),
        _row(503, _F.SERVER),
        _row(504, _F.SERVER),
    )
    extra_field_paths: Mapping[str, tuple[str | int, ...]] = {
        **Dialect.extra_field_paths,
        "choice": (),
    }  # an answer and its choice are one object

    # -- requests -----------------------------------------------------------------------------------------------------

    def path(self, operation: str, model: str) -> str:
        """Return the path of chat or embed. The model is in the body."""
        del model
        return "/embed" if operation == EMBEDDINGS.name else "/chat"

    def key(self, received: Received) -> str | None:
        """Return the bearer token."""
        scheme, _, key = received.headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else None

    def read_chat(self, received: Received) -> dict[str, Any]:
        """Return the chat. A required tool call and a call of the only tool are equal."""
        body = self.latest = received.json
        assert isinstance(body, dict), "the body of a request is a JSON object"
        fields: dict[str, Any] = body
        found = {_NAMES.get(name, name): value for name, value in fields.items()}
        found["messages"] = [
            {**turn, "content": turn.get("content")} if turn["role"] == "assistant" else turn for turn in body["messages"]
        ]
        if "tool_choice" in body:
            found["tool_choice"] = _CHOICES[body["tool_choice"]]
            tools: list[dict[str, Any]] = body.get("tools") or []
            if body["tool_choice"] == "REQUIRED" and len(tools) == 1:
                found["tool_choice"] = {"type": "function", "function": {"name": tools[0]["function"]["name"]}}
        wanted = body.get("response_format") or {}
        if "json_schema" in wanted:
            assert wanted["type"] == "json_object", "Cohere's formats are text and json_object"
            found["response_format"] = {"type": "json_schema", "json_schema": {"schema": wanted["json_schema"]}}
        return found

    def read_embeddings(self, received: Received) -> dict[str, Any]:
        """Return the embedding request. It must state its purpose."""
        body = received.json
        assert isinstance(body.get("input_type"), str), "Cohere requires input_type"
        dimensions = {"dimensions": body["output_dimension"]} if "output_dimension" in body else {}
        return {**without(body, "texts", "output_dimension"), "input": body["texts"], **dimensions}

    def violations(self, question: Mapping[str, Any], rules: MessageRules | None) -> list[str]:
        """Return the rules that the latest request breaks, in the vendor's format."""
        del question, rules
        return cohere_violations(self.latest)

    def expected_value(self, name: str, value: Any, received: Received) -> Any:
        """Cohere has no user identifier and no schema name, and rejects a ``p`` of 0."""
        del received
        if name == "top_p":
            return min(max(value, _LEAST_P), _MOST_P)
        lacks = ("user", "response_format.json_schema.name", "response_format.json_schema.strict")
        return replace_blank_text(value) if name == "messages" else None if name in lacks else value

    # -- responses ----------------------------------------------------------------------------------------------------

    def write_response(self, body: Mapping[str, Any]) -> bytes:
        """Write a response, which has one choice."""
        choice = body["choices"][0]
        message = choice["message"]
        reply_message: dict[str, Any] = {"role": "assistant", **extra_fields(message, "message")}
        if message.get("content") is not None:
            reply_message["content"] = [{"type": "text", "text": message["content"]}]
        if message.get("tool_calls"):
            reply_message["tool_calls"] = message["tool_calls"]
        reply = {
            "id": body["id"],
            "finish_reason": _REASONS.get(choice["finish_reason"], choice["finish_reason"]),
            "message": reply_message,
        }
        usage = {} if body.get("usage") is None else {"usage": _usage(body["usage"])}
        return written({**reply, **usage, **extra_fields(body, "answer"), **extra_fields(choice, "choice")})

    def write_stream(self, chunks: Sequence[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
        """Write named events and ``[DONE]``. Tool calls are written one after the other."""
        return [named_event(one["type"], one) for one in _events(chunks)] + (self.write_final_event() if done else [])

    def write_final_event(self) -> list[bytes]:
        """Return ``[DONE]``."""
        return [event("[DONE]")]

    def write_error_event(self) -> list[bytes]:
        """Return the end of a message with an error as its reason."""
        return [
            named_event("message-end", {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "internal error"}}),
            *self.write_final_event(),
        ]

    def write_embeddings(self, body: Mapping[str, Any], received: Received) -> bytes:
        """Write the vectors in the order of the texts, in each requested type."""
        rows = [row["embedding"] for row in body["data"]]
        forms = {"float": rows, "base64": [packed(row) for row in rows]}
        encodings = received.json.get("embedding_types") or ["float"]
        usage = body.get("usage")
        more = {} if usage is None else {"meta": {"billed_units": {"input_tokens": usage["prompt_tokens"]}}}
        found = {name: forms[name] for name in encodings}
        return written({"id": "embed-test", "embeddings": found, "response_type": "embeddings_by_type", **more})

    # -- the list of models -------------------------------------------------------------------------------------------

    def model_list_path(self, root: str) -> str:
        """Return the path in the first version of the API."""
        return f"{root.removesuffix('/v2')}/v1/models"

    def write_model_list(self, rows: Sequence[Any], *, more: bool = False) -> bytes:
        """Write a page, with the token of the next one."""
        models = [{"name": row} if isinstance(row, str) else row for row in rows]
        return written({"models": models, **({"next_page_token": rows[-1]} if more else {})})

    def requested_page(self, received: Received) -> str | None:
        """Return ``page_token``."""
        return parse_qs(urlsplit(received.path).query).get("page_token", [None])[0]

    def write_error(
        self, status: int, message: str, *, code: str | None = None, wait: float | None = None, request_id: str | None = None
    ) -> Script:
        """Return an error with a message. The body has the request ID, and a header has the delay."""
        del code
        headers = {} if wait is None else {"retry-after": f"{wait:g}"}
        return Script(status, written(_body(message, request_id)), headers)


# -- writing ----------------------------------------------------------------------------------------------------------


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    counts = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
    return {"billed_units": counts, "tokens": counts, **extra_fields(usage, "usage")}


def _events(chunks: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    begun = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield {"type": "message-start", "id": chunks[0]["id"], "delta": {"message": begun}}
    counts, reason, speaking = usage_in(chunks), None, False
    for chunk, choice in choices_of(chunks):
        delta = choice["delta"]
        reason = choice["finish_reason"] or reason
        if not delta.get("content"):
            continue
        if not speaking:
            speaking = True
            yield {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}
        message = {"content": {"text": delta["content"]}, **extra_fields(delta, "message")}
        yield {"type": "content-delta", "index": 0, "delta": {"message": message}, **extra_fields(chunk, "answer")}
    calls = calls_in(chunks)
    if speaking and (reason or calls):
        yield {"type": "content-end", "index": 0}
    for place, (call, pieces) in enumerate(calls):
        head = {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": ""}}
        yield {"type": "tool-call-start", "index": place, "delta": {"message": {"tool_calls": head}}}
        for piece in pieces:
            function = {"function": {"arguments": piece}}
            yield {"type": "tool-call-delta", "index": place, "delta": {"message": {"tool_calls": function}}}
        yield {"type": "tool-call-end", "index": place}
    if reason is not None:
        usage = {} if counts is None else {"usage": _usage(counts)}
        yield {"type": "message-end", "delta": {"finish_reason": _REASONS.get(reason, reason), **usage}}

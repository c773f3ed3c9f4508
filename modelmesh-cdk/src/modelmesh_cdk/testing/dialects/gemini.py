"""Gemini's API: ``generateContent``, ``streamGenerateContent?alt=sse`` and ``batchEmbedContents``.

Paths, header, fields and finish reasons are those of google-genai 3.4.0 (read 2026-11-21): ``models.py``, ``_api_client.py``,
``types.GenerateContentResponse``, ``types.Candidate``, ``types.EmbedContentResponse``,
``types.ListModelsResponse``, ``errors.py``. Error bodies are
``google.rpc.Status`` with the details of googleapis/googleapis (``google/rpc/error_details.proto``: ``ErrorInfo``,
``RetryInfo``, ``QuotaFailure``, ``RequestInfo``, read 2026-11-21).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from modelmesh.contracts import EMBEDDINGS, FailureClass
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_cdk.testing.dialects.gemini_rules import gemini_violations
from modelmesh_cdk.testing.dialects.protocol import Dialect, Refusal
from modelmesh_cdk.testing.dialects.shape import (
    calls_in,
    choices_of,
    extra_fields,
    replace_blank_text,
    usage_in,
    without,
    written,
)
from modelmesh_cdk.testing.upstream import Received, Script, event

_F = FailureClass
_RPC = "type.googleapis.com/google.rpc."
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY", "tool_calls": "STOP"}
_MODES = {"AUTO": "auto", "NONE": "none", "ANY": "required"}
_CONFIG = {
    "candidateCount": "n",
    "frequencyPenalty": "frequency_penalty",
    "logprobs": "top_logprobs",
    "maxOutputTokens": "max_completion_tokens",
    "presencePenalty": "presence_penalty",
    "responseLogprobs": "logprobs",
    "stopSequences": "stop",
    "topK": "top_k",
    "topP": "top_p",
}


def _body(status: int, message: str, name: str | None = None, *details: Mapping[str, Any]) -> dict[str, Any]:
    error = {"code": status, "message": message, "status": name or _STATUSES.get(status, "UNKNOWN")}
    return {"error": {**error, "details": list(details)} if details else error}


def _detail(kind: str, **fields: Any) -> dict[str, Any]:
    return {"@type": _RPC + kind, **fields}


_OF_A_MODEL = {
    "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
    "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    "quotaDimensions": {"location": "global", "model": "test-model"},
    "quotaValue": "20",
}
"""Quota details as in google-gemini/gemini-cli-action#36, for a minute (read 2026-11-21)."""


def _row(status: int, failure: FailureClass, message: str = "test", *details: Mapping[str, Any]) -> Refusal:
    return Refusal(status, _body(status, message, None, *details), failure)


class GeminiDialect(Dialect):
    """Gemini's format: model and method in the path, messages of parts, settings in ``generationConfig``."""

    arguments_are_text = False
    has_pages = True
    unsupported_capabilities: Collection[str] = frozenset({"supports_final_event", "numbers_tool_calls"})
    failed_finish_reasons: Sequence[str] = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER")
    unknown_finish_reason = "stop"  # OpenAI's set is closed, and a separate field keeps the vendor's value
    finish_reasons: Mapping[str, str] = {
        "STOP": "stop",
        "MAX_TOKENS": "length",
        "SAFETY": "content_filter",
        "RECITATION": "content_filter",
        "PROHIBITED_CONTENT": "content_filter",
    }
    error_responses: Sequence[Refusal] = (
        _row(400, _F.REFUSED, "Invalid value"),
        _row(400, _F.CREDENTIAL, "API key not valid.", _detail("ErrorInfo", reason="API_KEY_INVALID", domain="googleapis.com")),
        _row(400, _F.CAPABILITY, "The input token count (9) exceeds the maximum number of tokens allowed (5)."),
        _row(401, _F.CREDENTIAL),
        _row(403, _F.PERMISSION),
        _row(403, _F.QUOTA, "test", _detail("ErrorInfo", reason="BILLING_DISABLED", domain="googleapis.com")),
        _row(404, _F.NOT_FOUND),
        _row(409, _F.REFUSED),
        _row(429, _F.THROTTLE, "test", _detail("QuotaFailure", violations=[{"quotaId": "GenerateRequestsPerMinutePerProject"}])),
        _row(429, _F.QUOTA, "test", _detail("QuotaFailure", violations=[{"quotaId": "GenerateRequestsPerDayPerProject"}])),
        _row(429, _F.MODEL_QUOTA, "test", _detail("QuotaFailure", violations=[_OF_A_MODEL])),
        _row(499, _F.TRANSIENT),
        _row(500, _F.SERVER),
        _row(502, _F.SERVER),
        _row(503, _F.SERVER, "The model is overloaded."),
        _row(503, _F.THROTTLE, "test", _detail("RetryInfo", retryDelay="34.5s")),
        _row(504, _F.SERVER),
    )

    # -- requests -----------------------------------------------------------------------------------------------------

    def path(self, operation: str, model: str) -> str:
        """Return the path of the model with the method."""
        method = "batchEmbedContents" if operation == EMBEDDINGS.name else "generateContent"
        return f"/models/{quote(model, safe='/')}:{method}"

    def key(self, received: Received) -> str | None:
        """Return the value of ``x-goog-api-key``."""
        return received.headers.get("x-goog-api-key")

    def read_chat(self, received: Received) -> dict[str, Any]:
        """Return the chat. The path contains the model and the stream flag."""
        model, method, query = _address(received)
        assert method in ("generateContent", "streamGenerateContent"), method
        stream = method == "streamGenerateContent"
        assert not stream or query.get("alt") == ["sse"], "without alt=sse Gemini streams an array and no events"
        body = self.latest = received.json
        assert isinstance(body, dict), "the body of a request is a JSON object"
        found = without(body, "contents", "systemInstruction", "generationConfig", "tools", "toolConfig")
        found |= {"model": model, "messages": [*_system(body), *_turns(_spelled(body["contents"]))], **_settings(body)}
        if stream:
            found["stream"] = True
        if "tools" in body:
            found["tools"] = [one for tool in body["tools"] for one in _tools(_spelled(tool))]
        if "toolConfig" in body:
            found["tool_choice"] = _choice(_spelled(body["toolConfig"])["functionCallingConfig"])
        return found

    def read_embeddings(self, received: Received) -> dict[str, Any]:
        """Return the embedding request, which has one request for each text with equal parameters."""
        model, method, _ = _address(received)
        assert method == "batchEmbedContents", method
        requests = received.json["requests"]
        assert {one["model"] for one in requests} == {f"models/{model}"}, "each request names the model of the path"
        rest = [without(one, "model", "content") for one in requests]
        assert all(one == rest[0] for one in rest), "all texts have the same parameters"
        texts = ["".join(part["text"] for part in one["content"]["parts"]) for one in requests]
        dimensions = {"dimensions": rest[0]["outputDimensionality"]} if "outputDimensionality" in rest[0] else {}
        return {"model": model, "input": texts, **without(rest[0], "outputDimensionality"), **dimensions}

    def violations(self, question: Mapping[str, Any], rules: MessageRules | None) -> list[str]:
        """Return the rules that the latest request breaks, in the vendor's format."""
        del question, rules
        return gemini_violations(self.latest)

    def expected_value(self, name: str, value: Any, received: Received) -> Any:
        """Gemini has no user identifier, no image detail and no schema name."""
        del received
        lacks = ("user", "image_url.detail", "response_format.json_schema.name", "response_format.json_schema.strict")
        return replace_blank_text(value) if name == "messages" else None if name in lacks else value

    # -- responses ----------------------------------------------------------------------------------------------------

    def write_response(self, body: Mapping[str, Any]) -> bytes:
        """Write candidates."""
        candidates = [
            _candidate(choice, choice["message"], _parts(choice["message"]), choice["finish_reason"])
            for choice in body["choices"]
        ]
        usage = {} if body.get("usage") is None else {"usageMetadata": _usage(body["usage"])}
        return written({"candidates": candidates, **_head(body), **usage, **extra_fields(body, "answer")})

    def write_stream(self, chunks: Sequence[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
        """Write responses with further parts. A tool call is complete in one event, and the body has no final event."""
        del done
        return [event(written(one).decode()) for one in _events(chunks)]

    def write_error_event(self) -> list[bytes]:
        """Return an error body as an event."""
        return [event(_body(503, "The model is overloaded."))]

    def write_embeddings(self, body: Mapping[str, Any], received: Received) -> bytes:
        """Write the vectors in the order of the texts, as numbers, the only encoding."""
        del received
        usage = body.get("usage")
        more = {} if usage is None else {"usageMetadata": _prompt(usage)}
        return written({"embeddings": [{"values": row["embedding"]} for row in body["data"]], **more})

    # -- the list of models -------------------------------------------------------------------------------------------

    def write_model_list(self, rows: Sequence[Any], *, more: bool = False) -> bytes:
        """Write a page, with the token of the next one. Names begin with ``models/``."""
        models = [{"name": f"models/{row}"} if isinstance(row, str) else row for row in rows]
        return written({"models": models, **({"nextPageToken": rows[-1]} if more else {})})

    def requested_page(self, received: Received) -> str | None:
        """Return ``pageToken``."""
        return parse_qs(urlsplit(received.path).query).get("pageToken", [None])[0]

    def write_error(
        self, status: int, message: str, *, code: str | None = None, wait: float | None = None, request_id: str | None = None
    ) -> Script:
        """Return a status with details, which contain the delay and the request ID."""
        details = []
        if wait is not None:
            details.append(_detail("RetryInfo", retryDelay=f"{wait:g}s"))
        if request_id is not None:
            details.append(_detail("RequestInfo", requestId=request_id))
        return Script(status, written(_body(status, message, code, *details)))


# -- reading ----------------------------------------------------------------------------------------------------------


def _address(received: Received) -> tuple[str, str, dict[str, list[str]]]:
    path, _, query = received.path.partition("?")
    before, models, named = path.partition("/models/")
    assert before, f"{path} has no version"
    assert models, f"{path} names no model"
    name, _, method = named.rpartition(":")
    return unquote(name), method, parse_qs(query)


def _spelled(value: Any) -> Any:
    """Return field names in JSON spelling. Google also accepts underscores, and its package sends some."""
    if isinstance(value, list):
        return [_spelled(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        first, *rest = name.split("_")
        spelled = first + "".join(word.capitalize() for word in rest)
        free = spelled in ("args", "response", "parameters", "parametersJsonSchema")  # the caller chooses these names
        found[spelled] = inner if free else _spelled(inner)
    return found


def _system(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "systemInstruction" not in body:
        return []
    return [{"role": "system", "content": "".join(part["text"] for part in body["systemInstruction"]["parts"])}]


def _turns(contents: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for turn in contents:
        parts = turn["parts"]
        for result in (part["functionResponse"] for part in parts if "functionResponse" in part):
            response = result["response"]
            content = response["output"] if response.keys() == {"output"} else json.dumps(response, ensure_ascii=False)
            yield {"role": "tool", "tool_call_id": result.get("id"), "content": content}
        calls = [_call(part["functionCall"]) for part in parts if "functionCall" in part]
        others = [_part(part) for part in parts if not part.keys() & {"functionCall", "functionResponse"}]
        if not others and not calls:
            continue
        alone = others[0]["text"] if len(others) == 1 and others[0].get("type") == "text" else others or None
        role = "assistant" if turn["role"] == "model" else turn["role"]
        yield {"role": role, "content": alone, **({"tool_calls": calls} if calls else {})}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if "inlineData" in part:
        data = part["inlineData"]
        return {"type": "image_url", "image_url": {"url": f"data:{data['mimeType']};base64,{data['data']}"}}
    if "fileData" in part:
        return {"type": "image_url", "image_url": {"url": part["fileData"]["fileUri"]}}
    return {"type": "text", **part}


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    assert isinstance(call["args"], dict), "Gemini takes the arguments of a function as an object"
    arguments = json.dumps(call["args"], ensure_ascii=False)
    return {"id": call.get("id"), "type": "function", "function": {"name": call["name"], "arguments": arguments}}


def _settings(body: Mapping[str, Any]) -> dict[str, Any]:
    config = body.get("generationConfig") or {}
    kind, schema = config.get("responseMimeType"), config.get("responseJsonSchema")
    found = {_CONFIG.get(name, name): value for name, value in without(config, "responseMimeType", "responseJsonSchema").items()}
    if schema is not None:
        assert kind == "application/json", "Gemini takes a schema of JSON only"
        found["response_format"] = {"type": "json_schema", "json_schema": {"schema": schema}}
    elif kind == "application/json":
        found["response_format"] = {"type": "json_object"}
    return found


def _tools(tool: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for declared in tool.get("functionDeclarations") or ():
        schema = {"parameters": declared["parametersJsonSchema"]} if "parametersJsonSchema" in declared else {}
        found.append({"type": "function", "function": {**without(declared, "parametersJsonSchema"), **schema}})
    return found or [dict(tool)]


def _choice(config: Mapping[str, Any]) -> Any:
    names: list[str] = config.get("allowedFunctionNames") or []
    if config["mode"] == "ANY" and len(names) == 1:
        return {"type": "function", "function": {"name": names[0]}}
    return _MODES.get(config["mode"], config["mode"])


# -- writing ----------------------------------------------------------------------------------------------------------


def _head(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"modelVersion": body["model"], "responseId": body["id"]}


def _candidate(choice: Mapping[str, Any], message: Mapping[str, Any], parts: list[Any], reason: str | None) -> dict[str, Any]:
    content = {"parts": parts, "role": "model", **extra_fields(message, "message")}
    ending = {} if reason is None else {"finishReason": _REASONS.get(reason, reason)}
    return {"content": content, **ending, "index": choice["index"], **extra_fields(choice, "choice")}


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    text = message.get("content")
    return (
        []
        if text is None and not message.get("tool_calls")
        else [
            *([] if text is None else [{"text": text}]),
            *(_function_call(call | call["function"], call["function"]["arguments"]) for call in message.get("tool_calls") or ()),
        ]
    )


def _function_call(call: Mapping[str, Any], arguments: str) -> dict[str, Any]:
    return {"functionCall": {"id": call.get("id"), "name": call["name"], "args": json.loads(arguments)}}


def _prompt(usage: Mapping[str, Any]) -> dict[str, Any]:
    return {"promptTokenCount": usage["prompt_tokens"], "totalTokenCount": usage["prompt_tokens"]}


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    counts = {"candidatesTokenCount": usage["completion_tokens"], "totalTokenCount": usage["total_tokens"]}
    return {"promptTokenCount": usage["prompt_tokens"], **counts, **extra_fields(usage, "usage")}


def _events(chunks: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    usage = usage_in(chunks)
    so_far = {} if usage is None else {"usageMetadata": _prompt(usage)}
    calls = calls_in(chunks)
    for chunk, choice in choices_of(chunks):
        delta, reason = choice["delta"], choice["finish_reason"]
        if delta.get("content"):
            candidate = _candidate(choice, delta, [{"text": delta["content"]}], None)
            yield {"candidates": [candidate], **so_far, **_head(chunk), **extra_fields(chunk, "answer")}
        if reason is None:
            continue
        for call, pieces in calls:
            part = _function_call(call, "".join(pieces))
            yield {"candidates": [_candidate(choice, {}, [part], None)], **so_far, **_head(chunk)}
        more = {} if usage is None else {"usageMetadata": _usage(usage)}
        yield {"candidates": [_candidate(choice, delta, [{"text": ""}], reason)], **more, **_head(chunk)}

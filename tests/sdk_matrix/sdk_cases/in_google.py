"""Requests of the google-genai package: contents of parts."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Mapping
from typing import Any

from modelmesh_connector_google import GoogleProvider

from sdk_cases.questions import PIXEL, SCHEMA
from sdk_cases.vendor import KEY, Cannot, Difference, Vendor, without

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from google import genai
    from google.genai import types

MODEL = "gemini-3.8-flash"
VECTORS = "gemini-embedding-001"  # several texts give several vectors, which the SDK joins for later models
ANSWER = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
    "modelVersion": MODEL,
    "responseId": "test",
}
EVENTS = (
    b'data: {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP", "index": 0}],'
    b'"usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},'
    b'"modelVersion": "gemini-3.8-flash", "responseId": "test"}\r\n\r\n'
)
SAID = {"role": "user", "parts": [{"text": "Hello"}]}


def _client(url: str) -> Any:
    return genai.Client(api_key=KEY, http_options={"base_url": url})


def _chat(url: str, asked: Mapping[str, Any], streams: bool) -> None:
    with _client(url) as client:
        if streams:
            list(client.models.generate_content_stream(model=MODEL, **asked))
        else:
            client.models.generate_content(model=MODEL, **asked)


def _embed(url: str, asked: Mapping[str, Any]) -> None:
    with _client(url) as client:
        client.models.embed_content(model=VECTORS, **asked)


def _hello(**config: Any) -> dict[str, Any]:
    return {"contents": [SAID], "config": config}


def _seen(part: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "What is it?"}, part]}]}


def _functions(mode: str | None = None, **more: Any) -> dict[str, Any]:
    declared = [
        {"name": "weather", "description": "Of today", "parameters_json_schema": SCHEMA},
        {"name": "time", "description": "Of now", "parameters_json_schema": SCHEMA},
    ]
    config: dict[str, Any] = {"tools": [{"function_declarations": declared}]}
    if mode:
        config["tool_config"] = {"function_calling_config": {"mode": mode, **more}}
    return config


def _called(id_: str, name: str, city: str) -> Any:
    return types.Part(function_call=types.FunctionCall(id=id_, name=name, args={"city": city}))


def _gave(id_: str, name: str, result: str) -> Any:
    return types.Part(function_response=types.FunctionResponse(id=id_, name=name, response={"output": result}))


ASKED: Mapping[str, Mapping[str, Any] | Cannot] = {
    "plain": _hello(),
    "system": _hello(system_instruction={"parts": [{"text": "Be brief."}]}),
    "developer": _hello(system_instruction={"parts": [{"text": "Be brief."}]}),
    "turns": {"contents": [SAID, {"role": "model", "parts": [{"text": "Hi."}]}, {"role": "user", "parts": [{"text": "And?"}]}]},
    "temperature 0": _hello(temperature=0),
    "top_p": _hello(top_p=0.5),
    "one stop": _hello(stop_sequences=["END"]),
    "stops": _hello(stop_sequences=["END", "FIN"]),
    "max_tokens": _hello(max_output_tokens=7),
    "max_completion_tokens": _hello(max_output_tokens=7),
    "seed": _hello(seed=0),
    "penalties": _hello(presence_penalty=0.5, frequency_penalty=0.25),
    "two answers": _hello(candidate_count=2),
    "logprobs": _hello(response_logprobs=True, logprobs=2),
    "effort": _hello(thinking_config={"thinking_level": "HIGH"}),
    "usage of a stream": _hello(),
    "user": Cannot("no parameter for who asks"),
    "tools": _hello(**_functions()),
    "tools auto": _hello(**_functions("AUTO")),
    "tools required": _hello(**_functions("ANY")),
    "tools none": _hello(**_functions("NONE")),
    "one tool": _hello(**_functions("ANY", allowed_function_names=["time"])),
    "one call at a time": Cannot("no parameter for calls at once"),
    "tool results": {
        "contents": [
            SAID,
            types.Content(role="model", parts=[_called("callOslo1", "weather", "Oslo"), _called("callRome2", "time", "Rome")]),
            types.Content(role="user", parts=[_gave("callOslo1", "weather", "rain"), _gave("callRome2", "time", "noon")]),
        ],
        "config": _functions(),
    },
    "image at an address": _seen(types.Part.from_uri(file_uri="https://example.org/a.png", mime_type="image/png")),
    "image as data": _seen(types.Part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png")),
    "JSON": _hello(response_mime_type="application/json"),
    "JSON schema": _hello(response_mime_type="application/json", response_json_schema=SCHEMA),
}


def _spelled(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {_camel(name): _spelled(item) for name, item in value.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def in_one_spelling(body: dict[str, Any]) -> None:
    spelled = _spelled(body)
    body.clear()
    body.update(spelled)


def _parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for content in body.get("contents", ()) for part in content["parts"]]


def _plain_base64(body: dict[str, Any]) -> None:
    for part in _parts(body):
        if "inlineData" in part:
            data = part["inlineData"]["data"]
            part["inlineData"]["data"] = base64.b64encode(base64.urlsafe_b64decode(data)).decode()


def _unsigned(body: dict[str, Any]) -> None:
    first = next((part for part in _parts(body) if "functionCall" in part), None)
    if first is not None:
        first["thoughtSignature"] = "skip_thought_signature_validator"


GOOGLE = Vendor(
    name="google-genai",
    provider=GoogleProvider,
    model=MODEL,
    key_header="x-goog-api-key",
    answer=ANSWER,
    events=EVENTS,
    asked=ASKED,
    chat=_chat,
    embedding_model=VECTORS,
    vectors=lambda count: {"embeddings": [{"values": [0.5]}] * count},
    embedded={
        "one text": {"contents": ["Hello"]},
        "texts": {"contents": ["Hello", "Bye"]},
        "dimensions": {"contents": ["Hello"], "config": {"output_dimensionality": 256}},
    },
    embed=_embed,
    differences=(
        Difference("the SDK mixes the two spellings of names that Google's JSON takes", in_one_spelling),
        Difference("an empty object is the same as none", without("generationConfig", {})),
        Difference("Google accepts both alphabets of base64, and ours is that of the caller's data", _plain_base64),
        Difference("OpenAI's form has no signature for a call, and Gemini 3 refuses one without", _unsigned),
    ),
)

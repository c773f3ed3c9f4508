"""Requests of the cohere package: its own chat, version 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cohere
from modelmesh_connector_cohere import CohereProvider

from sdk_cases.questions import CHATS, HI, SCHEMA, TOOLS
from sdk_cases.vendor import ALOUD, KEY, Cannot, Difference, Vendor, no_nulls, without

MODEL = "command-a-03-2025"
ANSWER = {
    "id": "test",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
    "usage": {"tokens": {"input_tokens": 1, "output_tokens": 1}},
}
EVENTS = (
    b'event: message-start\ndata: {"type":"message-start","id":"test","delta":{"message":{"role":"assistant","content":[]}}}\n\n'
    b'event: content-delta\ndata: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}\n\n'
    b'event: message-end\ndata: {"type":"message-end","delta":{"finish_reason":"COMPLETE",'
    b'"usage":{"tokens":{"input_tokens":1,"output_tokens":1}}}}\n\n'
)


def _chat(url: str, asked: Mapping[str, Any], streams: bool) -> None:
    with cohere.ClientV2(api_key=KEY, base_url=url) as client:
        if streams:
            list(client.chat_stream(model=MODEL, **asked))
        else:
            client.chat(model=MODEL, **asked)


def _embed(url: str, asked: Mapping[str, Any]) -> None:
    with cohere.ClientV2(api_key=KEY, base_url=url) as client:
        client.embed(model=MODEL, input_type="search_document", embedding_types=["float"], **asked)


def _hello(**parameters: Any) -> dict[str, Any]:
    return {"messages": [HI], **parameters}


ASKED: Mapping[str, Mapping[str, Any] | Cannot] = {
    **{name: CHATS[name] for name in ("plain", "system", "turns", "temperature 0", "max_tokens", "seed", "penalties", "tools")},
    **{name: CHATS[name] for name in ("tool results", "image at an address", "image as data", "JSON")},
    "developer": CHATS["system"],
    "top_p": _hello(p=0.5),
    "one stop": _hello(stop_sequences=["END"]),
    "stops": _hello(stop_sequences=["END", "FIN"]),
    "max_completion_tokens": _hello(max_tokens=7),
    "two answers": Cannot("one answer to a question"),
    "logprobs": Cannot("no number of alternatives, which has no effect"),
    "effort": Cannot("thinking is a budget of tokens"),
    "usage of a stream": CHATS["plain"],
    "user": Cannot("no parameter for who asks"),
    "tools auto": CHATS["tools"],
    "tools required": _hello(tools=TOOLS, tool_choice="REQUIRED"),
    "tools none": _hello(tools=TOOLS, tool_choice="NONE"),
    "one tool": Cannot("required or none, but no name"),
    "one call at a time": Cannot("no parameter for calls at once"),
    "JSON schema": _hello(response_format={"type": "json_object", "json_schema": SCHEMA}),
}

COHERE = Vendor(
    name="cohere",
    provider=CohereProvider,
    model=MODEL,
    answer=ANSWER,
    events=EVENTS,
    asked=ASKED,
    chat=_chat,
    embedding_model=MODEL,
    vectors=lambda count: {"id": "test", "response_type": "embeddings_by_type", "embeddings": {"float": [[0.5]] * count}},
    embedded={
        "one text": {"texts": ["Hello"]},
        "texts": {"texts": ["Hello", "Bye"]},
        "dimensions": {"texts": ["Hello"], "output_dimension": 256},
    },
    embed=_embed,
    differences=(
        Difference(ALOUD, without("stream", False)),
        Difference("null is the same as nothing", no_nulls),
    ),
)

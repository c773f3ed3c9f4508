"""Requests of the mistralai package: OpenAI's format with a few other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mistralai.client import Mistral
from modelmesh_connector_mistral import MistralProvider

from modelmesh_cdk.testing.upstream import completion, text_stream
from sdk_cases.openai_shaped import vectors
from sdk_cases.questions import CHATS, HI
from sdk_cases.vendor import ALOUD, KEY, Cannot, Difference, Vendor, without

MODEL = "test-model"


def _chat(url: str, asked: Mapping[str, Any], streams: bool) -> None:
    with Mistral(api_key=KEY, server_url=url) as client:
        if streams:
            with client.chat.stream(model=MODEL, **asked) as events:
                list(events)
        else:
            client.chat.complete(model=MODEL, **asked)


def _embed(url: str, asked: Mapping[str, Any]) -> None:
    with Mistral(api_key=KEY, server_url=url) as client:
        client.embeddings.create(model=MODEL, **asked)


def _vectors(count: int) -> dict[str, Any]:
    made = vectors(count)
    return {**made, "usage": {**made["usage"], "completion_tokens": 0}}


def _defaults(body: dict[str, Any]) -> None:
    for message in body.get("messages", ()):
        if message.get("prefix") is False:
            del message["prefix"]
        for call in message.get("tool_calls", ()):
            assert call.pop("index") == 0
    for tool in body.get("tools", ()):
        if tool["function"].get("strict") is False:
            del tool["function"]["strict"]


ASKED: Mapping[str, Mapping[str, Any] | Cannot] = {
    **CHATS,
    "developer": CHATS["system"],
    "max_completion_tokens": {"messages": [HI], "max_tokens": 7},
    "seed": {"messages": [HI], "random_seed": 0},
    "usage of a stream": CHATS["plain"],
    "user": Cannot("no parameter for who asks"),
}

MISTRAL = Vendor(
    name="mistralai",
    provider=MistralProvider,
    answer=completion(),
    events=b"".join(text_stream("Hi")),
    asked=ASKED,
    chat=_chat,
    vectors=_vectors,
    embedded={
        "one text": {"inputs": ["Hello"], "encoding_format": "float"},
        "texts": {"inputs": ["Hello", "Bye"], "encoding_format": "float"},
        "dimensions": {"inputs": ["Hello"], "encoding_format": "float", "output_dimension": 256},
    },
    embed=_embed,
    differences=(Difference(ALOUD, without("stream", False)), Difference(ALOUD, _defaults)),
)

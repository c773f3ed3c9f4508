"""Requests of the openai and groq packages, in OpenAI's format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import groq
import openai
from modelmesh_connector_groq import GroqProvider
from modelmesh_connector_openai import OpenAIProvider

from modelmesh_cdk.testing.upstream import completion, text_stream
from sdk_cases.questions import CHATS, EMBEDDINGS
from sdk_cases.vendor import KEY, Cannot, Difference, Vendor

MODEL = "test-model"


def vectors(count: int) -> dict[str, Any]:
    """Return embeddings in OpenAI's format."""
    rows = [{"object": "embedding", "index": place, "embedding": [0.5]} for place in range(count)]
    used = {"prompt_tokens": 1, "total_tokens": 1}
    return {"id": "test", "object": "list", "model": MODEL, "data": rows, "usage": used}


def _openai(url: str, asked: Mapping[str, Any], streams: bool) -> None:
    with openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0) as client:
        answer = client.chat.completions.create(model=MODEL, **asked, **({"stream": True} if streams else {}))
        if streams:
            list(answer)


def _embed(url: str, asked: Mapping[str, Any]) -> None:
    with openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0) as client:
        client.embeddings.create(model=MODEL, **asked)


def _groq(url: str, asked: Mapping[str, Any], streams: bool) -> None:
    with groq.Groq(api_key=KEY, base_url=url, max_retries=0) as client:
        answer = client.chat.completions.create(model=MODEL, **asked, **({"stream": True} if streams else {}))
        if streams:
            list(answer)


def _groq_embed(url: str, asked: Mapping[str, Any]) -> None:
    with groq.Groq(api_key=KEY, base_url=url, max_retries=0) as client:
        client.embeddings.create(model=MODEL, **asked)


def _usage_of_streams(body: dict[str, Any]) -> None:
    if body.get("stream"):
        body.setdefault("stream_options", {"include_usage": True})


def _no_developer(body: dict[str, Any]) -> None:
    for message in body.get("messages", ()):
        if message["role"] == "developer":
            message["role"] = "system"


COUNTED = Difference("the mesh counts every stream and requests its usage", _usage_of_streams)
OPENAI = Vendor(
    name="openai",
    provider=OpenAIProvider,
    answer=completion(),
    events=b"".join(text_stream("Hi")),
    asked=CHATS,
    chat=_openai,
    vectors=vectors,
    embedded=EMBEDDINGS,
    embed=_embed,
    differences=(COUNTED,),
)
GROQ = Vendor(
    name="groq",
    provider=GroqProvider,
    answer=completion(),
    events=b"".join(text_stream("Hi")),
    asked={
        **CHATS,
        "usage of a stream": Cannot("no stream options, but the last chunk has usage"),
        "two answers": Cannot("one answer a request"),
        "logprobs": Cannot("no log probabilities"),
    },
    chat=_groq,
    vectors=vectors,
    embedded={**EMBEDDINGS, "dimensions": Cannot("no parameter for the size of a vector")},
    embed=_groq_embed,
    differences=(COUNTED, Difference("Groq's own name of the role", _no_developer)),
)

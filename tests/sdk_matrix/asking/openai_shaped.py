"""openai and groq, whose SDKs are asked in the form that we are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import groq
import openai
from modelmesh_connector_groq import GroqProvider
from modelmesh_connector_openai import OpenAIProvider

from asking.questions import CHATS, EMBEDDINGS
from asking.vendor import KEY, Cannot, Vendor
from modelmesh_cdk.testing.upstream import completion, text_stream

MODEL = "test-model"


def vectors(count: int) -> dict[str, Any]:
    """Return embeddings in OpenAI's shape."""
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
)
GROQ = Vendor(
    name="groq",
    provider=GroqProvider,
    answer=completion(),
    events=b"".join(text_stream("Hi")),
    asked={**CHATS, "usage of a stream": Cannot("no options of a stream; its last chunk has usage anyway")},
    chat=_groq,
    vectors=vectors,
    embedded={**EMBEDDINGS, "dimensions": Cannot("no parameter for the size of a vector")},
    embed=_groq_embed,
)

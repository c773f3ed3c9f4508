"""Validation of responses with the types of the official openai package, strict for OpenAI's fields."""

from __future__ import annotations

import json
from typing import Any

import pytest

openai_chat = pytest.importorskip("openai.types.chat")
openai_types = pytest.importorskip("openai.types")

HI = [{"role": "user", "content": "Hello"}]
CALL = {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "c2lnbmVk"}
USED = {
    "promptTokenCount": 5, "candidatesTokenCount": 9, "thoughtsTokenCount": 3, "totalTokenCount": 17, "cachedContentTokenCount": 4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "finish", "expected"),
    [
        ([{"text": "Hm.", "thought": True}, {"text": "Hi."}], "STOP", "stop"),
        ([{"text": "I look."}, CALL], "STOP", "tool_calls"),
        ([{"text": "1, 2"}], "MAX_TOKENS", "length"),
        ([], "SAFETY", "content_filter"),
    ],
)
def test_send_response_matches_openai_type(
    upstream: Any, config: Any, way: Any, answer: Any, parts: Any, finish: str, expected: str
) -> None:
    event = answer(*parts, finish=finish, usage=USED)
    upstream.reply(event).stream([b"data: " + json.dumps(event).encode() + b"\r\n\r\n"])
    settings = config()
    whole = openai_chat.ChatCompletion.model_validate(way.send(settings, messages=HI).model_dump())
    assert whole.choices[0].finish_reason == expected
    assert whole.usage.completion_tokens_details.reasoning_tokens == 3
    assert whole.usage.prompt_tokens_details.cached_tokens == 4
    chunks = [openai_chat.ChatCompletionChunk.model_validate(chunk) for chunk in way.stream(settings, messages=HI)]
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == expected
    assert chunks[-1].usage.total_tokens == 17


def test_embed_response_matches_openai_type(upstream: Any, config: Any, way: Any) -> None:
    upstream.reply({"embeddings": [{"values": [0.5]}], "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4}})
    reply = openai_types.CreateEmbeddingResponse.model_validate(way.embed(config(), input="a").model_dump())
    assert reply.data[0].embedding == [0.5]

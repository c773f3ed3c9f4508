"""OpenAI dialect against the vendor's SDK: the SDK reads its responses, and it reads the SDK's requests."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.dialects import OpenAIDialect
from modelmesh_cdk.testing.dialects.samples import (
    CALLS,
    USAGE,
    VECTORS,
    WORDS,
    embedding_answer,
    text_answer,
    text_chunks,
    tool_chunks,
)

openai = pytest.importorskip("openai")
WIRE = OpenAIDialect()
HI = [{"role": "user", "content": "Hello!"}]


@pytest.fixture
def client(upstream: Upstream) -> Any:
    with openai.OpenAI(api_key="test-key", base_url=f"{upstream.url}/v1", max_retries=0) as made:
        yield made


def test_read_chat_of_sdk_request(client: Any, upstream: Upstream) -> None:
    upstream.then(Script(body=WIRE.write_response(text_answer())))
    reply = client.chat.completions.create(model="test-model", messages=HI, temperature=0)
    assert WIRE.key(upstream.last) == "test-key"
    assert upstream.last.path == "/v1" + WIRE.path("chat.completions", "test-model")
    assert WIRE.read_chat(upstream.last) == {"model": "test-model", "messages": HI, "temperature": 0}
    assert (reply.choices[0].message.content, reply.usage.total_tokens) == ("".join(WORDS), USAGE["total_tokens"])


def test_sdk_reads_streams(client: Any, upstream: Upstream) -> None:
    upstream.stream(WIRE.write_stream([*text_chunks(finish=None, usage=False), *tool_chunks()]))
    chunks = list(client.chat.completions.create(model="test-model", messages=HI, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "".join(WORDS)
    pieces = [piece for delta in deltas for piece in delta.tool_calls or ()]
    told = ["".join(piece.function.arguments or "" for piece in pieces if piece.index == place) for place in (0, 1)]
    assert told == [call["function"]["arguments"] for call in CALLS]


def test_sdk_reads_stream_error(client: Any, upstream: Upstream) -> None:
    upstream.stream([*WIRE.write_stream(text_chunks(("Hel",), finish=None, usage=False), done=False), *WIRE.write_error_event()])
    with pytest.raises(openai.APIError, match="down"):
        list(client.chat.completions.create(model="test-model", messages=HI, stream=True))


@pytest.mark.parametrize("form", ["float", "base64"])
def test_sdk_reads_embeddings(form: str, client: Any, upstream: Upstream) -> None:
    upstream.then(lambda received: Script(body=WIRE.write_embeddings(embedding_answer(), received)))
    rows = client.embeddings.create(model="test-model", input=["a", "b", "c"], encoding_format=form).data
    assert upstream.last.path == "/v1" + WIRE.path("embeddings", "test-model")
    assert WIRE.read_embeddings(upstream.last)["input"] == ["a", "b", "c"]
    if form == "float":
        assert [row.embedding for row in rows] == [*map(list, VECTORS)]
    else:
        assert all(isinstance(row.embedding, str) for row in rows)
        upstream.then(lambda received: Script(body=WIRE.write_embeddings(embedding_answer(), received)))
        unpacked = client.embeddings.create(
            model="test-model", input=["a", "b", "c"]
        ).data  # the SDK requests base64 and decodes it
        assert [list(row.embedding) for row in unpacked] == [*map(list, VECTORS)]
        assert WIRE.read_embeddings(upstream.last)["encoding_format"] == "base64"


@pytest.mark.parametrize("row", WIRE.error_responses, ids=lambda row: f"{row.status}-{row.failure}")
def test_sdk_reads_error_responses(row: Any, client: Any, upstream: Upstream) -> None:
    upstream.then(row.script())
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="test-model", messages=HI)
    assert (caught.value.status_code, caught.value.code) == (row.status, row.body["error"]["code"])


def test_write_error_has_delay_and_request_id(client: Any, upstream: Upstream) -> None:
    upstream.then(WIRE.write_error(429, "busy", wait=7, request_id="req-test"))
    with pytest.raises(openai.RateLimitError, match="busy") as caught:
        client.chat.completions.create(model="test-model", messages=HI)
    assert (caught.value.request_id, caught.value.response.headers["retry-after"]) == ("req-test", "7")

"""Types of the public interface, checked by ``nox -s types`` with mypy and pyright, never run.

A line with ``# type: ignore`` must fail: both checkers report an ignore comment that is not needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import modelmesh
from modelmesh import MeshClient, MeshConfig, OpenAIClient, create, create_async
from modelmesh.cdk import BaseProvider, BaseStrategy, QuickProvider
from modelmesh.client import (
    AsyncStream,
    Attempt,
    AttemptOutcome,
    Batch,
    BinaryReply,
    CandidateInfo,
    ChatCompletion,
    ChatCompletionChunk,
    Explanation,
    ImageEvent,
    ImagesResponse,
    PoolInfo,
    ResponseEvent,
    SpeechEvent,
    StatisticsCollector,
    Stream,
    StrictMeshClient,
    TextReply,
    ToolCall,
    Transcription,
    TranscriptionEvent,
    UsageEntry,
    UsageTracker,
)
from modelmesh.contracts import Candidate, Candidates, SelectionRequest, SelectionResult
from modelmesh.proxy import ProxyServer, ServerStatus
from modelmesh.testing import mock_client

client = create("chat-completion", providers=["openai"], strategy="round-robin")
assert_type(client, MeshClient)
assert_type(create_async(config=MeshConfig.from_file("modelmesh.yaml")), OpenAIClient)
assert_type(client.rotate("chat-completion"), str)
assert_type(client.active_providers(), list[str])
assert_type(client.describe(), str)
assert_type(client.pool_status()["chat-completion"].current_model, str | None)
assert_type(client.usage.total_tokens, int)
assert_type(client.explain("chat-completion").selected_model, str | None)
assert_type(client.models.list().data[0].id, str)
assert_type(mock_client(["Hello!"]).calls[0].model, str)

with modelmesh.create(pool="text-generation") as other:
    assert_type(other, MeshClient)

provider: BaseProvider = QuickProvider(base_url="http://127.0.0.1:1", api_key="test", models=["m"])

with ProxyServer("modelmesh.yaml", port=0) as server:
    assert_type(server.url, str)
    assert_type(server.get_status(), ServerStatus)


class Mine(BaseStrategy):
    """A strategy."""

    id = "acme.mine.v1"

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult | Candidate:
        """Choose."""
        return next(iter(candidates))


try:
    client.chat.completions.create(model="chat-completion", messages=[])
except modelmesh.RateLimitError as error:
    assert_type(error.status, int | None)
except modelmesh.AllProvidersExhaustedError as error:
    assert_type(error.attempts[0].model_id, str)


async def asynchronous() -> None:
    """The same for asyncio."""
    aclient = create_async("chat-completion")
    answer = await aclient.chat.completions.create(model="chat-completion", messages=[], temperature=0.2)
    assert_type(answer, ChatCompletion)
    chunks = await aclient.chat.completions.create(model="chat-completion", messages=[], stream=True)
    assert_type(chunks, AsyncStream[ChatCompletionChunk])
    async for one in chunks:
        assert_type(one, ChatCompletionChunk)
    vectors = await aclient.embeddings.create(model="text-embeddings", input=["a"], timeout=3.0)
    assert_type(vectors.data[0].embedding, list[float])
    assert_type(aclient.with_options(timeout=5.0), OpenAIClient)


reply = client.chat.completions.create(
    model="chat-completion",
    messages=[{"role": "user", "content": "hi"}],
    tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
    extra_body={"a parameter of one vendor": 1},
    a_parameter_of_another_vendor=2,
    only_providers=["openai"],
)
assert_type(reply, ChatCompletion)
assert_type(reply.choices[0].message.content, str | None)
assert_type(reply.usage.total_tokens if reply.usage else None, int | None)
assert_type(reply.provider, str)
stream = client.chat.completions.create(model="chat-completion", messages=[], stream=True)
assert_type(stream, Stream[ChatCompletionChunk])
for chunk in stream:
    assert_type(chunk, ChatCompletionChunk)
    assert_type(chunk.choices[0].delta.content, str | None)
either = client.chat.completions.create(model="chat-completion", messages=[], stream=bool(stream))
assert_type(either, ChatCompletion | Stream[ChatCompletionChunk])
assert_type(client.embeddings.create(model="text-embeddings", input="a").data[0].embedding, list[float])
assert_type(client.with_options(max_retries=0), MeshClient)
assert_type(client.recover("chat-completion"), list[str])

history = [{"role": "user", "content": "hi"}]
client.chat.completions.create(model="chat-completion", messages=[*history, reply.choices[0].message])
assert_type(reply.choices[0].finish_reason, str | None)
assert_type(reply.choices[0].message.tool_calls, list[ToolCall] | None)
assert_type(reply.latency_ms, float)
assert_type(client.chat.completions.with_raw_response.create(model="m", messages=[]).parse(), ChatCompletion)
assert_type(client.pool_status()["chat-completion"].active, int)
assert_type(client.mesh.get_client(), OpenAIClient)
assert_type(modelmesh.ModelMesh({}).client, MeshClient)
client.chat.completions.create(model="chat-completion")  # type: ignore[call-overload]
client.chat.completions.create(model="chat-completion", messages=[], temperature="hot")  # type: ignore[call-overload]
client.embeddings.create(model="text-embeddings")  # type: ignore[call-arg]

strict = create("chat-completion", strict_parameters=True)
assert_type(strict, StrictMeshClient)
assert_type(strict.chat.completions.create(model="chat-completion", messages=[], temperature=0.2), ChatCompletion)
assert_type(strict.chat.completions.create(model="chat-completion", messages=[], stream=True), Stream[ChatCompletionChunk])
strict.chat.completions.create(model="chat-completion", messages=[], temprature=3)  # type: ignore[call-overload]
strict.embeddings.create(model="text-embeddings", input="a", dimension=3)  # type: ignore[call-arg]

print(client.usgae)  # type: ignore[attr-defined]
client.embeddngs.create(model="text-embeddings", input="a")  # type: ignore[attr-defined]
client.chat.completions.creat(model="chat-completion", messages=[])  # type: ignore[attr-defined]
client.models.delete("m")  # type: ignore[attr-defined]
reply.choises[0]  # type: ignore[attr-defined]
print(reply.choices[0].mesage)  # type: ignore[attr-defined]
print(reply.usage.total_tokns if reply.usage else 0)  # type: ignore[attr-defined]
reply.modle = "m"  # type: ignore[attr-defined]
assert_type(reply["a field of one vendor"], Any)
assert_type(client.pool_status()["chat-completion"], PoolInfo)
assert_type(client.usage, UsageTracker)
assert_type(client.usage.total, UsageEntry)
assert_type(client.explain("chat-completion"), Explanation)
assert_type(client.explain("chat-completion").candidates[0], CandidateInfo)
assert_type(client.mesh.stats(), StatisticsCollector)
assert_type(reply.attempts[0], Attempt)
assert_type(reply.attempts[0].outcome, AttemptOutcome)


speech = client.audio.speech.create(model="text-to-speech", input="hi", voice="alloy")
assert_type(speech, BinaryReply)
assert_type(client.audio.speech.create(model="text-to-speech", input="hi", stream_format="sse"), Stream[SpeechEvent])
assert_type(client.audio.transcriptions.create(model="speech-to-text", file=Path("a.mp3")), Transcription)
assert_type(client.audio.transcriptions.create(model="speech-to-text", file=b"a", response_format="srt"), TextReply)
assert_type(client.audio.transcriptions.create(model="m", file=("a", b"a"), stream=True), Stream[TranscriptionEvent])
assert_type(client.audio.translations.create(model="speech-to-text", file=b"a").text, str)
assert_type(client.images.generate(prompt="a cat", size="1024x1024").data[0].url, str | None)
assert_type(client.images.edit(prompt="a hat", image=[b"a", Path("b.png")], stream=True), Stream[ImageEvent])
assert_type(client.moderations.create(input="a").results[0].flagged, bool)
assert_type(client.completions.create(model="chat-completion", prompt="a").choices[0].text, str)
assert_type(client.responses.create(model="chat-completion", input="a").output_text, str)
assert_type(client.responses.create(model="chat-completion", input="a", stream=True), Stream[ResponseEvent])
assert_type(client.rerank.create(query="a", documents=["b"]).results[0].relevance_score, float)
assert_type(client.search.create(query="a").results[0].url, str | None)
assert_type(client.files.create(file=b"a", purpose="batch").id, str)
assert_type([one.filename for one in client.files.list()], list[str])
assert_type(client.files.content("file-1"), BinaryReply)
assert_type(client.batches.retrieve("batch_1"), Batch)
assert_type(client.uploads.parts.create("upload_1", data=b"a").id, str)
assert_type(client.images.with_raw_response.generate(prompt="a").parse(), ImagesResponse)
assert_type(client.chat.completions.parse(model="m", messages=[]).choices[0].message.content, str | None)
with client.chat.completions.stream(model="m", messages=[]) as assembled:
    assert_type(assembled.get_final_completion(), ChatCompletion)
with client.audio.speech.with_streaming_response.create(model="m", input="hi") as response:
    response.stream_to_file("speech.mp3")
client.images.generate(promt="a cat")  # type: ignore[call-overload]
client.audio.speech.create(model="m", input="hi", speed="fast")  # type: ignore[call-overload]
client.files.retrieve()  # type: ignore[call-arg]
client.rerank.create(query="a")  # type: ignore[call-arg]


async def operations() -> None:
    """The same for asyncio."""
    aclient = create_async("chat-completion")
    assert_type(await aclient.audio.speech.create(model="text-to-speech", input="hi"), BinaryReply)
    assert_type(await aclient.responses.create(model="m", input="a", stream=True), AsyncStream[ResponseEvent])
    assert_type((await aclient.files.list()).data[0].id, str)
    async for file in aclient.files.list():
        assert_type(file.filename, str)
    raw = await aclient.images.with_raw_response.generate(prompt="a")
    assert_type(raw.parse(), ImagesResponse)
    async with aclient.responses.stream(model="m", input="a") as events:
        assert_type((await events.get_final_response()).output_text, str)


async def misspelled() -> None:
    """The same for asyncio."""
    aclient = create_async("chat-completion")
    print(aclient.usgae)  # type: ignore[attr-defined]
    await aclient.chat.completions.creat(model="chat-completion", messages=[])  # type: ignore[attr-defined]

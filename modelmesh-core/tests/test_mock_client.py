"""Mock client and virtual clock."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import modelmesh
from modelmesh.client import MeshClient
from modelmesh.contracts import FailureClass
from modelmesh.errors import AllProvidersExhaustedError, BadRequestError, ProviderServerError, RateLimitError
from modelmesh.testing import MockCall, MockProvider, MockResponse, VirtualClock, mock_client

MESSAGES = [{"role": "user", "content": "Hello!"}]


def ask(client: MeshClient, **more: object) -> object:
    return client.chat.completions.create(model="chat-completion", messages=MESSAGES, **more)


def test_mock_client_without_responses_has_a_default() -> None:
    with mock_client() as client:
        reply = ask(client)
        assert isinstance(client, MeshClient)
    assert (reply.content, reply.model, reply.choices[0].finish_reason) == ("Mock response", "mock-model", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (3, 7, 10)
    assert re.fullmatch(r"mock-[0-9a-f]{8}", reply.id)
    assert reply.object == "chat.completion"
    assert reply.created > 0


def test_mock_client_repeats_the_last_response() -> None:
    with mock_client(["one", MockResponse("two"), "three"]) as client:
        assert [ask(client).content for _ in range(5)] == ["one", "two", "three", "three", "three"]
        assert len(client.calls) == 5


def test_mock_client_response_names_its_model() -> None:
    with mock_client([MockResponse("a", model="big"), MockResponse("b", model="small"), "c"]) as client:
        assert [ask(client).model for _ in range(4)] == ["big", "small", "mock-model", "mock-model"]
        assert [card.id for card in client.models.list()] == ["big", "small", "mock-model"]


def test_mock_client_records_calls() -> None:
    with mock_client(["hi"]) as client:
        client.chat.completions.create(model="text-generation", messages=MESSAGES, temperature=0.5, tools=[{"type": "function"}])
        (call,) = client.calls
    assert call == MockCall(
        "text-generation", MESSAGES, {"temperature": 0.5, "tools": [{"type": "function"}]}, MockResponse("hi")
    )


@pytest.mark.parametrize(
    ("response", "usage"),
    [
        (MockResponse(tokens=9), (3, 6, 9)),
        (MockResponse(tokens=0), (0, 0, 0)),
        (MockResponse(tokens=9, prompt_tokens=8), (8, 1, 9)),
        (MockResponse(prompt_tokens=4, completion_tokens=5), (4, 5, 9)),
    ],
)
def test_mock_response_usage_from_token_counts(response: MockResponse, usage: tuple[int, int, int]) -> None:
    with mock_client([response]) as client:
        found = ask(client).usage
        assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == usage
        assert client.usage.total_tokens == usage[2]


def test_mock_client_returns_tool_calls() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    with mock_client([MockResponse(None, tool_calls=[call], finish_reason="tool_calls")]) as client:
        message = ask(client).choices[0].message
        assert (message.content, message.tool_calls[0].function.name) == (None, "f")
        chunks = list(ask(client, stream=True))
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
        assert chunks[1].choices[0].delta.tool_calls[0].function.name == "f"
        assert chunks[1].choices[0].delta.tool_calls[0].index == 0


def test_mock_client_streams_line_by_line() -> None:
    with mock_client([MockResponse("one\ntwo", tokens=9)]) as client, ask(client, stream=True) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one\ntwo"
    assert [chunk.choices[0].delta.role for chunk in chunks] == ["assistant", None, None, None]
    assert [chunk.usage and chunk.usage.total_tokens for chunk in chunks] == [None, None, None, 9]
    assert len({chunk.id for chunk in chunks}) == 1
    assert "stream" not in client.calls[0].kwargs


def test_mock_client_has_introspection_of_a_real_client() -> None:
    with mock_client() as client:
        assert client.active_providers() == ["mock-provider"]
        assert client.pool_status()["chat-completion"].current_model == "mock-model"
        assert "mock-model [modelmesh.mock.v1] (active)" in client.describe()
        assert client.explain("chat-completion").selected_model == "mock-model"
    with mock_client(pools=["mine"]) as client:
        assert client.chat.completions.create(model="mine", messages=[]).content == "Mock response"
        with pytest.raises(KeyError):
            client.chat.completions.create(model="reranking", messages=[])


def test_mock_client_raises_provider_errors_without_waiting() -> None:
    slow_down = RateLimitError("slow down", failure=FailureClass.THROTTLE, status=429, upstream_delay_s=300.0)
    with mock_client([slow_down, "again"]) as client:
        with pytest.raises(RateLimitError) as caught:
            ask(client)
        assert isinstance(caught.value, AllProvidersExhaustedError)
        client.clock.advance(400)
        assert ask(client).content == "again"
        assert isinstance(client.calls[0].response, RateLimitError)


def test_mock_client_retries_without_waiting() -> None:
    down = ProviderServerError("down", failure=FailureClass.SERVER, status=500)
    with mock_client([down, down, "up"]) as client:
        assert ask(client).content == "up"
        assert isinstance(client.clock, VirtualClock)
        assert len(client.clock.slept) == 2
        assert [attempt.outcome for attempt in ask(client).attempts] == ["answered"]


def test_mock_client_serves_asynchronous_clients() -> None:
    async def main() -> str:
        async with mock_client(["hi"]) as client:
            reply = await client.mesh.get_client().chat.completions.create(model="chat-completion", messages=MESSAGES)
            stream = await client.mesh.get_client().chat.completions.create(
                model="chat-completion", messages=MESSAGES, stream=True
            )
            return reply.content + "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(main()) == "hihi"


def test_mock_provider_lists_its_model() -> None:
    provider = MockProvider(["a", MockResponse("b", model="ignored")], model="only")
    with modelmesh.create(config={"providers": {"p": {"instance": provider}}, "pools": {"chat-completion": {}}}) as client:
        assert [ask(client).model for _ in range(2)] == ["only", "only"]


def test_virtual_clock_advances_on_sleep() -> None:
    clock = VirtualClock(5.0)
    clock.sleep(2)
    asyncio.run(clock.asleep(3))
    assert (clock(), clock.advance(1), clock.slept) == (10.0, 11.0, [2, 3])
    assert repr(clock) == "<VirtualClock 11 s>"


OPERATIONS: dict[str, tuple[dict[str, Any], Callable[[Any], Any], Any]] = {
    "embeddings.create": ({"model": "text-embeddings", "input": ["a", "b"]}, lambda reply: len(reply.data), 2),
    "completions.create": ({"model": "chat-completion", "prompt": "a"}, lambda reply: reply.choices[0].text, "Hello!"),
    "responses.create": ({"model": "chat-completion", "input": "a"}, lambda reply: reply.output_text, "Hello!"),
    "audio.speech.create": ({"model": "text-to-speech", "input": "a"}, bytes, b"Hello!"),
    "audio.transcriptions.create": ({"model": "speech-to-text", "file": b"a"}, lambda reply: reply.text, "Hello!"),
    "audio.translations.create": (
        {"model": "speech-to-text", "file": b"a", "response_format": "verbose_json"}, lambda reply: reply.segments[0].text, "Hello!",
    ),
    "images.generate": ({"prompt": "a", "n": 2}, lambda reply: len(reply.data), 2),
    "images.edit": ({"prompt": "a", "image": b"a", "response_format": "b64_json"}, lambda reply: reply.data[0].b64_json, "SGVsbG8h"),
    "moderations.create": ({"input": ["a", "b"]}, lambda reply: [one.flagged for one in reply.results], [False, False]),
    "rerank.create": ({"query": "a", "documents": ["b", "c"], "top_n": 1}, lambda reply: [one.index for one in reply.results], [0]),
    "search.create": ({"query": "a"}, lambda reply: reply.results[0].snippet, "Hello!"),
}  # fmt: skip


@pytest.mark.parametrize("path", OPERATIONS)
def test_mock_client_serves_every_operation(path: str) -> None:
    arguments, read, expected = OPERATIONS[path]
    with mock_client(["Hello!"]) as client:
        method: Any = client
        for name in path.split("."):
            method = getattr(method, name)
        reply = method(**arguments)
    assert read(reply) == expected
    assert reply.provider == "mock-provider"
    assert len(client.calls) == 1


@pytest.mark.parametrize("form", ["text", "srt", "vtt"])
def test_mock_client_transcribes_to_text(form: str) -> None:
    text = mock_client(["Hello!"]).audio.transcriptions.create(model="speech-to-text", file=b"a", response_format=form)
    assert isinstance(text, str)
    assert "Hello!" in text


STREAMS: dict[str, tuple[dict[str, Any], str]] = {
    "audio.speech.create": ({"model": "text-to-speech", "input": "a", "stream_format": "sse"}, "speech.audio.done"),
    "audio.transcriptions.create": ({"model": "speech-to-text", "file": b"a", "stream": True}, "transcript.text.done"),
    "images.generate": ({"prompt": "a", "stream": True, "partial_images": 2}, "image_generation.completed"),
    "images.edit": ({"prompt": "a", "image": b"a", "stream": True}, "image_edit.completed"),
    "responses.create": ({"model": "chat-completion", "input": "a", "stream": True}, "response.completed"),
}


@pytest.mark.parametrize("path", STREAMS)
def test_mock_client_streams_events_of_every_operation(path: str) -> None:
    arguments, last = STREAMS[path]
    with mock_client(["one\ntwo"]) as client:
        method: Any = client
        for name in path.split("."):
            method = getattr(method, name)
        assert [event.type for event in method(**arguments)][-1] == last


def test_mock_client_streams_speech_to_a_file(tmp_path: Path) -> None:
    create = mock_client(["one\ntwo"]).audio.speech.with_streaming_response.create
    with create(model="text-to-speech", input="a") as response:
        response.stream_to_file(tmp_path / "speech.mp3")
    assert (tmp_path / "speech.mp3").read_bytes() == b"one\ntwo"


def test_mock_client_keeps_files_batches_and_uploads() -> None:
    client = mock_client()
    file = client.files.create(file=("a.jsonl", b"{}"), purpose="batch")
    assert (file.id.endswith("@mock-provider"), client.files.content(file.id)) == (True, b"{}")
    assert [one.id for one in client.files.list()] == [client.files.retrieve(file.id).id] == [file.id]
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert (client.batches.retrieve(batch.id).status, client.batches.cancel(batch.id).status) == ("in_progress", "cancelled")
    upload = client.uploads.upload_file_chunked(file=b"abcde", filename="b", mime_type="text/plain", purpose="batch", part_size=2)
    assert upload.file is not None
    assert client.files.content(upload.file.id) == b"abcde"
    assert client.files.delete(file.id).deleted
    with pytest.raises(BadRequestError, match="No such resource"):
        client.files.retrieve(file.id)

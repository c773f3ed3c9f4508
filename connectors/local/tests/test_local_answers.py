"""Conversion of the library's chunks to OpenAI's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from modelmesh_connector_local.answers import ChunkConverter, ResponseBuilder

from modelmesh.contracts import FailureClass
from modelmesh.contracts.call import Call
from modelmesh.errors import BadRequestError, ProviderServerError

BASE = {"id": "chatcmpl-1", "created": 1, "model": "/some/where/file.gguf", "object": "chat.completion.chunk"}


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {**BASE, "choices": choices, **more}


def stream() -> list[dict[str, Any]]:
    """Chunks of xllamacpp 2026.10.11549 with progress and usage."""
    return [
        chunk({"role": "assistant", "content": None}, prompt_progress={"total": 9, "processed": 4}),
        chunk({"role": "assistant", "content": None}, prompt_progress={"total": 9, "processed": 9}),
        chunk({"role": "assistant", "content": None}),
        chunk({"content": "Pa"}),
        chunk({"content": "ris"}),
        chunk({}, "stop"),
        chunk(None, usage={"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}, timings={"predicted_n": 2}),
    ]


def read(chunks: ChunkConverter, pieces: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*(out for piece in pieces for out in chunks.take(piece)), *chunks.finish()]


def test_converter_stream_has_one_role_name_and_usage(chat: Callable[..., Call]) -> None:
    out = read(ChunkConverter(chat(stream=True), "mine"), stream())
    assert [one["choices"][0]["delta"] for one in out] == [
        {"role": "assistant", "content": None},
        {"content": "Pa"},
        {"content": "ris"},
        {},
    ]
    assert {one["model"] for one in out} == {"mine"}
    assert [one["choices"][0]["finish_reason"] for one in out] == [None, None, None, "stop"]
    assert out[-1]["usage"]["total_tokens"] == 11
    assert out[-1]["timings"] == {"predicted_n": 2}
    assert not any("usage" in one for one in out[:-1])


def test_converter_include_usage_sends_separate_chunk(chat: Callable[..., Call]) -> None:
    out = read(ChunkConverter(chat(stream=True, stream_options={"include_usage": True}), "mine"), stream())
    assert out[-1]["choices"] == []
    assert out[-1]["usage"]["total_tokens"] == 11
    assert "usage" not in out[-2]


def test_converter_missing_usage_stays_missing(chat: Callable[..., Call]) -> None:
    out = read(ChunkConverter(chat(stream=True), "mine"), stream()[:-1])
    assert out[-1]["choices"][0]["finish_reason"] == "stop"
    assert "usage" not in out[-1]


def test_converter_requested_progress_is_passed_on(chat: Callable[..., Call]) -> None:
    out = read(ChunkConverter(chat(stream=True, return_progress=True), "mine"), stream())
    assert [one["prompt_progress"]["processed"] for one in out if "prompt_progress" in one] == [4, 9]
    assert sum("role" in one["choices"][0]["delta"] for one in out) == 1


def test_builder_chunks_form_complete_response(chat: Callable[..., Call]) -> None:
    whole = ResponseBuilder()
    for one in read(ChunkConverter(chat(), "mine"), stream()):
        whole.add(one)
    assert whole.finished
    assert whole.body() == {
        **BASE,
        "model": "mine",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
        "timings": {"predicted_n": 2},
    }


def test_builder_lists_and_unknown_fields_are_joined() -> None:
    whole = ResponseBuilder()
    for word in ("a", "b"):
        piece = chunk({"content": word, "reasoning_content": word.upper()})
        piece["choices"][0]["logprobs"] = {"content": [{"token": word}]}
        whole.add(piece)
    (choice,) = whole.body()["choices"]
    assert choice["message"] == {"role": "assistant", "content": "ab", "reasoning_content": "AB"}
    assert choice["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}]}
    assert not whole.finished


@pytest.mark.parametrize(
    ("error", "kind", "failure"),
    [
        ({"code": 400, "type": "exceed_context_size_error", "message": "too long"}, BadRequestError, FailureClass.CAPABILITY),
        ({"code": 400, "type": "invalid_request_error", "message": "bad"}, BadRequestError, FailureClass.REFUSED),
        ({"code": 500, "type": "server_error", "message": "broken"}, ProviderServerError, FailureClass.SERVER),
        ("just words", ProviderServerError, FailureClass.SERVER),
    ],
)
def test_converter_error_chunk_raises_mapped_error(
    error: Any, kind: type[Exception], failure: FailureClass, chat: Callable[..., Call]
) -> None:
    with pytest.raises(kind) as caught:
        ChunkConverter(chat(), "mine").take({"error": error})
    assert caught.value.failure is failure  # type: ignore[attr-defined]


def test_converter_invalid_chunk_raises_mapped_error(chat: Callable[..., Call]) -> None:
    with pytest.raises(ProviderServerError):
        ChunkConverter(chat(), "mine").take("words")

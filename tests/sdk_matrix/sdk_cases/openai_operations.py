"""Requests of the openai, groq and anthropic packages for operations other than chat completions and embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial, reduce
from typing import Any

import anthropic
import groq
import openai
from modelmesh_connector_anthropic import AnthropicProvider
from modelmesh_connector_groq import GroqProvider
from modelmesh_connector_openai import OpenAIProvider

from modelmesh_cdk.testing.dialects.operation_samples import OPERATION_SAMPLES, PNG, upload
from sdk_cases.operation_case import OperationCase, is_streamed_with_events, plain, script_of, sdk_arguments, unchanged
from sdk_cases.vendor import KEY

OF_OTHER_VENDORS = ("messages", "rerank", "search", "documents.parse")
OPENAI_METHODS = {name: name for name in OPERATION_SAMPLES if name not in OF_OTHER_VENDORS} | {
    name: f"{name}.create"
    for name in ("completions", "responses", "audio.speech", "audio.transcriptions", "audio.translations", "moderations")
}
GROQ_METHODS = {name: OPENAI_METHODS[name] for name in OPENAI_METHODS if name.startswith(("audio.", "files.", "batches."))} | {
    "files.retrieve": "files.info"
}
VARIANTS: tuple[tuple[str, str, Mapping[str, Any], Any], ...] = (
    ("audio.transcriptions", "subtitles", {"file": upload(), "response_format": "srt"}, "1\n00:00:00,000 --> 00:00:01,000\nHi\n"),
    ("audio.transcriptions", "text", {"file": upload(), "response_format": "text"}, "Hi\n"),
    (
        "audio.transcriptions",
        "words",
        {"file": upload(), "response_format": "verbose_json", "timestamp_granularities": ["word", "segment"], "temperature": 0.5},
        {"text": "Hi", "language": "english", "duration": 1.0, "words": [{"word": "Hi", "start": 0.0, "end": 1.0}]},
    ),
    (
        "audio.transcriptions",
        "chunks",
        {"file": upload(), "chunking_strategy": {"type": "server_vad", "threshold": 0.5}, "include": ["logprobs"]},
        {"text": "Hi"},
    ),
    (
        "images.edit",
        "several files",
        {
            "image": [upload(PNG, "a.png", "image/png"), upload(PNG, "ü.png", "image/png")],
            "prompt": "a",
            "mask": upload(PNG, "m"),
        },
        None,
    ),
    ("files.list", "pages", {"after": "file-a", "limit": 3, "order": "asc"}, None),
    ("files.retrieve", "strange ID", {"file_id": "file a/ü?"}, None),
    ("responses", "tools", {"input": "a", "tools": [{"type": "web_search"}], "text": {"format": {"type": "text"}}}, None),
)
OF_GROQ = ("text", "words", "strange ID")


def _openai(method: str, arguments: Mapping[str, Any], streams: bool, url: str) -> Any:
    with openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0) as client:
        return _called(client, method, arguments, streams)


def _groq(method: str, arguments: Mapping[str, Any], streams: bool, url: str) -> Any:
    with groq.Groq(api_key=KEY, base_url=url, max_retries=0) as client:
        return _called(client, method, arguments, streams)


def _anthropic(method: str, arguments: Mapping[str, Any], streams: bool, url: str) -> Any:
    with anthropic.Anthropic(api_key=KEY, base_url=url, max_retries=0) as client:
        return _called(client, method, arguments, streams)


def _called(client: Any, method: str, arguments: Mapping[str, Any], streams: bool) -> Any:
    call = reduce(getattr, method.split("."), client)
    return plain(call(**arguments, **({"stream": True} if streams else {})), streams=streams)


def _counts_stream(fields: dict[str, Any]) -> None:
    """Ask for the usage of a stream, as the mesh does to count every stream."""
    fields.setdefault("stream_options", {"include_usage": True})


def _cases(vendor: str, provider: type[Any], send: Callable[..., Any], methods: Mapping[str, str]) -> Iterator[OperationCase]:
    variants = [row for row in VARIANTS if row[0] in methods and (vendor == "openai" or row[1] in OF_GROQ)]
    rows = [(name, "", _payload(vendor, name), None) for name in methods]
    for name, note, payload, answer in (*rows, *variants):
        streamed = is_streamed_with_events(name) and not note and vendor != "groq"
        for streams in (False, True) if streamed else (False,):
            yield OperationCase(
                vendor=vendor,
                provider=provider,
                operation=name,
                payload=payload,
                sdk=partial(send, methods[name], sdk_arguments(name, payload), streams),
                script=script_of(name, answer, streams=streams),
                streams=streams,
                change=_counts_stream if streams and name == "completions" else unchanged,
                read=_nothing if name == "responses.delete" else _same,
                note=note,
            )


def _payload(vendor: str, name: str) -> Mapping[str, Any]:
    """Return the sample request. The groq package has no pages."""
    return {} if vendor == "groq" and name.endswith(".list") else OPERATION_SAMPLES[name].payload


def _same(value: Any) -> Any:
    return value


def _nothing(value: Any) -> None:
    """Return what the openai package returns for a deleted response."""
    assert value["deleted"]


OPENAI_CASES = tuple(_cases("openai", OpenAIProvider, _openai, OPENAI_METHODS))
GROQ_CASES = tuple(_cases("groq", GroqProvider, _groq, GROQ_METHODS))
ANTHROPIC_CASES = tuple(_cases("anthropic", AnthropicProvider, _anthropic, {"messages": "messages.create"}))

"""Tests of replies and streams other than chat completions and embeddings."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import pytest

from modelmesh.contracts import OPERATIONS, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.files import FileUpload
from modelmesh.errors import BadUpstreamResponseError, ProviderError, ProviderServerError, RateLimitError
from modelmesh_cdk import OpenAICompatibleProvider, OperationCodec
from modelmesh_cdk.testing import Script, Upstream

FILE = FileUpload("a.mp3", 3, open=lambda: io.BytesIO(b"ID3"))
PAYLOADS: dict[str, dict[str, Any]] = {
    "audio.speech": {"input": "a", "voice": "v"},
    "files.content": {"file_id": "f"},
    "audio.transcriptions": {"file": FILE},
    "srt": {"file": FILE, "response_format": "srt"},
    "text": {"file": FILE, "response_format": "text"},
    "images.generate": {"prompt": "a"},
    "moderations": {"input": "a"},
    "responses": {"input": "a"},
    "responses.retrieve": {"response_id": "r"},
    "completions": {"prompt": "a"},
    "messages": {"messages": [], "max_tokens": 1},
    "speech events": {"input": "a", "stream_format": "sse"},
}
NAMES = {"srt": "audio.transcriptions", "text": "audio.transcriptions", "speech events": "audio.speech"}
PAGE = Script(body=b"<html>Welcome</html>", content_type="text/html")
LIMITED = {"error": {"message": "busy", "code": "rate_limit_exceeded"}}


class Acme(OpenAICompatibleProvider):
    id = "acme.media.v1"
    default_base_url = "https://api.acme.example"


def data(value: Any, **more: Any) -> Script:
    return Script(body=value if isinstance(value, bytes) else json.dumps(value).encode(), **more)


def audio(*pieces: bytes, **more: Any) -> Script:
    return Script(body=list(pieces) if len(pieces) > 1 else pieces[0], content_type="audio/mpeg", **more)


def events(*items: Any, names: bool = False, **more: Any) -> Script:
    def text(item: Any) -> str:
        if isinstance(item, str):
            return f"data: {item}\n\n"
        head = f"event: {item['type']}\n" if names else ""
        return f"{head}data: {json.dumps(item)}\n\n"

    return Script(body=[text(item).encode() for item in items], content_type="text/event-stream", **more)


def call_of(name: str, *, stream: bool = False, **more: Any) -> Call:
    return Call(OPERATIONS[NAMES.get(name, name)], "x", {**PAYLOADS[name], **more}, stream)


def answer(upstream: Upstream, script: Script, name: str, cls: type = Acme) -> Any:
    upstream.then(script)
    with closing(cls({"base_url": upstream.url, "api_key": "sk-test"})) as provider:
        return provider.send(call_of(name), "m", Limits()).body


def items(upstream: Upstream, script: Script, name: str, cls: type = Acme, **more: Any) -> Iterator[Any]:
    """Yield the items of a stream, read by a thread."""
    upstream.then(script)
    with closing(cls({"base_url": upstream.url, "api_key": "sk-test"})) as provider:
        stream = provider.send(call_of(name, stream=True, **more), "m", Limits())
        with closing(stream):
            yield from stream


def joined(got: Iterable[Any]) -> Any:
    """Return the bytes of pieces, which the network may split anywhere, or the items."""
    listed = list(got)
    return b"".join(listed) if all(isinstance(one, bytes) for one in listed) else listed


async def items_in_a_task(upstream: Upstream, script: Script, name: str) -> list[Any]:
    upstream.then(script)
    provider = Acme({"base_url": upstream.url, "api_key": "sk-test"})
    stream = await provider.asend(call_of(name, stream=True), "m", Limits())
    got = [item async for item in stream]
    await stream.aclose()
    await provider.aclose()
    return got


@pytest.mark.parametrize(
    ("name", "script", "body"),
    [
        ("audio.speech", audio(b"ID3\x00"), b"ID3\x00"),
        ("audio.speech", data(gzip.compress(b"ID3"), headers={"Content-Encoding": "gzip"}, content_type="audio/mpeg"), b"ID3"),
        ("audio.speech", Script(body=b"RIFF", content_type="application/octet-stream"), b"RIFF"),
        ("files.content", data(b""), b""),
        (
            "files.content",
            data({"error": {"message": "in the file"}, "id": 1}),
            b'{"error": {"message": "in the file"}, "id": 1}',
        ),
        ("files.content", Script(body=b"<html></html>", content_type="text/html"), b"<html></html>"),
        ("audio.transcriptions", data({"text": "ü", "of_tomorrow": 0}), {"text": "ü", "of_tomorrow": 0}),
        ("srt", Script(body="1\n00:00\nü\n".encode(), content_type="text/plain"), "1\n00:00\nü\n"),
        ("text", data({"text": "ü"}), "ü"),
        ("text", data("ü"), "ü"),
        ("text", Script(body=b"", content_type="text/plain"), ""),
        ("images.generate", data({"data": []}), {"data": []}),
        ("responses.retrieve", data({"id": "r", "error": {"code": "x"}}), {"id": "r", "error": {"code": "x"}}),
    ],
)
def test_reply_is_the_vendors(name: str, script: Script, body: Any, upstream: Upstream) -> None:
    assert answer(upstream, script, name) == body


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("audio.speech", audio(b"")),
        ("audio.speech", PAGE),
        ("audio.speech", Script(body=b"<html>Welcome</html>", content_type="audio/mpeg")),
        ("audio.speech", data({"audio": "AAAA"})),
        ("audio.speech", Script(body=b"hello", content_type="text/plain")),
        ("audio.transcriptions", data({"heard": "a"})),
        ("audio.transcriptions", data([1])),
        ("audio.transcriptions", data(b"hello")),
        ("srt", PAGE),
        ("srt", data({"text": "a"})),
        ("srt", audio(b"ID3")),
        ("srt", Script(body=b"data: {}\n\n", content_type="text/event-stream")),
        ("text", data(b"\xff\xfe\xfa")),
        ("moderations", data({"results": None})),
        ("images.generate", data(b"")),
    ],
)
def test_reply_of_another_kind_is_an_invalid_response(name: str, script: Script, upstream: Upstream) -> None:
    with pytest.raises(BadUpstreamResponseError) as caught:
        answer(upstream, script, name)
    assert caught.value.failure is FailureClass.PROTOCOL


@pytest.mark.parametrize("name", ["audio.speech", "files.content", "srt", "audio.transcriptions", "images.generate", "responses"])
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_error_body_under_success_is_an_error(name: str, streams: bool, upstream: Upstream) -> None:
    with pytest.raises(RateLimitError):
        list(items(upstream, data(LIMITED), name)) if streams else answer(upstream, data(LIMITED), name)


# -- streams -----------------------------------------------------------------------------------------------------------

CREATED = {"type": "response.created", "response": {"id": "r"}}
DELTA = {"type": "response.output_text.delta", "delta": "ü", "of_tomorrow": [0]}
COMPLETED = {"type": "response.completed", "response": {"id": "r", "usage": {"input_tokens": 1}}}
STOP = {"type": "message_stop"}
TEXT = {"object": "text_completion", "choices": [{"text": "a", "index": 0, "finish_reason": None}]}
END = {"object": "text_completion", "choices": [{"text": "", "index": 0, "finish_reason": "stop"}]}
PARTIAL = {"type": "image_generation.partial_image", "b64_json": "AA"}
IMAGE = {"type": "image_generation.completed", "b64_json": "AA"}
SPOKEN = [{"type": "speech.audio.delta", "audio": "AA"}, {"type": "speech.audio.done"}]


@pytest.mark.parametrize(
    ("name", "script", "wanted"),
    [
        ("responses", events(CREATED, DELTA, COMPLETED), [CREATED, DELTA, COMPLETED]),
        ("responses", events(CREATED, COMPLETED, DELTA, names=True), [CREATED, COMPLETED]),
        ("messages", events({"type": "ping"}, STOP, names=True), [{"type": "ping"}, STOP]),
        ("completions", events(TEXT, END, "[DONE]"), [TEXT, END]),
        ("images.generate", events(PARTIAL, IMAGE, IMAGE), [PARTIAL, IMAGE]),
        ("speech events", events(*SPOKEN, "[DONE]"), SPOKEN),
        ("audio.speech", audio(b"ID", b"3"), [b"ID", b"3"]),
        ("files.content", data({"a": 1}), [b'{"a": 1}']),
        ("files.content", data(b""), []),
    ],
)
def test_stream_is_the_vendors(name: str, script: Script, wanted: list[Any], upstream: Upstream) -> None:
    assert joined(items(upstream, script, name)) == joined(wanted)
    assert joined(asyncio.run(items_in_a_task(upstream, script, name))) == joined(wanted)


def test_stream_of_several_images_ends_with_the_last(upstream: Upstream) -> None:
    assert list(items(upstream, events(IMAGE, IMAGE, PARTIAL), "images.generate", n=2)) == [IMAGE, IMAGE]


def test_name_of_an_event_is_its_type(upstream: Upstream) -> None:
    script = Script(body=[b"event: message_stop\ndata: {}\n\n"], content_type="text/event-stream")
    assert list(items(upstream, script, "messages")) == [{"type": "message_stop"}]


@pytest.mark.parametrize(
    "last",
    [
        {"type": "error", "code": "server_error", "message": "down", "param": None},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"error": {"message": "down", "code": "server_error"}},
        {
            "type": "response.failed",
            "response": {"error": {"code": "server_error", "message": "down"}, "usage": {"input_tokens": 3}},
        },
    ],
)
def test_error_event_breaks_the_stream(last: dict[str, Any], upstream: Upstream) -> None:
    stream, got = items(upstream, events(CREATED, last), "responses"), []
    with pytest.raises(ProviderServerError) as caught:
        got.extend(stream)
    assert got == [CREATED] or not got
    assert (caught.value.usage or {}) == (last.get("response") or {}).get("usage", {})


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("responses", events(CREATED, DELTA, cut=True)),
        ("completions", events(TEXT, cut=True)),
        ("audio.speech", audio(b"ID", b"3", cut=True)),
        ("audio.speech", audio(b"ID3", cut=True)),
        ("files.content", audio(b"ID", b"3", cut=True)),
    ],
)
def test_truncated_stream_is_an_error(name: str, script: Script, upstream: Upstream) -> None:
    with pytest.raises(ProviderError) as caught:
        list(items(upstream, script, name))
    assert caught.value.failure in (FailureClass.DISCONNECT, FailureClass.PROTOCOL)


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("audio.speech", PAGE),
        ("audio.speech", audio(b"")),
        ("audio.speech", Script(body=[b"<html>", b"x"], content_type="audio/mpeg")),
        ("audio.speech", Script(body=[b"hello"], content_type="text/plain")),
        ("audio.speech", Script(body=b"junk", content_type="audio/mpeg", headers={"Content-Encoding": "gzip"})),
        ("responses", PAGE),
        ("responses", data({"output": []})),
        ("responses", events("[1]")),
        ("responses", events("{}")),
        ("responses", events("{")),
    ],
)
def test_stream_of_another_kind_is_an_invalid_response(name: str, script: Script, upstream: Upstream) -> None:
    with pytest.raises(BadUpstreamResponseError):
        list(items(upstream, script, name))


class Pieces:
    """Decoder of audio in events."""

    done = False

    def decode(self, event: Any) -> list[Any]:
        piece = json.loads(event.data)["hex"]
        return [bytes.fromhex(piece)] if piece != "text" else ["not bytes"]


class SpeechInJson(OperationCodec):
    def stream_decoder(self, provider: Any, request: Any) -> Any:
        return Pieces()


class OwnSpeech(Acme):
    operation_codecs = {"audio.speech": SpeechInJson()}


def test_codec_decodes_audio_of_events(upstream: Upstream) -> None:
    script = events({"type": "a", "hex": "4944"}, {"type": "a", "hex": ""}, {"type": "a", "hex": "33"})
    assert list(items(upstream, script, "audio.speech", OwnSpeech)) == [b"ID", b"3"]


def test_codec_with_items_of_another_type_is_a_bug_of_the_connector(upstream: Upstream) -> None:
    with pytest.raises(ProviderError, match=r"Pieces.decode\(\). It must return a list of bytes"):
        list(items(upstream, events({"type": "a", "hex": "text"}), "audio.speech", OwnSpeech))

"""Every operation of the client against a vendor on loopback: requests, replies as the SDK's types, streams and errors."""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from openai import types
from openai.types import audio, responses, uploads

import modelmesh
from modelmesh.client import BinaryReply, Reply
from modelmesh.errors import BadRequestError, CapabilityNotFoundError, StreamInterruptedError
from modelmesh_cdk.testing import Received, Script, Upstream
from modelmesh_cdk.testing.upstream import completion, event, text_stream

FILE = {
    "id": "file-1", "object": "file", "bytes": 3, "created_at": 1, "filename": "a.jsonl", "purpose": "batch", "status": "processed",
}  # fmt: skip
BATCH = {
    "id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "input_file_id": "file-1", "completion_window": "24h",
    "status": "validating", "created_at": 1, "output_file_id": None,
}  # fmt: skip
UPLOAD = {
    "id": "upload_1", "object": "upload", "bytes": 3, "created_at": 1, "expires_at": 2, "filename": "a.bin", "purpose": "batch",
    "status": "pending",
}  # fmt: skip
PART = {"id": "part_1", "object": "upload.part", "created_at": 1, "upload_id": "upload_1"}
IMAGES = {"created": 1, "data": [{"b64_json": "aGk="}], "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "input_tokens_details": {"image_tokens": 0, "text_tokens": 1}}}  # fmt: skip
CATEGORIES = [field.alias or name for name, field in types.moderation.Categories.model_fields.items()]
MODERATION = {
    "id": "modr-1",
    "model": "m",
    "results": [
        {
            "flagged": False,
            "categories": dict.fromkeys(CATEGORIES, False),
            "category_scores": dict.fromkeys(CATEGORIES, 0.1),
            "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
        }
    ],
}
TEXT = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [{"index": 0, "text": "blue", "finish_reason": "stop", "logprobs": None}], "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3}}  # fmt: skip
RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "parallel_tool_calls": True, "tool_choice": "auto",
    "tools": [], "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "blue", "annotations": []}]}],
    "usage": {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}},
}  # fmt: skip
VERBOSE = {"text": "hi", "task": "transcribe", "language": "english", "duration": 1.5, "words": [{"word": "hi", "start": 0.0, "end": 0.4}], "segments": [{"id": 0, "seek": 0, "start": 0.0, "end": 0.4, "text": "hi", "tokens": [1], "temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0}]}  # fmt: skip
PAGE = {"object": "list", "data": [FILE], "has_more": False}
POOLS = ("chat-completion", "text-to-speech", "speech-to-text", "text-to-image", "image-to-image", "content-moderation")


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, upstream: Upstream) -> Iterator[Callable[..., Any]]:
    """Return a function that calls a method of a client, by its path and arguments."""
    config = {
        "providers": {"openai": {"connector": "openai.llm.v1", "base_url": upstream.url, "api_key": "test"}},
        "pools": {name: {} for name in POOLS},
    }
    mesh = modelmesh.ModelMesh(config)
    client: Any = mesh.client if request.param == "sync" else mesh.get_client()

    def call(path: str, *positional: Any, then: Callable[[Any], Any] | None = None, **arguments: Any) -> Any:
        async def awaited() -> Any:
            result = await method(*positional, **arguments)
            return result if then is None else await then(result)

        method: Any = client
        for name in path.split("."):
            method = getattr(method, name)
        if request.param == "async":
            return asyncio.run(awaited())
        result = method(*positional, **arguments)
        return result if then is None else then(result)

    call.client, call.is_async = client, request.param == "async"  # type: ignore[attr-defined]
    with mesh:
        yield call


CASES = {
    "moderations.create": ({"input": "a"}, MODERATION, types.ModerationCreateResponse, "/v1/moderations"),
    "images.generate": ({"prompt": "a", "quality": "high"}, IMAGES, types.ImagesResponse, "/v1/images/generations"),
    "images.edit": ({"prompt": "a", "image": [b"1", b"2"], "mask": ("m.png", b"3")}, IMAGES, types.ImagesResponse, "/v1/images/edits"),
    "audio.transcriptions.create": ({"model": "speech-to-text", "file": b"1", "response_format": "verbose_json", "timestamp_granularities": ["word"]}, VERBOSE, audio.TranscriptionVerbose, "/v1/audio/transcriptions"),
    "audio.translations.create": ({"model": "speech-to-text", "file": b"1"}, {"text": "hi"}, audio.Translation, "/v1/audio/translations"),
    "responses.create": ({"model": "chat-completion", "input": "a"}, RESPONSE, responses.Response, "/v1/responses"),
    "files.create": ({"file": ("a.jsonl", b"1"), "purpose": "batch"}, FILE, types.FileObject, "/v1/files"),
    "files.retrieve": (("file-1@openai",), FILE, types.FileObject, "/v1/files/file-1"),
    "files.delete": (("file-1@openai",), {"id": "file-1", "object": "file", "deleted": True}, types.FileDeleted, "/v1/files/file-1"),
    "batches.create": ({"input_file_id": "file-1@openai", "endpoint": "/v1/chat/completions", "completion_window": "24h"}, BATCH, types.Batch, "/v1/batches"),
    "batches.retrieve": (("batch_1@openai",), BATCH, types.Batch, "/v1/batches/batch_1"),
    "batches.cancel": (("batch_1@openai",), BATCH, types.Batch, "/v1/batches/batch_1/cancel"),
    "uploads.create": ({"bytes": 3, "filename": "a.bin", "mime_type": "text/plain", "purpose": "batch"}, UPLOAD, types.Upload, "/v1/uploads"),
    "uploads.cancel": (("upload_1@openai",), UPLOAD, types.Upload, "/v1/uploads/upload_1/cancel"),
    "responses.retrieve": (("resp_1@openai",), RESPONSE, responses.Response, "/v1/responses/resp_1"),
    "responses.cancel": (("resp_1@openai",), RESPONSE, responses.Response, "/v1/responses/resp_1/cancel"),
}  # fmt: skip
"""Arguments, answer, the SDK's type and the path, by method."""


@pytest.mark.parametrize("path", CASES)
def test_reply_validates_as_the_type_of_the_sdk(ask: Callable[..., Any], upstream: Upstream, path: str) -> None:
    arguments, answer, model, sent = CASES[path]
    upstream.reply(answer)
    reply = ask(path, *arguments) if isinstance(arguments, tuple) else ask(path, **arguments)
    model.model_validate(reply, strict=False)
    assert model.model_validate_json(reply.to_json())
    assert (reply.provider, upstream.last.path) == ("openai", sent)
    assert isinstance(reply, Reply)
    for field in (f"{name}_id" for name in ("file", "batch", "upload", "response")):
        assert f'"{field}"' not in upstream.last.body.decode("latin-1")
    if "id" in answer and path != "moderations.create":
        assert reply.id == f"{answer['id']}@openai"


def test_parts_and_completion_of_an_upload(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply(PART).reply({**UPLOAD, "status": "completed", "file": FILE})
    part = ask("uploads.parts.create", "upload_1@openai", data=b"abc")
    assert uploads.UploadPart.model_validate(part)
    assert (part.id, part.upload_id, upstream.last.path) == ("part_1@openai", "upload_1@openai", "/v1/uploads/upload_1/parts")
    done = ask("uploads.complete", "upload_1@openai", part_ids=[part.id])
    assert (done.file.id, upstream.last.json) == ("file-1@openai", {"part_ids": ["part_1"]})


def test_file_uploaded_in_parts_sends_every_byte_once(ask: Callable[..., Any], upstream: Upstream, tmp_path: Path) -> None:
    def vendor(request: Received) -> Script:
        last = request.path.rpartition("/")[2]
        answer = {"uploads": UPLOAD, "parts": PART, "complete": {**UPLOAD, "file": FILE}}[last]
        return Script(200, json.dumps(answer).encode())

    upstream.always(vendor)
    (path := tmp_path / "ü.bin").write_bytes(b"0123456789")
    ask("uploads.upload_file_chunked", file=path, mime_type="text/plain", purpose="batch", part_size=4)
    parts = [
        request.body.split(b"\r\n\r\n")[1].split(b"\r\n")[0] for request in upstream.received if request.path.endswith("/parts")
    ]
    assert parts == [b"0123", b"4567", b"89"]
    assert upstream.received[0].json["filename"] == "ü.bin"
    assert upstream.last.json["part_ids"] == ["part_1"] * 3


def test_speech_is_bytes_with_the_methods_of_the_sdk(ask: Callable[..., Any], upstream: Upstream, tmp_path: Path) -> None:
    upstream.then(Script(200, b"0123456789", {"x-request-id": "req-1"}, "audio/mpeg"))
    speech = ask("audio.speech.create", model="text-to-speech", input="a", voice="alloy")
    assert isinstance(speech, BinaryReply)
    assert speech == speech.content == speech.read() == b"".join(speech.iter_bytes(3)) == b"0123456789"
    for name, write in (("a", speech.write_to_file), ("b", speech.stream_to_file)):
        write(tmp_path / name)
        assert (tmp_path / name).read_bytes() == speech
    assert (speech.provider, speech.response.request_id, speech.response.headers["content-type"]) == (
        "openai",
        "req-1",
        "audio/mpeg",
    )


def _stream_to(target: Path, *, asynchronous: bool, call: Any) -> None:
    async def stream() -> None:
        async with call as response:
            await response.stream_to_file(target)

    if asynchronous:
        asyncio.run(stream())
        return
    with call as response:
        response.stream_to_file(target)


@pytest.mark.parametrize("path", ["audio.speech.create", "files.content"])
def test_body_is_streamed_to_disk(ask: Callable[..., Any], upstream: Upstream, tmp_path: Path, path: str) -> None:
    piece = bytes(range(256)) * 256
    upstream.always(Script(200, [piece] * 16, content_type="audio/mpeg"))
    part: Any = ask.client  # type: ignore[attr-defined]
    *names, last = path.split(".")
    for name in names:
        part = getattr(part, name)
    arguments: Any = {"file_id": "file-1@openai"} if last == "content" else {"model": "text-to-speech", "input": "a"}
    call = getattr(part.with_streaming_response, last)(**arguments)
    _stream_to(tmp_path / "out", asynchronous=ask.is_async, call=call)  # type: ignore[attr-defined]
    assert (tmp_path / "out").read_bytes() == piece * 16


def test_body_cut_while_it_streams_is_an_interruption(ask: Callable[..., Any], upstream: Upstream, tmp_path: Path) -> None:
    upstream.always(Script(200, [b"x" * 70_000], content_type="audio/mpeg", cut=True))
    call = ask.client.audio.speech.with_streaming_response.create(model="text-to-speech", input="a")  # type: ignore[attr-defined]
    with pytest.raises(StreamInterruptedError):
        _stream_to(tmp_path / "out", asynchronous=ask.is_async, call=call)  # type: ignore[attr-defined]


def _items(stream: Any) -> Any:
    async def collect() -> list[Any]:
        return [item async for item in stream]

    return collect() if hasattr(stream, "__aiter__") else list(stream)


SPEECH_EVENTS = [{"type": "speech.audio.delta", "audio": "aGk="}, {"type": "speech.audio.done", "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}}]  # fmt: skip
TRANSCRIPT_EVENTS = [{"type": "transcript.text.delta", "delta": "hi"}, {"type": "transcript.text.done", "text": "hi"}]
PICTURE = {"b64_json": "aGk=", "created_at": 1, "background": "auto", "output_format": "png", "quality": "high", "size": "auto"}
USAGE = IMAGES["usage"]
IMAGE_EVENTS = [{"type": "image_generation.partial_image", "partial_image_index": 0, **PICTURE}, {"type": "image_generation.completed", "usage": USAGE, **PICTURE}]  # fmt: skip
EDIT_EVENTS = [{"type": "image_edit.partial_image", "partial_image_index": 0, **PICTURE}, {"type": "image_edit.completed", "usage": USAGE, **PICTURE}]  # fmt: skip
STREAMS = {
    "audio.speech.create": ({"model": "text-to-speech", "input": "a", "stream_format": "sse"}, SPEECH_EVENTS),
    "audio.transcriptions.create": ({"model": "speech-to-text", "file": b"1", "stream": True}, TRANSCRIPT_EVENTS),
    "images.generate": ({"prompt": "a", "stream": True, "partial_images": 1}, IMAGE_EVENTS),
    "images.edit": ({"prompt": "a", "image": b"1", "stream": True}, EDIT_EVENTS),
}


@pytest.mark.parametrize("path", STREAMS)
def test_stream_yields_typed_events(ask: Callable[..., Any], upstream: Upstream, path: str) -> None:
    arguments, events = STREAMS[path]
    upstream.always(Script(200, [event(one) for one in events], content_type="text/event-stream"))
    found = ask(path, then=_items, **arguments)
    assert [one.type for one in found] == [one["type"] for one in events]
    assert found == events


RESPONSE_EVENTS = [
    {"type": "response.created", "sequence_number": 0, "response": {**RESPONSE, "status": "in_progress", "output": []}},
    {"type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "blue", "logprobs": []},
    {"type": "response.completed", "sequence_number": 2, "response": RESPONSE},
]  # fmt: skip


def test_native_response_stream_has_the_output_text(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.always(Script(200, [event(one) for one in RESPONSE_EVENTS], content_type="text/event-stream"))
    found = ask("responses.create", then=_items, model="chat-completion", input="a", stream=True)
    assert [one.delta for one in found] == [None, "blue", None]
    assert (found[-1].response.output_text, found[-1].response.id) == ("blue", "resp_1@openai")


@pytest.fixture
def other_client(other: Upstream) -> Iterator[Any]:
    """Return a client whose vendor has chat completions only."""
    provider = {"connector": "deepseek.api.v1", "base_url": other.url, "api_key": "test", "models": ["m"]}
    config = {"providers": {"mine": provider}, "pools": {"chat-completion": {}}}
    with modelmesh.create(config=config) as client:
        yield client


def test_response_of_a_chat_vendor_is_translated(other_client: Any, other: Upstream) -> None:
    other.reply(completion("blue")).then(Script(200, text_stream("bl", "ue"), content_type="text/event-stream"))
    reply = other_client.responses.create(model="chat-completion", input="Which color?", instructions="Be brief.")
    assert responses.Response.model_validate(reply)
    assert (reply.output_text, reply.model, reply.usage.total_tokens) == ("blue", "m", 7)
    assert [one["role"] for one in other.last.json["messages"]] == ["system", "user"]
    found = list(other_client.responses.create(model="chat-completion", input="Which color?", stream=True))
    assert "".join(one.delta for one in found if one.type == "response.output_text.delta") == "blue"
    assert found[-1].response.output_text == "blue"


def test_legacy_completion_of_a_chat_vendor_is_translated(other_client: Any, other: Upstream) -> None:
    other.reply(completion("blue")).then(Script(200, text_stream("bl", "ue"), content_type="text/event-stream"))
    reply = other_client.completions.create(model="chat-completion", prompt="The sky is", max_tokens=5)
    assert types.Completion.model_validate(reply)
    assert reply.choices[0].text == "blue"
    chunks = list(other_client.completions.create(model="chat-completion", prompt="The sky is", stream=True))
    assert "".join(one.choices[0].text for one in chunks if one.choices) == "blue"


@pytest.mark.parametrize("form", ["text", "srt", "vtt"])
def test_transcription_as_text_is_a_str(ask: Callable[..., Any], upstream: Upstream, form: str) -> None:
    upstream.then(Script(200, "grüße\n".encode(), content_type="text/plain; charset=utf-8"))
    text = ask("audio.transcriptions.create", model="speech-to-text", file=b"1", response_format=form)
    assert isinstance(text, str)
    assert (text, text.provider) == ("grüße\n", "openai")


# -- files ------------------------------------------------------------------------------------------------------------


def _file_forms(folder: Path) -> dict[str, Any]:
    (path := folder / "grüße 日本.mp3").write_bytes(b"sound")
    opened = path.open("rb")
    later = io.BytesIO(b"sound")
    later.seek(3)
    written = io.BytesIO()
    written.write(b"sound")
    return {
        "path": path, "bytes": b"sound", "file": opened, "bytes io": io.BytesIO(b"sound"), "position": later, "at its end": written,
        "tuple": ("a.mp3", b"sound"), "typed tuple": ("a.bin", path, "audio/mpeg"), "headers": ("a.mp3", b"sound", None, {"x": "y"}),
        "no name": (None, b"sound"), "pipe": _Pipe(b"sound"),
    }  # fmt: skip


class _Pipe(io.RawIOBase):
    """A stream that cannot rewind."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._rest.readinto(buffer)


FORMS = ["path", "bytes", "file", "bytes io", "position", "at its end", "tuple", "typed tuple", "headers", "no name", "pipe"]


@pytest.mark.parametrize("form", FORMS)
def test_retry_sends_the_whole_file_of_every_form(ask: Callable[..., Any], upstream: Upstream, tmp_path: Path, form: str) -> None:
    forms = _file_forms(tmp_path)
    upstream.fail(500).reply({"text": "hi"})
    assert ask("audio.transcriptions.create", model="speech-to-text", file=forms[form]).text == "hi"
    assert len(upstream.received) == 2
    for received in upstream.received:
        part = received.body.split(b'name="file"')[1]
        assert b"\r\n\r\nsound\r\n" in part
        assert (b"\r\nx: y\r\n" in part) == (form == "headers")
    forms["file"].close()


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "text": (lambda folder: str(folder / "a.mp3"), "wrap a path"),
    "missing": (lambda folder: folder / "missing.mp3", "No such file"),
    "directory": (lambda folder: folder, "it is a directory"),
    "text mode": (lambda folder: io.StringIO("a"), "binary mode"),
    "temporary text": (lambda folder: tempfile.NamedTemporaryFile("w+", dir=folder), "binary mode"),  # noqa: SIM115
    "writing": (lambda folder: (folder / "out.mp3").open("wb"), "open for writing only"),
    "closed": (lambda folder: _closed(), "cannot read the file object"),
    "number": (lambda folder: 7, "not int"),
    "long tuple": (lambda folder: ("a", b"", None, {}, 1), "as a tuple"),
    "empty list": (lambda folder: [], "empty list"),
    "nul": (lambda folder: Path("a\0b"), "cannot read"),
    "type": (lambda folder: ("a", b"", "audio/mpeg\r\nX: y"), "the media type of 'file' contains a line break"),
    "header": (lambda folder: ("a", b"", None, {"x": "a\nb"}), "the header 'x' of 'file' contains a line break"),
}


def _closed() -> io.BytesIO:
    file = io.BytesIO(b"a")
    file.close()
    return file


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_file_is_refused_before_anything_is_sent(
    ask: Callable[..., Any], upstream: Upstream, tmp_path: Path, kind: str
) -> None:
    make, said = WRONG[kind]
    file = make(tmp_path)
    with pytest.raises(BadRequestError, match=said) as caught:
        ask("audio.transcriptions.create", model="speech-to-text", file=file)
    assert "'file'" in str(caught.value)
    assert upstream.received == []
    if hasattr(file, "close"):
        file.close()


def test_threads_share_a_file_object(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.always(Script(200, b'{"text": "hi"}', delay=0.01))
    shared = io.BytesIO(bytes(range(256)) * 2000)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: ask("audio.transcriptions.create", model="speech-to-text", file=shared), range(4)))
    assert sum(shared.getvalue() in request.body for request in upstream.received) == 4


def test_empty_file_reaches_the_vendor(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply({"error": {"message": "Audio file is too short.", "type": "invalid_request_error", "code": None}}, status=400)
    with pytest.raises(BadRequestError, match="too short"):
        ask("audio.transcriptions.create", model="speech-to-text", file=b"")
    assert len(upstream.received) == 1


# -- accounts ---------------------------------------------------------------------------------------------------------


def test_list_iterates_over_the_pages(ask: Callable[..., Any], upstream: Upstream) -> None:
    def pages(request: Received) -> Script:
        rows = [{**FILE, "id": "file-2"}] if "after=file-1" in request.path else [FILE]
        return Script(200, json.dumps({"object": "list", "data": rows, "has_more": rows[0] == FILE}).encode())

    upstream.always(pages)
    method = ask.client.files.list  # type: ignore[attr-defined]

    async def all_items() -> tuple[list[str], Any]:
        listed = method(limit=1)
        return [one.id async for one in listed], await listed

    ids, page = asyncio.run(all_items()) if ask.is_async else ([one.id for one in method(limit=1)], method(limit=1))  # type: ignore[attr-defined]
    assert ids == ["file-1@openai", "file-2@openai"]
    assert (page.has_next_page(), page.data[0].filename, page.next_page_info()) == (True, "a.jsonl", {"after": "file-1@openai"})
    assert upstream.last.path == "/v1/files?limit=1"


def test_resource_of_an_unknown_account_is_refused(ask: Callable[..., Any], upstream: Upstream) -> None:
    with pytest.raises(BadRequestError, match="'elsewhere', which is not configured"):
        ask("files.retrieve", "file-1@elsewhere")
    with pytest.raises(BadRequestError, match="by position"):
        ask("files.retrieve", "file-1", "file-2")
    assert upstream.received == []


def test_operation_without_an_account_names_the_remedy(other_client: Any) -> None:
    with pytest.raises(CapabilityNotFoundError, match="no account serves files.list"):
        other_client.files.list()


def test_moderation_categories_have_the_attributes_of_the_sdk(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply(MODERATION)
    [result] = ask("moderations.create", input="a").results
    theirs = types.Moderation.model_validate(result)
    for name in types.moderation.Categories.model_fields:
        assert getattr(result.categories, name) is getattr(theirs.categories, name) is False
    assert (result.category_scores["self-harm/intent"], result.category_scores.self_harm_intent) == (0.1, 0.1)
    with pytest.raises(AttributeError):
        _ = result.categories.kindness


# -- options and raw interfaces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["resource", "client"])
def test_raw_response_of_any_method_has_headers(ask: Callable[..., Any], upstream: Upstream, at: str) -> None:
    upstream.reply(IMAGES, x_request_id="req-1")
    path = "images.with_raw_response.generate" if at == "resource" else "with_raw_response.images.generate"
    raw = ask(path, prompt="a")
    assert (raw.request_id, raw.parse().data[0].b64_json) == ("req-1", "aGk=")


def test_raw_interfaces_of_models_need_no_vendor(ask: Callable[..., Any]) -> None:
    raw = ask("models.with_raw_response.list")
    assert raw.parse().object == "list"
    models = ask.client.models.list()  # type: ignore[attr-defined]
    found = asyncio.run(_items(models)) if ask.is_async else list(models)  # type: ignore[attr-defined]
    assert [one.id for one in found] == [one.id for one in raw.parse()]


def test_options_of_the_client_reach_every_operation(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply(MODERATION).reply({"text": "hi"})
    mine = ask.client.with_options(default_headers={"x-mine": "1"}, max_retries=0)  # type: ignore[attr-defined]
    results = [mine.moderations.create(input="a"), mine.audio.transcriptions.create(model="speech-to-text", file=b"1")]
    if ask.is_async:  # type: ignore[attr-defined]

        async def gathered() -> None:
            for one in results:
                await one

        asyncio.run(gathered())
    assert [request.headers.get("x-mine") for request in upstream.received] == ["1", "1"]


@pytest.mark.parametrize(
    ("path", "arguments", "said"),
    [
        ("images.generate", {"promt": "a"}, r"client.images.generate\(\) needs 'prompt'. The call has 'promt'"),
        ("audio.speech.create", {"input": "a"}, "'model' must be the name of a pool or capability, e.g. model='text-to-speech'"),
        ("files.create", {"file": b"1"}, r"client.files.create\(\) needs 'purpose'"),
        ("batches.retrieve", {}, r"client.batches.retrieve\(\) needs 'batch_id'"),
        ("moderations.create", {"input": "a", "stream": True}, r"client.moderations.create\(\) does not stream"),
    ],
)
def test_wrong_arguments_are_named(ask: Callable[..., Any], upstream: Upstream, path: str, arguments: Any, said: str) -> None:
    with pytest.raises(BadRequestError, match=said):
        ask(path, **arguments)
    assert upstream.received == []


def test_capability_has_the_reply_of_its_operation(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply(IMAGES)
    capability = ask.client.capability("text-to-image")  # type: ignore[attr-defined]
    found = asyncio.run(_awaited(capability.call(prompt="a"))) if ask.is_async else capability.call(prompt="a")  # type: ignore[attr-defined]
    assert types.ImagesResponse.model_validate(found)
    assert (repr(capability), capability.operation.name) == ("<client.capability('text-to-image')>", "images.generate")


async def _awaited(call: Any) -> Any:
    return await call

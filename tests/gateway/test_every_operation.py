"""Every operation through the official SDK: the vendor receives its request, and the reply is the SDK's type."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import openai
import pytest
from attrs import frozen
from openai.types import batch, create_embedding_response, file_deleted, file_object, images_response, upload
from openai.types import moderation_create_response as moderations
from openai.types.audio import transcription, transcription_verbose, translation
from openai.types.completion import Completion
from openai.types.moderation import Categories
from openai.types.responses import response
from openai.types.uploads import upload_part

import modelmesh
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.upstream import Received, Script

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # audio.translations of the SDK

FILE = {"object": "file", "bytes": 3, "created_at": 1, "filename": "a.jsonl", "purpose": "batch", "status": "processed"}
BATCH = {
    "id": "batch_1",
    "object": "batch",
    "completion_window": "24h",
    "created_at": 1,
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-1",
    "status": "validating",
}
UPLOAD = {
    "id": "upload_1",
    "object": "upload",
    "bytes": 3,
    "created_at": 1,
    "expires_at": 2,
    "filename": "a.bin",
    "purpose": "batch",
    "status": "pending",
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "m",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 1,
        "output_tokens": 1,
        "total_tokens": 2,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
}
NAMES = [field.alias or name for name, field in Categories.model_fields.items()]
MODERATION = {
    "id": "modr-1",
    "model": "m",
    "results": [
        {
            "flagged": False,
            "categories": dict.fromkeys(NAMES, False),
            "category_scores": dict.fromkeys(NAMES, 0.0),
            "category_applied_input_types": {name: ["text"] for name in NAMES},
        }
    ],
}
EMBEDDING = {
    "object": "list",
    "model": "m",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
IMAGE = {"created": 1, "data": [{"b64_json": "aGk="}]}


@frozen
class Case:
    """One call: the operation of the SDK, its arguments, the vendor's reply, the path and the type."""

    call: str
    arguments: dict[str, Any]
    reply: Any
    path: str
    kind: type[Any]
    content_type: str = "application/json"


CASES = [
    Case(
        "embeddings.create",
        {"model": "text-embeddings", "input": "a"},
        EMBEDDING,
        "POST /v1/embeddings",
        create_embedding_response.CreateEmbeddingResponse,
    ),
    Case(
        "moderations.create",
        {"model": "content-moderation", "input": "a"},
        MODERATION,
        "POST /v1/moderations",
        moderations.ModerationCreateResponse,
    ),
    Case("moderations.create", {"input": "a"}, MODERATION, "POST /v1/moderations", moderations.ModerationCreateResponse),
    Case(
        "images.generate",
        {"model": "text-to-image", "prompt": "a"},
        IMAGE,
        "POST /v1/images/generations",
        images_response.ImagesResponse,
    ),
    Case(
        "images.edit",
        {"model": "image-to-image", "prompt": "a", "image": ("ü.png", b"png", "image/png"), "n": 1},
        IMAGE,
        "POST /v1/images/edits",
        images_response.ImagesResponse,
    ),
    Case(
        "images.edit",
        {"model": "image-to-image", "prompt": "a", "image": [b"one", BytesIO(b"two")], "mask": b"mask"},
        IMAGE,
        "POST /v1/images/edits",
        images_response.ImagesResponse,
    ),
    Case(
        "audio.transcriptions.create",
        {"model": "speech-to-text", "file": ("a.mp3", b"mp3")},
        {"text": "Hi"},
        "POST /v1/audio/transcriptions",
        transcription.Transcription,
    ),
    Case(
        "audio.transcriptions.create",
        {
            "model": "speech-to-text",
            "file": ("a.mp3", b"mp3"),
            "response_format": "verbose_json",
            "timestamp_granularities": ["word", "segment"],
        },
        {"text": "Hi", "language": "english", "duration": 1.0, "words": [], "segments": []},
        "POST /v1/audio/transcriptions",
        transcription_verbose.TranscriptionVerbose,
    ),
    Case(
        "audio.transcriptions.create",
        {"model": "speech-to-text", "file": ("a.mp3", b"mp3"), "response_format": "srt"},
        "1\n00:00:00,000 --> 00:00:01,000\nHi\n",
        "POST /v1/audio/transcriptions",
        str,
        "text/plain; charset=utf-8",
    ),
    Case(
        "audio.translations.create",
        {"model": "speech-to-text", "file": ("a.mp3", b"mp3")},
        {"text": "Hi"},
        "POST /v1/audio/translations",
        translation.Translation,
    ),
    Case(
        "files.create", {"file": b"abc", "purpose": "batch"}, {"id": "file-1", **FILE}, "POST /v1/files", file_object.FileObject
    ),
    Case(
        "files.retrieve", {"file_id": "file-1@openai"}, {"id": "file-1", **FILE}, "GET /v1/files/file-1", file_object.FileObject
    ),
    Case(
        "files.delete",
        {"file_id": "file-1@openai"},
        {"id": "file-1", "object": "file", "deleted": True},
        "DELETE /v1/files/file-1",
        file_deleted.FileDeleted,
    ),
    Case(
        "batches.create",
        {"input_file_id": "file-1@openai", "endpoint": "/v1/chat/completions", "completion_window": "24h"},
        BATCH,
        "POST /v1/batches",
        batch.Batch,
    ),
    Case("batches.retrieve", {"batch_id": "batch_1"}, BATCH, "GET /v1/batches/batch_1", batch.Batch),
    Case("batches.cancel", {"batch_id": "batch_1"}, BATCH, "POST /v1/batches/batch_1/cancel", batch.Batch),
    Case(
        "uploads.create",
        {"filename": "a.bin", "bytes": 3, "mime_type": "text/plain", "purpose": "batch"},
        UPLOAD,
        "POST /v1/uploads",
        upload.Upload,
    ),
    Case(
        "uploads.parts.create",
        {"upload_id": "upload_1", "data": b"abc"},
        {"id": "part_1", "object": "upload.part", "created_at": 1, "upload_id": "upload_1"},
        "POST /v1/uploads/upload_1/parts",
        upload_part.UploadPart,
    ),
    Case(
        "uploads.complete",
        {"upload_id": "upload_1", "part_ids": ["part_1"]},
        UPLOAD,
        "POST /v1/uploads/upload_1/complete",
        upload.Upload,
    ),
    Case("uploads.cancel", {"upload_id": "upload_1"}, UPLOAD, "POST /v1/uploads/upload_1/cancel", upload.Upload),
    Case("responses.create", {"model": "chat-completion", "input": "a"}, RESPONSE, "POST /v1/responses", response.Response),
    Case("responses.retrieve", {"response_id": "resp_1"}, RESPONSE, "GET /v1/responses/resp_1", response.Response),
]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def account_mesh(vendor: Upstream) -> Iterator[modelmesh.ModelMesh]:
    pools = ("chat-completion", "text-embeddings", "content-moderation", "text-to-image", "image-to-image")
    with modelmesh.ModelMesh(
        {
            "providers": {"openai": {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": vendor.url}},
            "pools": {name: {"retry": {"max_attempts": 1}} for name in (*pools, "speech-to-text", "text-to-speech")},
        }
    ) as running:
        yield running


def method(sdk: Any, name: str) -> Callable[..., Any]:
    for part in name.split("."):
        sdk = getattr(sdk, part)
    return sdk  # type: ignore[no-any-return]


def script(case: Case) -> Script:
    body = case.reply.encode() if isinstance(case.reply, str) else json.dumps(case.reply).encode()
    return Script(body=body, content_type=case.content_type)


def check(case: Case, found: Any, received: Received) -> None:
    assert f"{received.method} {received.path}" == case.path
    assert type(found) is case.kind
    if isinstance(found, str):
        assert found == case.reply
    else:
        case.kind.model_validate(found.to_dict(), strict=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.call} {case.path}")
def test_an_operation_of_the_sdk(vendor: Upstream, account_mesh: modelmesh.ModelMesh, case: Case) -> None:
    vendor.then(script(case))
    check(case, method(account_mesh.as_openai(), case.call)(**case.arguments), vendor.last)


def test_every_operation_of_the_asynchronous_sdk(vendor: Upstream, account_mesh: modelmesh.ModelMesh) -> None:
    async def main() -> None:
        sdk = account_mesh.as_async_openai()
        for case in CASES:
            vendor.then(script(case))
            check(case, await method(sdk, case.call)(**case.arguments), vendor.last)

    asyncio.run(main())


@pytest.fixture(scope="module")
def direct(vendor: Upstream) -> Iterator[openai.OpenAI]:
    """The official SDK at the vendor."""
    with openai.OpenAI(base_url=f"{vendor.url}/v1", api_key="test", max_retries=0) as sdk:
        yield sdk


def plain(found: Any) -> Any:
    """Return an object of the SDK without what the mesh sets: the name of the model, and the account of an ID."""
    if isinstance(found, list):
        return [plain(one) for one in found]
    if isinstance(found, str):
        return found.removesuffix("@openai")
    found = found.to_dict() if hasattr(found, "to_dict") else found
    if not isinstance(found, dict):
        return found
    return {name: plain(value) for name, value in found.items() if name != "model"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.call} {case.path}")
def test_the_same_object_as_from_the_vendor(
    vendor: Upstream, account_mesh: modelmesh.ModelMesh, direct: openai.OpenAI, case: Case
) -> None:
    arguments = {
        name: value.removesuffix("@openai") if isinstance(value, str) else value for name, value in case.arguments.items()
    }
    vendor.then(script(case)).then(script(case))
    own = method(direct, case.call)(**arguments)
    ours = method(account_mesh.as_openai(), case.call)(**case.arguments)
    assert type(ours) is type(own)
    assert plain(ours) == plain(own)


STREAMS: list[tuple[str, dict[str, Any]]] = [
    ("responses.create", {"model": "chat-completion", "input": "a"}),
    ("audio.transcriptions.create", {"model": "speech-to-text", "file": ("a.mp3", b"mp3")}),
    ("images.generate", {"model": "text-to-image", "prompt": "a"}),
    ("images.edit", {"model": "image-to-image", "prompt": "a", "image": ("a.png", b"png")}),
]


@pytest.mark.parametrize(("call", "arguments"), STREAMS, ids=[call for call, _ in STREAMS])
def test_the_same_stream_as_from_the_vendor(
    vendor: Upstream, account_mesh: modelmesh.ModelMesh, direct: openai.OpenAI, call: str, arguments: dict[str, Any]
) -> None:
    own, ours = (list(method(sdk, call)(**arguments, stream=True)) for sdk in (direct, account_mesh.as_openai()))
    assert [type(one) for one in ours] == [type(one) for one in own]
    assert plain(ours) == plain(own)
    assert len(own) > 1


FAILING = ("embeddings.create", "audio.transcriptions.create", "files.retrieve", "responses.create")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_the_same_errors_as_from_the_vendor(
    vendor: Upstream, direct: openai.OpenAI, request: pytest.FixtureRequest, status: int, *, stream: bool
) -> None:
    error = {"message": "no", "type": "some_type", "param": "some_param", "code": "some_code"}
    headers = {"retry-after": "200"} if status == 429 else {}
    failure = Script(status, json.dumps({"error": error}).encode(), headers)
    settings = {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": vendor.url}
    pools = ("chat-completion", "text-embeddings", "speech-to-text")
    streamed = {call for call, _ in STREAMS}
    vendor.always(failure)
    request.addfinalizer(lambda: vendor.always(None))
    for case in CASES:
        if case.call not in FAILING or (stream and case.call not in streamed):
            continue
        arguments = {**case.arguments, "stream": True} if stream else case.arguments
        found: list[Any] = []
        with modelmesh.ModelMesh(
            {"providers": {"openai": settings}, "pools": {name: {"retry": {"max_attempts": 1}} for name in pools}}
        ) as mesh:
            for sdk in (direct, mesh.as_openai()):
                with pytest.raises(openai.APIStatusError) as caught:
                    method(sdk, case.call)(**arguments)
                found.append(caught.value)
        own, ours = found
        assert type(ours) is type(own)
        fields = ("status_code", "code", "param", "type")
        assert [getattr(ours, name) for name in fields] == [getattr(own, name) for name in fields]
        assert ("retry-after" in ours.response.headers) >= (status == 429)
        assert "no" in ours.message


@pytest.mark.parametrize("native", [True, False])
def test_legacy_completions(upstream: Upstream, native: bool) -> None:
    """A server with completions receives the request unchanged. Any other vendor receives a chat completion."""
    body = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "usage": USAGE}
    own = {**body, "choices": [{"text": "Hello!", "index": 0, "logprobs": None, "finish_reason": "stop"}]}
    connector = "vllm.local.v1" if native else "openai.llm.v1"
    settings = {"connector": connector, "api_key": "sk-test", "base_url": upstream.url, "models": ["model-a"]}
    with modelmesh.ModelMesh({"providers": {"a": settings}, "pools": {"chat-completion": {}}}) as mesh:
        sdk = mesh.as_openai()
        if native:
            upstream.reply(own)
        found = sdk.completions.create(model="chat-completion", prompt="a", max_tokens=5)
        assert upstream.last.path == ("/v1/completions" if native else "/v1/chat/completions")
        assert type(found) is Completion
        assert (found.choices[0].text, found.object, found.usage.total_tokens) == ("Hello!", "text_completion", 7)
        Completion.model_validate(found.to_dict(), strict=False)
        pieces = list(sdk.completions.create(model="chat-completion", prompt="a", stream=True))
        assert {type(piece) for piece in pieces} == {Completion}
        assert "".join(choice.text for piece in pieces for choice in piece.choices)


def test_lists(vendor: Upstream, account_mesh: modelmesh.ModelMesh) -> None:
    sdk = account_mesh.as_openai()
    vendor.reply(
        {"object": "list", "data": [{"id": "file-1", **FILE}], "has_more": False, "first_id": "file-1", "last_id": "file-1"}
    )
    assert [one.id for one in sdk.files.list(limit=5, after="file-0@openai", purpose="batch")] == ["file-1@openai"]
    assert vendor.last.path.startswith("/v1/files?")
    assert set(vendor.last.path.partition("?")[2].split("&")) == {"limit=5", "after=file-0", "purpose=batch"}
    vendor.reply({"object": "list", "data": [BATCH], "has_more": False})
    assert [one.id for one in sdk.batches.list()] == ["batch_1@openai"]


def test_content_of_a_file(vendor: Upstream, account_mesh: modelmesh.ModelMesh) -> None:
    sdk = account_mesh.as_openai()
    vendor.then(Script(body=b"abc", content_type="application/octet-stream"))
    assert sdk.files.content("file-1@openai").read() == b"abc"
    assert vendor.last.path == "/v1/files/file-1/content"
    vendor.then(Script(body=[b"abc", b"def"], content_type="application/octet-stream"))
    with sdk.files.with_streaming_response.content("file-1@openai") as opened:
        assert b"".join(opened.iter_bytes()) == b"abcdef"


def test_speech(vendor: Upstream, account_mesh: modelmesh.ModelMesh, tmp_path: Any) -> None:
    sdk = account_mesh.as_openai()
    arguments: dict[str, Any] = {"model": "text-to-speech", "input": "a", "voice": "alloy"}
    vendor.then(Script(body=b"mp3", content_type="audio/mpeg"))
    spoken = sdk.audio.speech.create(**arguments)
    assert (spoken.content, spoken.response.headers["content-type"]) == (b"mp3", "audio/mpeg")
    vendor.then(Script(body=[b"one", b"two"], content_type="audio/mpeg"))
    with sdk.audio.speech.with_streaming_response.create(**arguments) as opened:
        opened.stream_to_file(tmp_path / "a.mp3")
    assert (tmp_path / "a.mp3").read_bytes() == b"onetwo"


def test_streamed_events_of_transcriptions_and_responses(vendor: Upstream, account_mesh: modelmesh.ModelMesh) -> None:
    sdk = account_mesh.as_openai()
    events = [{"type": "transcript.text.delta", "delta": "Hi"}, {"type": "transcript.text.done", "text": "Hi"}]
    vendor.stream([f"data: {json.dumps(one)}\n\n".encode() for one in events])
    stream = sdk.audio.transcriptions.create(model="speech-to-text", file=b"mp3", stream=True)
    assert [one.type for one in stream] == ["transcript.text.delta", "transcript.text.done"]
    events = [
        {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": []}, "sequence_number": 0},
        {
            "type": "response.output_text.delta",
            "delta": "Hi",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "sequence_number": 1,
            "logprobs": [],
        },
        {"type": "response.completed", "response": RESPONSE, "sequence_number": 2},
    ]
    vendor.stream([f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in events])
    found = list(sdk.responses.create(model="chat-completion", input="a", stream=True))
    assert [one.type for one in found] == [one["type"] for one in events]


@pytest.mark.parametrize("size", [0, 100 * 2**20])
def test_a_large_file_does_not_stay_in_memory(
    vendor: Upstream, account_mesh: modelmesh.ModelMesh, tmp_path: Any, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    sizes: list[int] = []
    vendor.then(lambda request: sizes.append(len(request.body)) or Script(body=json.dumps({"id": "file-1", **FILE}).encode()))
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.truncate(size)
    assert account_mesh.as_openai().files.create(file=path, purpose="batch").id == "file-1@openai"
    assert size <= sizes[0] <= size + 1000
    assert list(tmp_path.iterdir()) == [path]


def test_the_uploaded_file_is_sent_again_by_failover(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    content = b"x" * 3_000_000
    with Upstream() as first, Upstream() as second:
        first.always(Script(503, b"{}"))
        second.reply({"text": "Hi"})
        providers = {
            name: {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": server.url}
            for name, server in (("a", first), ("b", second))
        }
        with modelmesh.ModelMesh({"providers": providers, "pools": {"speech-to-text": {}}}) as mesh:
            reply = mesh.as_openai().audio.transcriptions.create(model="speech-to-text", file=("ü.mp3", content))
        assert reply.text == "Hi"
        for server in (first, second):
            assert content in server.last.body
            assert "ü.mp3".encode() in server.last.body
    assert list(tmp_path.iterdir()) == []


def test_operations_that_are_not_served(account_mesh: modelmesh.ModelMesh) -> None:
    sdk = account_mesh.as_openai()
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        sdk.fine_tuning.jobs.list()
    with pytest.raises(openai.BadRequestError, match="belongs to the account 'gone'"):
        sdk.files.retrieve("file-1@gone")

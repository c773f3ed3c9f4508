"""The request handler itself: requests that reach no operation, limits, and bodies in pieces."""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import modelmesh
from modelmesh._engine.gateway import Gateway, GatewayLimits, GatewayRequest, GatewayResponse
from modelmesh._engine.gateway.form_fields import payload_of
from modelmesh._engine.gateway.upload_spool import UploadSpool
from modelmesh.contracts.models import ModelInfo
from modelmesh.testing import MockResponse, mock_client

CHAT = "/v1/chat/completions"
BODY = json.dumps({"model": "chat-completion", "messages": [{"role": "user", "content": "Hi"}]}).encode()
FORM = {"content-type": "multipart/form-data; boundary=b"}
TRANSCRIBE = "/v1/audio/transcriptions"
move = UploadSpool._move_to_disk


@pytest.fixture(scope="module")
def mesh() -> Iterator[Any]:
    with mock_client([MockResponse("Hello")]) as client:
        yield client.mesh


def error_of(response: GatewayResponse) -> dict[str, Any]:
    assert isinstance(response.content, bytes)
    error = json.loads(response.content)["error"]
    assert error.keys() >= {"message", "type", "param", "code"}
    assert dict(response.headers)["x-request-id"]
    return error  # type: ignore[no-any-return]


REFUSED = [
    (GatewayRequest("GET", "/nope"), 404, "does not exist"),
    (GatewayRequest("POST", "/v1/v1/chat/completions"), 404, "begins with /v1 twice: remove one from the base URL"),
    (GatewayRequest("GET", CHAT), 405, "Use POST"),
    (GatewayRequest("POST", "/v1/models"), 405, "Use GET"),
    (GatewayRequest("POST", CHAT, body=b"{"), 400, "not valid JSON"),
    (GatewayRequest("POST", CHAT, body=b"\xff"), 400, "not valid JSON"),
    (GatewayRequest("POST", CHAT, body=b"[1]"), 400, "not a list"),
    (GatewayRequest("POST", CHAT, body=b'{"model": NaN}'), 400, "not valid JSON"),
    (GatewayRequest("POST", CHAT, body=b"[" * 100_000), 400, "not valid JSON"),
    (GatewayRequest("POST", CHAT, body=b""), 400, "Empty request body. 'model' must be"),
    (GatewayRequest("POST", CHAT, body=b'{"model": 1}'), 400, "'model' must be"),
    (GatewayRequest("POST", CHAT, body=b'{"model": "chat-completion"}'), 400, "needs 'messages'"),
    (GatewayRequest("POST", CHAT, body=b'{"model": "m", "messages": {}}'), 400, "not an object"),
    (GatewayRequest("POST", CHAT, body=BODY.replace(b'"model"', b'"stream": 1, "model"')), 400, "'stream' must be"),
    (GatewayRequest("POST", CHAT, body=BODY, headers={"x-modelmesh-max-retries": "-1"}), 400, "whole number"),
    (GatewayRequest("POST", CHAT, body=BODY, headers={"x-modelmesh-max-retries": "9" * 5000}), 400, "whole number"),
    (GatewayRequest("POST", CHAT, body=BODY, headers={"x-a": "é"}), 400, "not ASCII"),
    (GatewayRequest("POST", CHAT, body=BODY, headers={"x-a": "1" * 10_000}), 431, "headers exceed"),
    (GatewayRequest("POST", CHAT, body=BODY + b" " * 5000), 413, "exceeds 4,000 bytes"),
    (GatewayRequest("POST", CHAT, body=[BODY, b" " * 5000]), 413, "exceeds 4,000 bytes"),
    (GatewayRequest("POST", TRANSCRIBE, body=b"{}", headers={"content-type": "application/json"}), 400, "multipart/form-data"),
    (GatewayRequest("POST", TRANSCRIBE, headers={"content-type": "multipart/form-data"}), 400, "no boundary"),
    (GatewayRequest("POST", TRANSCRIBE, body=b"nonsense", headers=FORM), 400, "not valid"),
    (GatewayRequest("POST", TRANSCRIBE, body=b"--b\r\n", headers=FORM), 400, "before its last boundary"),
    (GatewayRequest("POST", TRANSCRIBE, body=b"--b--\r\n", headers={**FORM, "content-length": "9"}), 400, "Content-Length is 9"),
    (GatewayRequest("POST", TRANSCRIBE, body=b"--b\r\nA: b\r\n\r\nx\r\n--b--\r\n", headers=FORM), 400, "no name"),
]


@pytest.mark.parametrize(("request_", "status", "text"), REFUSED)
def test_a_request_that_reaches_no_operation(mesh: Any, request_: GatewayRequest, status: int, text: str) -> None:
    gateway = Gateway(
        mesh, limits=GatewayLimits(header_bytes=8192, json_bytes=4000 if b"  " in b"".join(pieces(request_)) else None)
    )
    for response in (gateway.handle(request_), asyncio.run(gateway.ahandle(request_))):
        assert response.status == status
        assert text in error_of(response)["message"]
    if status == 405:
        assert dict(response.headers)["allow"]


def pieces(request: GatewayRequest) -> list[bytes]:
    return [request.body] if isinstance(request.body, bytes) else list(request.body)  # type: ignore[arg-type]


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    body = b""
    for name, filename, content in parts:
        file = "" if filename is None else f'; filename="{filename}"'
        body += f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--b--\r\n"


def test_files_are_removed_in_every_case(mesh: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gateway = Gateway(mesh, limits=GatewayLimits(memory_bytes=10, upload_bytes=10_000, field_bytes=100))
    whole = form(("model", None, b"gone"), ("file", "ü.mp3", b"x" * 1000))
    for body, status in ((whole, 404), (whole[:-20], 400), (whole + b"-" * 10_000, 413), (form(("a", None, b"y" * 200)), 413)):
        cut = [body[place : place + 7] for place in range(0, len(body), 7)]

        async def later(parts: list[bytes] = cut) -> AsyncIterator[bytes]:
            for part in parts:
                yield part

        assert gateway.handle(GatewayRequest("POST", TRANSCRIBE, headers=FORM, body=cut)).status == status
        response = asyncio.run(gateway.ahandle(GatewayRequest("POST", TRANSCRIBE, headers=FORM, body=later())))
        assert response.status == status
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([("a", None, b"y" * 60)] * 2, 413),
        ([("file", "a.mp3", b"x")] * 9, 413),
        ([("file", "a.mp3", b"x" * 8), ("file", "b.mp3", b"x" * 8), ("model", None, b"gone")], 404),
    ],
)
def test_limits_of_memory_apply_to_all_parts_together(
    mesh: Any, monkeypatch: pytest.MonkeyPatch, parts: list[tuple[str, str | None, bytes]], status: int
) -> None:
    moved: list[Any] = []
    monkeypatch.setattr(UploadSpool, "_move_to_disk", lambda self, memory: moved.append(move(self, memory)))
    gateway = Gateway(mesh, limits=GatewayLimits(memory_bytes=10, field_bytes=100, files=8))
    assert gateway.handle(GatewayRequest("POST", TRANSCRIBE, headers=FORM, body=form(*parts))).status == status
    assert len(moved) == (1 if status == 404 else 0)


def test_json_of_many_small_parts_is_refused_before_it_is_decoded(mesh: Any) -> None:
    body = BODY[:-1] + b', "x": [' + b"[]," * 1_000_000 + b"1]}"
    assert error_of(Gateway(mesh).handle(GatewayRequest("POST", CHAT, body=body)))["code"] == "request_too_large"


def test_a_cancelled_upload_leaves_no_file(mesh: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gateway = Gateway(mesh, limits=GatewayLimits(memory_bytes=10))
    whole = form(("model", None, b"gone"), *[("file", "a.mp3", b"x" * 1000)] * 50)
    cancelled, resumed = threading.Event(), threading.Event()

    def slowly() -> Iterator[bytes]:
        for place in range(0, len(whole), 100):
            if place == 1000:
                cancelled.set()
                resumed.wait(5)
            yield whole[place : place + 100]

    async def cancel() -> None:
        task = asyncio.create_task(gateway.ahandle(GatewayRequest("POST", TRANSCRIBE, headers=FORM, body=slowly())))
        await asyncio.to_thread(cancelled.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        resumed.set()

    asyncio.run(cancel())  # waits for the thread that reads the body
    gc.collect()  # an open file is a warning, and a warning is an error
    assert list(tmp_path.iterdir()) == []


def test_form_fields() -> None:
    fields: list[Any] = [
        ("temperature", "0.5"),
        ("stream", "true"),
        ("language", "1"),
        ("include[]", "logprobs"),
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"),
        ("chunking_strategy[type]", "server_vad"),
        ("odd[", "x"),
    ]
    assert payload_of(fields) == {
        "temperature": 0.5,
        "stream": True,
        "language": "1",
        "include": ["logprobs"],
        "timestamp_granularities": ["word", "segment"],
        "chunking_strategy": {"type": "server_vad"},
        "odd[": "x",
    }


def test_a_body_in_pieces_and_a_stream(mesh: Any) -> None:
    gateway = Gateway(mesh)
    response = gateway.handle(GatewayRequest("POST", CHAT, body=[BODY[:9], BODY[9:]]))
    assert response.status == 200
    assert json.loads(response.content)["choices"][0]["message"]["content"] == "Hello"  # type: ignore[arg-type]
    streamed = gateway.handle(GatewayRequest("POST", CHAT, body=BODY.replace(b'"model"', b'"stream": true, "model"')))
    events = b"".join(streamed.content).split(b"\n\n")  # type: ignore[arg-type]
    assert all(event.startswith(b"data: ") for event in events[:-1])
    assert events[-2:] == [b"data: [DONE]", b""]
    assert dict(streamed.headers)["content-type"].startswith("text/event-stream")


class BrokenProvider:
    """A connector with a mistake."""

    id = "acme.llm.v1"
    capabilities = ("generation.text-generation.chat-completion",)

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m", capabilities=self.capabilities)]

    def send(self, *_: Any) -> Any:
        message = "a mistake"
        raise ValueError(message)

    asend = send


def test_an_error_names_no_file_of_the_server() -> None:
    config = {"providers": {"a": {"instance": BrokenProvider()}}, "pools": {"chat-completion": {}}}
    with modelmesh.create(config=config) as client:
        response = Gateway(client.mesh).handle(GatewayRequest("POST", CHAT, body=BODY))
    assert __file__ in str(response.error.__cause__ or response.error)
    message = error_of(response)["message"]
    assert "(class BrokenProvider) raised ValueError: a mistake" in message
    assert ".py" not in message


@pytest.mark.parametrize("levels", [500, 985, 990, 995, 1000, 1010, 2000])
def test_a_deep_body_is_never_a_fault_of_a_model(upstream: Any, config: Any, levels: int) -> None:
    deep = b"[" * levels + b"]" * levels
    body = b'{"model":"chat-completion","messages":[{"role":"user","content":%b}]}' % deep
    with modelmesh.create(config=config(upstream.url)) as client:
        assert Gateway(client.mesh).handle(GatewayRequest("POST", CHAT, body=body)).status in (200, 400)
        assert client.mesh.list_pools()[0].get_active_models()

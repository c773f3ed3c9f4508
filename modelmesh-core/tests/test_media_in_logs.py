"""Log entries of the operations: they name the operation, and contain neither files nor encoded media."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh._engine.telemetry.media import without_media
from modelmesh.contracts import OPERATIONS
from modelmesh.contracts.call import Call
from modelmesh.contracts.files import FileUpload

DATA = base64.b64encode(b"secret picture " * 100).decode()
FILE = FileUpload("a.wav", 5, "audio/wav", open=lambda: io.BytesIO(b"bytes"))


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({"file": FILE, "prompt": "Hi"}, {"file": "<file 'a.wav', 5 bytes, audio/wav>", "prompt": "Hi"}),
        ({"image": [FILE]}, {"image": ["<file 'a.wav', 5 bytes, audio/wav>"]}),
        (b"12345", "<5 bytes>"),
        ({"data": [{"b64_json": DATA}]}, {"data": [{"b64_json": "<2000 characters of base64>"}]}),
        (f"data:image/png;base64,{DATA}", "<data:image/png;base64, 2000 characters>"),
        ({"text": "word " * 200}, {"text": "word " * 200}),
        ({"text": "a" * 300 + " word"}, {"text": "a" * 300 + " word"}),
        ({"n": 1, "none": None, "list": [1.5, True]}, {"n": 1, "none": None, "list": [1.5, True]}),
    ],
)
def test_payload_without_media(payload: Any, shown: Any) -> None:
    assert without_media(payload) == shown


def test_payload_without_media_is_not_copied() -> None:
    payload = {"messages": [{"content": "Hi"}]}
    assert without_media(payload) is payload


class Recorder:
    def __init__(self) -> None:
        self.entries: list[Any] = []

    def emit(self, event: Any) -> None: ...

    def log(self, entry: Any) -> None:
        self.entries.append(entry)


@pytest.mark.parametrize(
    ("name", "payload", "body"),
    [
        ("audio.speech", {"input": "Hi"}, b"audio"),
        ("audio.transcriptions", {"file": FILE}, {"text": "Hi"}),
        ("images.generate", {"prompt": "Hi"}, {"data": [{"b64_json": DATA}]}),
        ("files.create", {"file": FILE, "purpose": "batch"}, {"id": "file-1"}),
    ],
)
def test_log_entry_of_an_operation(name: str, payload: Any, body: Any, scripted: Any) -> None:
    operation, sink = OPERATIONS[name], Recorder()
    provider = scripted(answer=lambda call, model: body, capabilities=(operation.capability or "chat-completion",))
    provider.native_operations = (name,)
    pools = {"p": {"capability": operation.capability or "chat-completion"}}
    sinks = {"instance": sink, "logging": {"level": "full"}}
    with ModelMesh({"providers": {"a": {"instance": provider}}, "pools": pools, "observability": sinks}) as mesh:
        mesh._requests.serve(Call(operation, "p", payload))
        assert mesh.get_statistics().pool("p" if operation.capability else name).requests_total == 1
    (entry,) = sink.entries
    assert (entry.operation, entry.status_code) == (name, 200)
    shown = repr((entry.request_payload, entry.response_payload))
    assert DATA[:50] not in shown
    assert "audio'" not in shown

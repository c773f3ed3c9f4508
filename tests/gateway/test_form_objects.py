"""Files of the official SDK in the process: the mesh reads the SDK's own objects and parses no body."""

from __future__ import annotations

import asyncio
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest

import modelmesh
from modelmesh._engine.gateway import multipart_body
from modelmesh.integrations.form_objects import has_objects

FILE = {"id": "file-1", "object": "file", "bytes": 5, "created_at": 1, "filename": "a", "purpose": "batch", "status": "processed"}


@pytest.fixture
def no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if a body is parsed."""

    def fail(*_: Any) -> None:
        pytest.fail("a body was parsed")

    monkeypatch.setattr(multipart_body, "MultipartReader", fail)


def contents(body: bytes) -> bytes:
    """Return the content of the part ``file``."""
    head, _, rest = body.partition(b'name="file"')[2].partition(b"\r\n\r\n")
    boundary = body.partition(b"\r\n")[0]
    assert b"filename=" in head
    return rest.partition(b"\r\n" + boundary)[0]


def forms(folder: Path) -> dict[str, Any]:
    (path := folder / "a b.jsonl").write_bytes(b"lines")
    middle = io.BytesIO(b"lines")
    middle.seek(3)
    return {
        "path": path,
        "bytes": b"lines",
        "file": path.open("rb"),
        "middle": middle,
        "tuple": ("ü.jsonl", b"lines", "text/plain"),
    }


@pytest.mark.parametrize("form", ["path", "bytes", "file", "middle", "tuple"])
def test_a_file_reaches_the_vendor_without_parsing(
    upstream: Any, mesh: modelmesh.ModelMesh, no_parser: None, tmp_path: Path, form: str
) -> None:
    given = forms(tmp_path)
    upstream.fail(500).reply(FILE)
    sent = mesh.client.as_openai().files.create(file=given[form], purpose="batch", extra_body={"expires_after": {"seconds": 60}})
    assert sent.id.startswith("file-1@")
    for received in upstream.received:
        assert contents(received.body) == b"lines"
        assert b'name="expires_after[seconds]"\r\n\r\n60\r\n' in received.body
    assert len(upstream.received) == 2
    given["file"].close()


def test_the_same_for_asyncio(upstream: Any, mesh: modelmesh.ModelMesh, no_parser: None) -> None:
    upstream.reply(FILE)
    sdk = mesh.client.as_async_openai()
    assert asyncio.run(sdk.files.create(file=b"lines", purpose="batch")).id.startswith("file-1@")
    assert contents(upstream.received[0].body) == b"lines"


@pytest.mark.parametrize("form", ["bytes", "file"])
def test_an_event_loop_reads_files_in_a_thread_and_bytes_directly(
    upstream: Any, mesh: modelmesh.ModelMesh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str
) -> None:
    (path := tmp_path / "a").write_bytes(bytes(600_000))
    upstream.reply(FILE)
    in_threads, to_thread = [], asyncio.to_thread
    monkeypatch.setattr(asyncio, "to_thread", lambda call, *arguments: in_threads.append(call) or to_thread(call, *arguments))

    async def send() -> None:
        with path.open("rb") as opened:
            file = opened if form == "file" else path.read_bytes()
            await mesh.client.as_async_openai().files.create(file=("a", file), purpose="batch")

    asyncio.run(send())
    assert contents(upstream.received[0].body) == bytes(600_000)
    assert any("AsyncPieces" in repr(call) for call in in_threads) == (form == "file")


def test_threads_share_a_file_object(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    shared, content = io.BytesIO(os.urandom(300_000)), b""
    content = shared.getvalue()
    for _ in range(8):
        upstream.reply(FILE)
    sdk = mesh.client.as_openai()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sdk.files.create(file=shared, purpose="batch"), range(8)))
    assert [contents(received.body) == content for received in upstream.received] == [True] * 8


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_sent_whole(upstream: Any, mesh: modelmesh.ModelMesh, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe.jsonl")
    writer = Thread(target=pipe.write_bytes, args=(b"lines",))
    writer.start()
    upstream.reply(FILE)
    with pipe.open("rb") as source:
        mesh.client.as_openai().files.create(file=("pipe.jsonl", source), purpose="batch")
    writer.join()
    assert contents(upstream.received[0].body) == b"lines"


def test_a_file_that_cannot_be_read_is_an_error_of_the_sdk(upstream: Any, mesh: modelmesh.ModelMesh) -> None:
    closed = io.BytesIO(b"lines")
    sdk = mesh.client.as_openai()
    request = httpx2.Request("POST", "http://modelmesh/v1/files", files={"file": ("a", closed)}, data={"purpose": "batch"})
    closed.close()
    response = sdk._client.send(request)
    assert (response.status_code, "cannot read the file object" in response.text) == (400, True)
    assert upstream.received == []


@pytest.mark.parametrize("stream", [httpx2.ByteStream(b"x"), object(), None])
def test_other_bodies_are_read_as_bytes(stream: Any) -> None:
    assert not has_objects(stream)


def test_a_part_without_a_filename_is_parsed() -> None:
    request = httpx2.Request("POST", "http://modelmesh/v1/files", files={"file": (None, b"text")})
    assert not has_objects(request.stream)

"""Files of 100 MB from disk to a vendor and back to disk, through the client and its shipped defaults."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripted_server import Peer, ScriptedServer, scripted_server
from uploads import MIB, answer, piece_at

import modelmesh
from modelmesh_cdk.provider import exchange

LARGE = 100 * MIB
EXTRA = 2 * MIB
AUDIO = 6 * MIB
PIECE = 64 * 1024
MODES = ["sync", "async"]

pytestmark = pytest.mark.usefixtures("each_transport")


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 100 MB on disk."""
    return written(tmp_path_factory.mktemp("files") / "录音.wav", LARGE)


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 6 MB on disk."""
    return written(tmp_path_factory.mktemp("audio") / "a.wav", AUDIO)


def written(path: Path, size: int) -> Path:
    piece = piece_at(7, PIECE)
    with path.open("wb") as file:
        for _ in range(size // PIECE):
            file.write(piece)
    return path


class Vendor:
    """A vendor of files and transcriptions.

    Attributes:
        files: Size and CRC of each file of a complete upload.
        fault: What the vendor does with its first request in place of an answer.
    """

    def __init__(self, fault: Callable[[Peer], None] | None = None) -> None:
        self.files: list[tuple[int, int]] = []
        self.fault = fault
        self.requests = 0

    def __call__(self, peer: Peer) -> None:
        while True:
            head = peer.head()
            if not head:
                return
            self.requests += 1
            if self.fault is not None and head.startswith(b"POST"):
                fault, self.fault = self.fault, None
                fault(peer)
                return
            if head.startswith(b"GET"):
                send_file(peer)
                continue
            self.files.append(file_of_form(peer, head))
            kind = {"id": "file-1", "object": "file", "bytes": self.files[-1][0], "filename": "a", "purpose": "batch"}
            peer.send(json_answer(kind if b"/files" in head else {"text": "hello"}))


def json_answer(body: dict[str, Any]) -> bytes:
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)


def send_file(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % LARGE)
    piece = piece_at(7, PIECE)
    for _ in range(LARGE // PIECE):
        peer.send(piece)


def file_of_form(peer: Peer, head: bytes) -> tuple[int, int]:
    """Read a form and return size and CRC of its file."""
    left = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    boundary = head.partition(b"boundary=")[2].partition(b"\r\n")[0]
    begun = peer._buffer
    while b"filename=" not in begun or b"\r\n\r\n" not in begun.partition(b"filename=")[2]:
        begun += peer.socket.recv(65_536)
    peer._buffer = b""
    start = begun.index(b"\r\n\r\n", begun.index(b"filename=")) + 4
    end = len(b"\r\n--" + boundary + b"--\r\n")
    left -= len(begun)
    size, crc, tail = 0, 0, begun[start:]
    buffer = bytearray(PIECE)
    view = memoryview(buffer)
    while True:
        cut = max(len(tail) - end, 0)
        size, crc, tail = size + cut, zlib.crc32(tail[:cut], crc), tail[cut:]
        if not left:
            assert tail == b"\r\n--" + boundary + b"--\r\n", "the file is the last part"
            return size, crc
        got = peer.socket.recv_into(view[: min(left, PIECE)])
        assert got, "the connection ended"
        left -= got
        tail += bytes(view[:got])


class Client:
    """The client of threads or of an event loop."""

    def __init__(self, mode: str, *servers: ScriptedServer) -> None:
        names = ["openai.llm.v1", "groq.api.v1"]
        providers = {
            name: {"api_key": "test", "base_url": server.url + "/v1"} for name, server in zip(names, servers, strict=False)
        }
        config: dict[str, Any] = {"providers": providers}
        self._runner = asyncio.Runner() if mode == "async" else None
        make: Any = modelmesh.create if self._runner is None else modelmesh.create_async
        self.client: Any = make(config=config)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is None:
            self.client.close()
        else:
            self._runner.run(self.client.aclose())
            self._runner.close()

    def run(self, call: Callable[[Any], Any]) -> Any:
        """Return the result of a call of the client."""
        if self._runner is None:
            return call(self.client)

        async def awaited() -> Any:
            return await call(self.client)

        return self._runner.run(awaited())

    def download(self, path: Path) -> None:
        """Write the content of a file to disk as it arrives."""
        if self._runner is None:
            with self.client.files.with_streaming_response.content("file-1@openai.llm.v1") as response:
                response.stream_to_file(path)
            return

        async def main() -> None:
            async with self.client.files.with_streaming_response.content("file-1@openai.llm.v1") as response:
                await response.stream_to_file(path)

        self._runner.run(main())


def crc_of(path: Path) -> tuple[int, int]:
    size = crc = 0
    with path.open("rb") as file:
        while piece := file.read(MIB):
            size, crc = size + len(piece), zlib.crc32(piece, crc)
    return size, crc


@pytest.mark.parametrize("mode", MODES)
def test_files_go_from_disk_to_the_vendor_and_back_in_little_memory(
    mode: str, large_file: Path, audio: Path, tmp_path: Path
) -> None:
    small = tmp_path / "a.jsonl"
    small.write_bytes(b"{}\n")
    vendor = Vendor()
    with scripted_server(vendor) as server, Client(mode, server) as client:
        made = client.run(lambda c: c.files.create(file=small, purpose="batch"))
        assert made.id == "file-1@openai.llm.v1"
        client.run(lambda c: c.audio.transcriptions.create(file=small, model="speech-to-text"))
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            made = client.run(lambda c: c.files.create(file=large_file, purpose="batch"))
            text = client.run(lambda c: c.audio.transcriptions.create(file=audio, model="speech-to-text"))
            client.download(tmp_path / "copy.wav")
            extra = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
    original = crc_of(large_file)
    assert made.bytes == LARGE
    assert text.text == "hello"
    assert vendor.files[2:] == [original, crc_of(audio)]
    assert crc_of(tmp_path / "copy.wav") == original
    assert extra < EXTRA


def refuse_after_half(peer: Peer) -> None:
    read_rest(peer, AUDIO // 2)
    peer.send(answer("500 Internal Server Error", b'{"error":{"message":"boom"}}', close=True))
    peer.wait_for_end()


def reset_after_half(peer: Peer) -> None:
    read_rest(peer, AUDIO // 2)
    peer.reset()


def refuse_early(peer: Peer) -> None:
    peer.send(answer("401 Unauthorized", b'{"error":{"message":"wrong key","code":"invalid_api_key"}}', close=True))
    peer.wait_for_end()


def read_rest(peer: Peer, size: int) -> None:
    buffer = bytearray(PIECE)
    while size > 0 and (got := peer.socket.recv_into(buffer)):
        size -= got


@pytest.mark.parametrize("fault", [refuse_after_half, reset_after_half, refuse_early])
@pytest.mark.parametrize("mode", MODES)
def test_failed_upload_rotates_with_the_whole_file(mode: str, fault: Callable[[Peer], None], audio: Path) -> None:
    vendors = Vendor(fault), Vendor(fault)
    with scripted_server(vendors[0]) as first, scripted_server(vendors[1]) as second, Client(mode, first, second) as client:
        vendors[1].fault = None
        for _ in range(2):  # whichever comes first
            text = client.run(lambda c: c.audio.transcriptions.create(file=audio, model="speech-to-text"))
            assert text.text == "hello"
    assert vendors[0].fault is None, "the first vendor received a request"
    assert vendors[0].files + vendors[1].files == [crc_of(audio)] * 2


@pytest.mark.parametrize("mode", MODES)
def test_file_that_changes_between_attempts_is_an_error_of_the_caller(mode: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", MIB)

    def cut_the_file(peer: Peer) -> None:
        path.write_bytes(b"RIFF")
        refuse_early(peer)

    vendors = Vendor(cut_the_file), Vendor(cut_the_file)
    with scripted_server(vendors[0]) as first, scripted_server(vendors[1]) as second, Client(mode, first, second) as client:
        with pytest.raises(modelmesh.BadRequestError, match=r"'a.wav' changed during its upload: it had 1048576 bytes") as caught:
            client.run(lambda c: c.audio.transcriptions.create(file=path, model="speech-to-text"))
        assert "test" not in str(caught.value)
    assert vendors[0].files + vendors[1].files == []


def test_file_above_the_limit_of_memory_names_the_way_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LARGE_BODY", MIB)
    with scripted_server(Vendor()) as server, Client("sync", server) as client:
        with pytest.raises(modelmesh.ModelMeshError, match=r"too large for the memory.*with_streaming_response"):
            client.run(lambda c: c.files.content("file-1@openai.llm.v1"))
        client.download(tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == LARGE

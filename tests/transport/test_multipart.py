"""Multipart bodies as the openai SDK writes them and as python-multipart reads them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import openai
import pytest
from python_multipart import create_form_parser
from raw_server import raw_server, whole

from modelmesh.contracts.files import FileUpload
from modelmesh_cdk.wire.multipart import PIECE, MultipartBody

NAMES = ["a.wav", "größe 录音 🎧.wav", 'a"b.wav', "a\\b.wav", "a\r\nX: 1.wav", "a;b=c%22.wav", "'", " "]


def upload(content: bytes, name: str = "a.wav", kind: str = "audio/wav", *, size: int | None = None) -> FileUpload:
    """Return a file whose size may be stated wrongly."""
    return FileUpload(name, len(content) if size is None else size, kind, open=lambda: io.BytesIO(content))


def parsed(body: MultipartBody) -> list[tuple[str, str | None, bytes]]:
    """Return name, filename and content of each part as python-multipart reads them."""
    found: list[tuple[str, str | None, bytes]] = []

    def on_field(field: Any) -> None:
        found.append((field.field_name.decode(), None, field.value or b""))

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        found.append((file.field_name.decode(), file.file_name.decode(), file.file_object.read()))

    parser = create_form_parser({"Content-Type": body.content_type.encode()}, on_field, on_file)
    for piece in body:
        parser.write(piece)
    parser.finalize()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_form_is_the_one_of_the_openai_sdk(name: str) -> None:
    with raw_server(lambda _number, _request: whole({"text": "hi"})) as server:
        client = openai.OpenAI(api_key="test", base_url=server.url + "/v1", max_retries=0)
        with client:
            client.audio.transcriptions.create(
                file=(name, b"RIFF", "audio/wav"), model="whisper-1", language="de", timestamp_granularities=["word", "segment"]
            )
        head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    boundary = sent.partition(b"\r\n")[0].removeprefix(b"--").decode()
    body = MultipartBody(
        [
            ("model", "whisper-1"),
            ("language", "de"),
            ("timestamp_granularities[]", "word"),
            ("timestamp_granularities[]", "segment"),
            ("file", upload(b"RIFF", name)),
        ]
    )
    own = body.content_type.partition("boundary=")[2]
    assert b"".join(body).decode().replace(own, boundary) == sent.decode()
    assert body.content_type.replace(own, boundary).encode() in head


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [0, 1, 5000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 17])
def test_python_multipart_reads_every_part(name: str, size: int) -> None:
    content = b"\r\n--\x00x"[: size or None] * (size // 6 + 1)
    content = content[:size]
    body = MultipartBody(
        [("a[]", "one"), ("a[]", ""), ("file", upload(content, name)), ("image[]", upload(b"", "b")), ("z", "é")]
    )
    read = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    expected = [("a[]", None, b"one"), ("a[]", None, b""), ("file", read, content), ("image[]", "b", b"")]
    assert parsed(body) == [*expected, ("z", None, "é".encode())]
    pieces = list(body)
    assert sum(map(len, pieces)) == body.size
    assert max(map(len, pieces)) <= PIECE
    assert list(body) == pieces  # from the start again


def test_small_form_is_one_piece_and_a_long_text_several() -> None:
    assert len(list(MultipartBody([("a", "b"), ("file", upload(b"x" * 1000))]))) == 1
    body = MultipartBody([("a", "b" * (3 * PIECE))])
    assert [len(piece) <= PIECE for piece in body] == [True] * len(list(body))
    assert parsed(body) == [("a", None, b"b" * (3 * PIECE))]
    assert parsed(MultipartBody([])) == []
    assert MultipartBody([]).size == len(b"".join(MultipartBody([])))


def test_boundaries_differ() -> None:
    assert MultipartBody([]).content_type != MultipartBody([]).content_type


@pytest.mark.parametrize(("size", "now"), [(9, "fewer"), (5, "more"), (0, "more"), (PIECE * 2, "fewer")])
def test_file_that_changed_raises_before_the_last_boundary(size: int, now: str) -> None:
    body = MultipartBody([("file", upload(b"12345678", size=size))])
    sent = b""
    with pytest.raises(OSError, match=f"'a.wav' changed during its upload: it had {size} bytes and now has {now}"):
        for piece in body:
            sent += piece
    assert len(sent) < body.size
    assert not sent.endswith(b"--\r\n")


def test_each_iteration_opens_the_file_and_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * (3 * PIECE))
    opened: list[BinaryIO] = []

    def opening() -> BinaryIO:
        opened.append(path.open("rb"))
        return opened[-1]

    body = MultipartBody([("file", FileUpload("a.bin", 3 * PIECE, open=opening))])
    assert not opened
    pieces: Any = iter(body)
    assert next(pieces)
    pieces.close()
    list(body)
    assert [one.closed for one in opened] == [True, True]
    path.unlink()
    with pytest.raises(FileNotFoundError):
        list(body)


@pytest.mark.parametrize("kind", ["a/b\r\nX: 1", "", "ä/b"])
def test_content_type_cannot_add_a_header(kind: str) -> None:
    with pytest.raises(ValueError, match="media type"):
        MultipartBody([("file", upload(b"", kind=kind))])


def test_text_that_is_not_unicode_is_refused_and_such_a_filename_is_sent() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        MultipartBody([("a", "\ud800")])
    make: Callable[[], MultipartBody] = lambda: MultipartBody([("file", upload(b"x", "a\udcff.wav"))])  # noqa: E731
    assert parsed(make()) == [("file", "a?.wav", b"x")]

"""JSON bodies with files, formats of transcriptions, and sizes of images."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmesh.contracts import OPERATIONS, Call, FileUpload
from modelmesh.errors import ProviderError
from modelmesh_cdk import DataUrl, JsonWithFiles, WireRequest, nearest_ratio, read_image_size, segments_of_words
from modelmesh_cdk.provider.transcripts import Transcript, write_transcript


def upload(content: bytes, name: str = "a.bin", **facts: Any) -> FileUpload:
    return FileUpload(name, facts.pop("size", len(content)), **facts, open=lambda: io.BytesIO(content))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=20), st.binary(max_size=20), st.text(max_size=10))
def test_json_with_files_is_json_of_its_size_each_time(one: bytes, two: bytes, text: str) -> None:
    body = JsonWithFiles({"text": text, "parts": [{"data": upload(one)}, DataUrl(upload(two, "é.png"))]})
    for _ in range(2):
        sent = b"".join(body)
        assert len(sent) == body.size
        data = json.loads(sent)
        assert data["text"] == text
        assert base64.b64decode(data["parts"][0]["data"]) == one
        assert data["parts"][1] == f"data:image/png;base64,{base64.b64encode(two).decode()}"


def test_json_with_files_large_file_is_sent_in_pieces() -> None:
    content = bytes(range(251)) * 3000
    pieces = list(JsonWithFiles({"file": upload(content)}))
    assert max(map(len, pieces)) < 400_000
    assert base64.b64decode(json.loads(b"".join(pieces))["file"]) == content


@pytest.mark.parametrize("size", [2, 4])
def test_json_with_files_changed_file_raises(size: int) -> None:
    with pytest.raises(OSError, match="changed"):
        list(JsonWithFiles({"file": upload(b"abc", size=size)}))


SEGMENTS = [{"start": 0, "end": 1.5, "text": " Hello."}, {"start": 3661.25, "end": 3662, "text": "Bye."}]
SPOKEN = Transcript("Hello. Bye.", "en", 3662.0, SEGMENTS, usage={"type": "duration", "seconds": 3662})


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("json", {"text": "Hello. Bye.", "usage": {"type": "duration", "seconds": 3662}}),
        ("text", "Hello. Bye.\n"),
        ("srt", "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n01:01:01,250 --> 01:01:02,000\nBye.\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello.\n\n01:01:01.250 --> 01:01:02.000\nBye.\n"),
    ],
)
def test_transcript_is_written_in_openai_format(form: str, written: Any) -> None:
    assert write_transcript(SPOKEN, form) == written


def test_transcript_verbose_has_openai_fields() -> None:
    body = write_transcript(SPOKEN, "verbose_json")
    assert isinstance(body, dict)
    assert (body["task"], body["language"], body["duration"]) == ("transcribe", "en", 3662.0)
    assert [segment["id"] for segment in body["segments"]] == [0, 1]


def test_transcript_without_segments_or_times_has_no_subtitles() -> None:
    for found in (Transcript("Hello."), Transcript("Hello.", segments=[{"text": "Hello."}])):
        with pytest.raises(ValueError, match="transcription"):
            write_transcript(found, "srt")
    assert write_transcript(Transcript(""), "srt") == ""


def test_words_become_sentences_of_limited_length() -> None:
    words = [
        {"word": word, "start": place, "end": place + 1}
        for place, word in enumerate(["Hi.", "a", "b", "c", "d", "e", "f", "g", "h"])
    ]
    found = segments_of_words(words)
    assert [(one["start"], one["end"], one["text"]) for one in found] == [(0, 1, "Hi."), (1, 7, "a b c d e f"), (7, 9, "g h")]


def request(**payload: Any) -> WireRequest:
    return WireRequest(Call(OPERATIONS["audio.transcriptions"], "pool", payload), "model")


@pytest.mark.parametrize(("size", "read"), [(None, None), ("auto", None), ("1024x1536", (1024, 1536)), ("16 X 9", (16, 9))])
def test_image_size_is_read(size: Any, read: Any) -> None:
    assert read_image_size(request(size=size)) == read


@pytest.mark.parametrize("size", ["big", "0x1", 1024, "1024x"])
def test_image_size_invalid_raises(size: Any) -> None:
    with pytest.raises(ProviderError, match="size"):
        read_image_size(request(size=size))


@pytest.mark.parametrize(
    ("size", "ratio"), [((1024, 1024), "1:1"), ((1536, 1024), "3:2"), ((1024, 1792), "9:16"), ((99, 1), "16:9")]
)
def test_nearest_ratio_is_that_of_the_size(size: tuple[int, int], ratio: str) -> None:
    assert nearest_ratio(*size, ("1:1", "3:2", "2:3", "16:9", "9:16")) == ratio

"""The real model: formats, times, events, refusals, threads and tasks. The recording is speech of the package hibari-tts."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from modelmesh_connector_local_transcription import LocalTranscriptionProvider, audio
from modelmesh_connector_local_transcription.answers import GrowingTranscript
from modelmesh_connector_local_transcription.config import LocalTranscriptionConfig
from modelmesh_connector_local_transcription.request import read_request

from modelmesh.contracts import CHAT, OPERATIONS, FailureClass, FileUpload, Provider
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import BadRequestError, ConfigurationError, ModelNotFoundError, ProviderError, ProviderTimeoutError

NAME = "whisper-tiny.en"
RECORDING = (Path(__file__).parent / "speech.opus").read_bytes()
TEXT = "The quick brown fox jumps over the lazy dog. Paris is the capital of France."
LIMITS = Limits(first_content=120, gap=120, answer=120, total=120)


@pytest.fixture(scope="module")
def model() -> Iterator[LocalTranscriptionProvider]:
    provider = LocalTranscriptionProvider(beam_size=1)
    yield provider
    provider.close()


def upload(content: bytes = RECORDING, name: str = "speech.opus") -> FileUpload:
    return FileUpload(name, len(content), open=lambda: io.BytesIO(content))


def call_of(content: bytes = RECORDING, *, stream: bool = False, operation: str = "audio.transcriptions", **payload: Any) -> Call:
    return Call(OPERATIONS[operation], "speech-to-text", {"file": upload(content), **payload}, stream)


def silence(seconds: float) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(int(2 * 8_000 * seconds)))
    return written.getvalue()


def test_transcribe_verbose_json_has_segments_and_words(model: LocalTranscriptionProvider) -> None:
    both = ["segment", "word"]
    body = model.send(call_of(response_format="verbose_json", timestamp_granularities=both, language="en-GB"), NAME, LIMITS).body
    assert (body["task"], body["language"], body["text"].lower()) == ("transcribe", "english", TEXT.lower())
    assert [one["word"].strip(".,") for one in body["words"]][:4] == ["The", "quick", "brown", "fox"]
    assert {type(time) for one in body["words"] for time in (one["start"], one["end"])} == {float}
    assert [segment["id"] for segment in body["segments"]] == list(range(len(body["segments"])))
    assert all(0 <= one["start"] <= one["end"] <= body["duration"] + 1 for one in (*body["segments"], *body["words"]))


SEGMENTS = ((0.0, 61.5, " Hello there."), (61.5, 3725.0, " Goodbye."))
TEXTS = {
    "text": "Hello there. Goodbye.\n",
    "srt": ("1\n00:00:00,000 --> 00:01:01,500\nHello there.\n\n2\n00:01:01,500 --> 01:02:05,000\nGoodbye.\n"),
    "vtt": ("WEBVTT\n\n00:00:00.000 --> 00:01:01.500\nHello there.\n\n00:01:01.500 --> 01:02:05.000\nGoodbye.\n"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_transcript_text_formats_are_texts(kind: str) -> None:
    transcript = GrowingTranscript()
    numbers = {"seek": 0, "tokens": [1], "temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0}
    for start, end, text in SEGMENTS:
        transcript.add(SimpleNamespace(start=start, end=end, text=text, words=None, **numbers), 0.0)
    assert transcript.answer(read_request(call_of(response_format=kind), [])) == TEXTS[kind]


def test_transcribe_stream_has_deltas_and_an_end(model: LocalTranscriptionProvider) -> None:
    *deltas, done = model.send(call_of(stream=True), NAME, LIMITS)
    assert {event["type"] for event in deltas} == {"transcript.text.delta"}
    assert "".join(event["delta"] for event in deltas) == done["text"] == TEXT
    assert done["type"] == "transcript.text.done"
    assert done["usage"]["type"] == "duration"


def test_transcribe_silence_is_an_empty_text(model: LocalTranscriptionProvider) -> None:
    assert model.send(call_of(silence(2)), NAME, LIMITS).body == {"text": "", "usage": {"type": "duration", "seconds": 2.0}}


def test_transcribe_unknown_parameter_is_reported(model: LocalTranscriptionProvider) -> None:
    (note,) = model.send(call_of(silence(1), chunking_strategy="auto", beam_size=1), NAME, LIMITS).adapted
    assert note.startswith("chunking_strategy dropped")


@pytest.mark.parametrize(
    ("payload", "failure"),
    [
        ({"language": "de"}, FailureClass.CAPABILITY),
        ({"operation": "audio.translations"}, FailureClass.CAPABILITY),
        ({"response_format": "diarized_json"}, FailureClass.CAPABILITY),
        ({"response_format": "srt", "stream": True}, FailureClass.CAPABILITY),
        ({"timestamp_granularities": ["word"]}, FailureClass.CALLER),
        ({"response_format": "verbose_json", "timestamp_granularities": ["letter"]}, FailureClass.CALLER),
        ({"temperature": 3}, FailureClass.CALLER),
        ({"language": 5}, FailureClass.CALLER),
        ({"file": "speech.mp3"}, FailureClass.CALLER),
        ({"content": b""}, FailureClass.CALLER),
        ({"content": b"no audio at all" * 99}, FailureClass.CALLER),
        ({"content": RECORDING, "vad_parameters": "many"}, FailureClass.CALLER),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else str(value),
)
def test_transcribe_invalid_request_is_typed(payload: dict[str, Any], failure: FailureClass, model: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        model.send(call_of(**payload), NAME, LIMITS)
    assert caught.value.failure is failure
    assert len(str(caught.value)) < 400


def test_transcribe_file_that_is_gone_is_typed(model: LocalTranscriptionProvider, tmp_path: Path) -> None:
    gone = FileUpload("gone.mp3", 1, open=lambda: (tmp_path / "gone.mp3").open("rb"))
    with pytest.raises(ProviderError, match=r"gone\.mp3"):
        model.send(Call(OPERATIONS["audio.transcriptions"], "speech-to-text", {"file": gone}), NAME, LIMITS)


def test_read_parts_long_file_is_divided_at_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "PART_S", 2)
    monkeypatch.setattr(audio, "SEARCH_S", 1)
    noise = np.full(5 * 16_000, 5_000, np.int16)
    noise[int(1.5 * 16_000) : int(1.6 * 16_000)] = 0
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    parts = [part for part in audio.read_parts(upload(written.getvalue())) if part is not None]
    assert len(parts) >= 2
    assert sum(map(len, parts)) == len(noise)
    assert 1.4 * 16_000 < len(parts[0]) < 2.3 * 16_000


def test_model_threads_and_tasks_share_it(model: LocalTranscriptionProvider) -> None:
    async def task() -> Any:
        return await model.asend(call_of(prompt="A fox.", temperature=0.1), NAME, LIMITS)

    with ThreadPoolExecutor(2) as pool:
        thread = pool.submit(model.send, call_of(), NAME, LIMITS)
        answers = (asyncio.run(task()), thread.result())
    for answer in answers:
        assert answer.body["text"].lower() == TEXT.lower()
        assert answer.body["usage"] == {"type": "duration", "seconds": pytest.approx(5.5, abs=0.2)}
        assert answer.adapted == []


def test_model_closed_stream_and_limit_free_it(model: LocalTranscriptionProvider) -> None:
    model.send(call_of(stream=True), NAME, LIMITS).close()
    with pytest.raises(ProviderTimeoutError):
        model.send(call_of(), NAME, Limits(answer=0.01, total=0.01))
    assert model.send(call_of(silence(1)), NAME, LIMITS).body["text"] == ""


def test_model_other_name_and_operation_are_refused(model: LocalTranscriptionProvider) -> None:
    with pytest.raises(ModelNotFoundError):
        model.send(call_of(), "another", LIMITS)
    with pytest.raises(BadRequestError):
        model.send(Call(CHAT, "chat-completion", {"messages": []}), NAME, LIMITS)


def test_model_row_is_free_and_dated(model: LocalTranscriptionProvider) -> None:
    (info,) = model.models()
    assert isinstance(model, Provider)
    assert info.pricing is not None
    assert info.pricing.units is not None
    assert (info.id, info.pricing.units.per_audio_minute, info.pricing.per_request) == (NAME, 0, 0)
    assert info.extra["as_of"]


@pytest.mark.parametrize(
    ("name", "value"), [("device", "tpu"), ("beam_size", 0), ("compute_type", 8), ("model_path", 5), ("threads", "2")]
)
def test_config_invalid_value_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"local-transcription.v1 got {name}"):
        LocalTranscriptionConfig.of({name: value})


def test_provider_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json"):
        (tmp_path / name).touch()
    with pytest.raises(ConfigurationError, match="tokenizer"):
        LocalTranscriptionProvider(model_path=tmp_path)


CHILD = """
import io, os, socket, sys, wave
from modelmesh.contracts import OPERATIONS, FileUpload
from modelmesh.contracts.call import Call, Limits
from modelmesh_connector_local_transcription import LocalTranscriptionProvider
def refuse(*_):
    raise AssertionError("a socket was opened")
socket.socket.connect = refuse
written = io.BytesIO()
with wave.open(written, "wb") as file:
    file.setparams((1, 2, 8_000, 0, "NONE", ""))
    file.writeframes(bytes(16_000))
audio = written.getvalue()
model = LocalTranscriptionProvider(beam_size=1)
call = Call(OPERATIONS["audio.transcriptions"], "x", {"file": FileUpload("a", len(audio), open=lambda: io.BytesIO(audio))})
model.send(call, model.name, Limits())
child = os.fork()
if not child:
    model.after_fork()
    model.send(call, model.name, Limits())
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="requires fork")
def test_model_forked_child_loads_its_own_without_network(tmp_path: Path) -> None:
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=60, check=False, env=home)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*")) == []  # no ID of telemetry and no downloaded file

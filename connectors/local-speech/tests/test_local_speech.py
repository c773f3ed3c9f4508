"""The real model: formats, pieces, events, refusals, threads and tasks."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import pytest
from modelmesh_connector_local_speech import LocalSpeechProvider
from modelmesh_connector_local_speech.audio import FORMATS
from modelmesh_connector_local_speech.config import LocalSpeechConfig
from modelmesh_connector_local_speech.model import STEP_LETTERS, split_at_clauses

from modelmesh.contracts import CHAT, OPERATIONS, Answer, FailureClass, Provider
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import BadRequestError, ConfigurationError, ModelNotFoundError, ProviderTimeoutError

NAME = "hibari-tts"
SPEECH = OPERATIONS["audio.speech"]
TEXT = "Hello there. This is a test."
LIMITS = Limits(first_content=60, gap=60, answer=60, total=60)


@pytest.fixture(scope="module")
def model() -> Iterator[LocalSpeechProvider]:
    provider = LocalSpeechProvider()
    yield provider
    provider.close()


def call_of(text: Any = TEXT, *, stream: bool = False, **payload: Any) -> Call:
    return Call(SPEECH, "text-to-speech", {"input": text, **payload}, stream)


def seconds(audio: bytes) -> float:
    with av.open(io.BytesIO(audio)) as container:
        frames = list(container.decode(audio=0))
    return sum(frame.samples for frame in frames) / frames[0].sample_rate


@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac", "wav"])
def test_speak_format_can_be_decoded(name: str, model: LocalSpeechProvider) -> None:
    answer = model.send(call_of(response_format=name), NAME, LIMITS)
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, bytes)
    assert answer.headers["content-type"] == FORMATS[name].media_type
    assert 1.5 < seconds(answer.body) < 5
    pieces = list(model.send(call_of(response_format=name, stream=True), NAME, LIMITS))
    assert len(pieces) >= 2
    assert seconds(b"".join(pieces)) == pytest.approx(seconds(answer.body), abs=0.05)


def test_speak_default_format_is_mp3(model: LocalSpeechProvider) -> None:
    assert model.send(call_of(), NAME, LIMITS).headers["content-type"] == "audio/mpeg"


def test_speak_wav_header_has_the_size_and_the_samples_of_pcm(model: LocalSpeechProvider) -> None:
    answer = model.send(call_of(response_format="wav"), NAME, LIMITS)
    plain = model.send(call_of(response_format="pcm"), NAME, LIMITS)
    with wave.open(io.BytesIO(answer.body)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.readframes(file.getnframes()) == plain.body


def test_speak_speed_changes_the_duration(model: LocalSpeechProvider) -> None:
    slow, fast = (model.send(call_of(response_format="pcm", speed=speed), NAME, LIMITS) for speed in (0.75, 4))
    assert len(slow.body) > 1.8 * len(fast.body)
    assert (slow.adapted, fast.adapted) == ([], ["speed=4 became 2, the limit of the local speech model"])


def test_speak_unknown_voice_becomes_the_default(model: LocalSpeechProvider) -> None:
    (note,) = model.send(call_of(voice="alloy", response_format="pcm"), NAME, LIMITS).adapted
    assert note.startswith("voice='alloy' became 'heart'")
    assert model.send(call_of(voice="heart", response_format="pcm"), NAME, LIMITS).adapted == []


def test_speak_voice_for_download_is_never_downloaded(model: LocalSpeechProvider, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path / "empty"))
    assert model.send(call_of(voice="emma", response_format="pcm"), NAME, LIMITS).adapted
    assert not (tmp_path / "empty").exists()


def test_speak_unknown_parameter_is_reported(model: LocalSpeechProvider) -> None:
    (note,) = model.send(call_of(instructions="Whisper.", response_format="pcm"), NAME, LIMITS).adapted
    assert note.startswith("instructions dropped")


def test_speak_events_contain_the_audio_and_usage(model: LocalSpeechProvider) -> None:
    *deltas, done = model.send(call_of(stream=True, stream_format="sse", response_format="pcm"), NAME, LIMITS)
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    audio = b"".join(base64.b64decode(event["audio"]) for event in deltas)
    assert audio == model.send(call_of(response_format="pcm"), NAME, LIMITS).body
    assert done["type"] == "speech.audio.done"
    assert done["usage"]["total_tokens"] == done["usage"]["input_tokens"] + done["usage"]["output_tokens"]
    assert done["usage"]["output_tokens"] == len(audio) / 2 / 300


@pytest.mark.parametrize(
    ("text", "payload", "failure"),
    [
        (TEXT, {"response_format": "ogg"}, FailureClass.CAPABILITY),
        ("你好，世界", {}, FailureClass.CAPABILITY),
        ("🌍", {}, FailureClass.CAPABILITY),
        ("", {}, FailureClass.CALLER),
        (None, {}, FailureClass.CALLER),
        (TEXT, {"speed": 9}, FailureClass.CALLER),
        (TEXT, {"speed": "fast"}, FailureClass.CALLER),
    ],
)
def test_speak_invalid_request_is_typed(text: Any, payload: dict[str, Any], failure: FailureClass, model: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        model.send(call_of(text, **payload), NAME, LIMITS)
    assert caught.value.failure is failure


def test_speak_letters_of_other_scripts_are_reported(model: LocalSpeechProvider) -> None:
    (note,) = model.send(call_of("Hello dear world, Мир!", response_format="pcm"), NAME, LIMITS).adapted
    assert note.startswith("3 letters of input may be missing")


def test_split_long_sentence_is_divided_at_clauses_and_spaces() -> None:
    sentence = "one two three, " * 100 + "word " * 100 + "x" * 1000
    parts = list(split_at_clauses(sentence))
    assert max(map(len, parts)) <= STEP_LETTERS
    assert "".join("".join(parts).split()) == "".join(sentence.split())
    assert parts[0].endswith(",")


def test_model_closed_stream_and_limit_free_it(model: LocalSpeechProvider) -> None:
    long = "This is a sentence. " * 2000
    stream = model.send(call_of(long, stream=True, response_format="pcm"), NAME, LIMITS)
    assert next(iter(stream))
    stream.close()
    with pytest.raises(ProviderTimeoutError):
        model.send(call_of(long), NAME, Limits(answer=0.05, total=0.05))
    assert model.send(call_of(), NAME, LIMITS).body


def test_model_threads_and_tasks_share_it(model: LocalSpeechProvider) -> None:
    async def tasks() -> list[Any]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.create_task(tick())
        stream = await model.asend(call_of(stream=True), NAME, LIMITS)
        answers = await asyncio.gather(*(model.asend(call_of(), NAME, LIMITS) for _ in range(3)))
        pieces = [piece async for piece in stream]
        ticking.cancel()
        assert ticks > 3
        return [*(answer.body for answer in answers), b"".join(pieces)]

    with ThreadPoolExecutor(3) as pool:
        threads = [pool.submit(model.send, call_of(), NAME, LIMITS) for _ in range(3)]
        bodies = asyncio.run(tasks()) + [one.result().body for one in threads]
    assert len(set(bodies[:3] + bodies[4:])) == 1
    assert len(bodies[3]) > 5000


def test_model_other_name_and_operation_are_refused(model: LocalSpeechProvider) -> None:
    with pytest.raises(ModelNotFoundError):
        model.send(call_of(), "another", LIMITS)
    with pytest.raises(BadRequestError):
        model.send(Call(CHAT, "chat-completion", {"messages": []}), NAME, LIMITS)


def test_model_row_is_free_and_dated(model: LocalSpeechProvider) -> None:
    (info,) = model.models()
    assert isinstance(model, Provider)
    assert info.pricing is not None
    assert info.pricing.units is not None
    assert (info.id, info.pricing.units.per_1k_characters, info.pricing.per_request) == (NAME, 0, 0)
    assert info.extra["as_of"]


@pytest.mark.parametrize(("name", "value"), [("voice", 5), ("threads", 0), ("model_id", 5)])
def test_config_invalid_value_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"local-speech.v1 got {name}"):
        LocalSpeechConfig.of({name: value})


@pytest.mark.parametrize(("voice", "word"), [("emma", "Download"), ("nobody", "heart")])
def test_provider_missing_voice_names_the_remedy(voice: str, word: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match=word):
        LocalSpeechProvider(voice=voice)


CHILD = """
import os, sys
from modelmesh.contracts import OPERATIONS
from modelmesh.contracts.call import Call, Limits
from modelmesh_connector_local_speech import LocalSpeechProvider
model = LocalSpeechProvider()
call = Call(OPERATIONS["audio.speech"], "text-to-speech", {"input": "Hello."})
model.send(call, model.name, Limits())
child = os.fork()
if not child:
    model.after_fork()
    model.send(call, model.name, Limits())
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="requires fork")
def test_model_forked_child_loads_its_own(tmp_path: Path) -> None:
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=60, check=False, env=home)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*")) == []  # no ID of telemetry and no downloaded file

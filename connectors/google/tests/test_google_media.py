"""Images, speech and transcriptions in Gemini's own format, on loopback."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import struct
import wave
from typing import Any

import pytest
from modelmesh_connector_google import GoogleProvider

import modelmesh
from modelmesh.contracts import OPERATIONS, Call, FileUpload, Limits
from modelmesh_cdk.testing import Script

PNG = b"\x89PNG test"
PCM = struct.pack("<4h", 0, 1000, -1000, 5)
IMAGE = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}}
AUDIO = {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=16000", "data": base64.b64encode(PCM).decode()}}
USAGE = {
    "promptTokenCount": 7,
    "candidatesTokenCount": 1290,
    "totalTokenCount": 1297,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}],
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
}


def upload(content: bytes = PNG, name: str = "cat.png") -> FileUpload:
    return FileUpload(name, len(content), open=lambda: io.BytesIO(content))


@pytest.fixture(params=["send", "asend"])
def ask(request: pytest.FixtureRequest, upstream: Any) -> Any:
    """Return a function that sends one attempt: operation, model, payload."""

    def go(operation: str, model: str, stream: bool = False, options: Any = None, **payload: Any) -> Any:
        provider = GoogleProvider({"api_key": "test-key", "base_url": upstream.url, "options": options or {}})
        call = Call(OPERATIONS[operation], "pool", payload, stream=stream)
        if request.param == "send":
            found = provider.send(call, model, Limits())
            found = (found, list(found)) if stream else found
            provider.close()
            return found

        async def task() -> Any:
            reply = await provider.asend(call, model, Limits())
            pieces = [item async for item in reply] if stream else None
            await provider.aclose()
            return (reply, pieces) if stream else reply

        return asyncio.run(task())

    return go


# -- images -----------------------------------------------------------------------------------------------------------


def test_image_request_and_reply_are_converted(upstream: Any, ask: Any, answer: Any) -> None:
    upstream.reply(answer({"text": "draft", "thought": True}, {"text": "Here."}, IMAGE, usage=USAGE))
    reply = ask("images.generate", "gemini-3.1-flash-image", prompt="a cat", size="1536x864", n=1, quality="high", user="u")
    assert upstream.last.path == "/v1beta/models/gemini-3.1-flash-image:generateContent"
    assert upstream.last.headers["x-goog-api-key"] == "test-key"
    assert upstream.last.json == {
        "contents": [{"role": "user", "parts": [{"text": "a cat"}]}],
        "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9"}},
    }
    assert reply.adapted == [
        "quality dropped: Gemini has no such parameter",
        "user dropped: Gemini has no such parameter",
        "size 1536x864 sent as aspect ratio 16:9",
    ]
    assert (reply.body["data"], reply.body["output_format"], reply.body["text"]) == (
        [{"b64_json": base64.b64encode(PNG).decode()}],
        "png",
        "Here.",
    )
    assert reply.body["usage"]["output_tokens_details"] == {"text_tokens": 0, "image_tokens": 1290}


def test_image_edit_sends_files_before_the_prompt(upstream: Any, ask: Any, answer: Any) -> None:
    upstream.reply(answer(IMAGE))
    ask("images.edit", "models/gemini-3-pro-image", prompt="blue", image=[upload(), upload(b"jj", "b.jpg")], size="4000x4000")
    (content,) = upstream.last.json["contents"]
    assert content["parts"] == [
        IMAGE,
        {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(b"jj").decode()}},
        {"text": "blue"},
    ]
    assert upstream.last.json["generationConfig"]["imageConfig"] == {"aspectRatio": "1:1", "imageSize": "4K"}
    assert int(upstream.last.headers["content-length"]) == len(json.dumps(upstream.last.json, separators=(",", ":")))


def test_image_own_parameters_are_sent_unchanged(upstream: Any, ask: Any, answer: Any) -> None:
    upstream.reply(answer(IMAGE))
    ask(
        "images.generate",
        "m",
        prompt="x",
        seed=3,
        generationConfig={"seed": 4},
        safetySettings=[{"category": "C", "threshold": "T"}],
    )
    assert upstream.last.json["generationConfig"]["seed"] == 4
    assert upstream.last.json["safetySettings"] == [{"category": "C", "threshold": "T"}]


@pytest.mark.parametrize(
    "payload",
    [{"n": 2}, {"background": "transparent"}, {"mask": upload()}, {"image": "cat.png"}, {"image": upload(b"x" * 16_000_000)}],
    ids=["n", "background", "mask", "text", "large"],
)
def test_image_unsupported_parameter_is_refused(upstream: Any, ask: Any, payload: dict[str, Any]) -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask("images.edit", "m", prompt="x", **payload)
    assert caught.value.failure.value == "capability"
    assert upstream.received == []


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "policy"),
        ({"candidates": [{"finishReason": "IMAGE_SAFETY", "content": {}}]}, "policy"),
        ({"candidates": [{"finishReason": "NO_IMAGE"}]}, "protocol"),
        ({"candidates": [{"finishReason": "STOP", "content": {"parts": [{"text": "I cannot."}]}}]}, "protocol"),
        ({}, "protocol"),
        ({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota"}}, "throttle"),
    ],
)
def test_image_missing_has_failure_class(upstream: Any, ask: Any, body: Any, failure: str) -> None:
    upstream.reply(body)
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask("images.generate", "m", prompt="x")
    assert caught.value.failure.value == failure


# -- speech -----------------------------------------------------------------------------------------------------------


def test_speech_pcm_becomes_wav(upstream: Any, ask: Any, answer: Any) -> None:
    upstream.reply(answer(AUDIO))
    reply = ask("audio.speech", "gemini-3.8-flash-tts", input="Hello.", voice="alloy", instructions="calm", speed=1.0)
    assert upstream.last.path == "/v1beta/models/gemini-3.8-flash-tts:generateContent"
    assert upstream.last.json == {
        "contents": [{"role": "user", "parts": [{"text": "Hello.", "speechMetadata": {"style": "calm"}}]}],
        "generationConfig": {
            "responseModalities": ["AUDIO"],
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        },
    }
    with wave.open(io.BytesIO(reply.body)) as file:
        assert (file.getframerate(), file.getnchannels(), file.readframes(9)) == (16000, 1, PCM)
    assert reply.headers["content-type"] == "audio/wav"
    assert reply.adapted == [
        "response_format wav added: Gemini has no mp3",
        "voice alloy sent as Kore: Gemini has other voices",
    ]


def test_speech_pcm_is_returned_as_pcm(upstream: Any, ask: Any, answer: Any) -> None:
    upstream.reply(answer(AUDIO))
    reply = ask(
        "audio.speech", "gemini-2.5-flash-tts", input="Hi.", voice={"id": "Puck"}, response_format="pcm", instructions="Slow"
    )
    assert reply.body == PCM
    assert upstream.last.json["contents"][0]["parts"] == [{"text": "Slow:\nHi."}]
    assert reply.adapted == []


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac"])
def test_speech_other_format_is_refused(upstream: Any, ask: Any, form: str) -> None:
    with pytest.raises(modelmesh.ProviderError, match="response_format") as caught:
        ask("audio.speech", "m", input="Hi.", voice="Kore", response_format=form)
    assert caught.value.failure.value == "capability"
    assert upstream.received == []


def events(*bodies: Any) -> Script:
    raw = "".join(f"data: {json.dumps(body)}\r\n\r\n" for body in bodies).encode()
    return Script(200, raw, {}, "text/event-stream")


def test_speech_stream_is_one_wav_file(upstream: Any, ask: Any, answer: Any) -> None:
    upstream.then(events(answer(AUDIO, finish=None), answer(AUDIO)))
    _, pieces = ask("audio.speech", "gemini-3.8-flash-tts", True, input="Hello.", voice="Kore", response_format="wav")
    assert upstream.last.path.endswith(":streamGenerateContent?alt=sse")
    header, *rest = pieces
    assert header[:4] + header[8:12] == b"RIFFWAVE"
    assert struct.unpack("<I", header[24:28]) == (16000,)
    assert b"".join(rest) == PCM * 2


def test_speech_stream_of_events_ends_with_usage(upstream: Any, ask: Any, answer: Any) -> None:
    upstream.then(events(answer(AUDIO, finish=None), answer(usage=USAGE)))
    _, found = ask("audio.speech", "m", True, input="Hi.", voice="Kore", response_format="pcm", stream_format="sse")
    assert [one["type"] for one in found] == ["speech.audio.delta", "speech.audio.done"]
    assert base64.b64decode(found[0]["audio"]) == PCM
    assert found[1]["usage"]["input_tokens"] == 7


# -- transcriptions ---------------------------------------------------------------------------------------------------

WORDS = [
    {"type": "word_info", "text": "Hello", "start_offset": "0.1s", "end_offset": "0.5s"},
    {"type": "word_info", "text": "there.", "start_offset": "0.5s", "end_offset": "1s", "speaker": "spk_1"},
]
INTERACTION = {
    "status": "completed",
    "steps": [{"type": "model_output", "content": [{"type": "text", "text": "Hello there.", "annotations": WORDS}]}],
    "usage": {
        "total_input_tokens": 33,
        "total_output_tokens": 4,
        "total_tokens": 37,
        "input_tokens_by_modality": [{"modality": "audio", "tokens": 33}],
    },
}


def test_transcription_is_an_interaction(upstream: Any, ask: Any) -> None:
    upstream.reply(INTERACTION)
    reply = ask(
        "audio.transcriptions",
        "gemini-3.5-transcribe",
        file=upload(b"wav", "a.wav"),
        language="en",
        keywords=["Hello"],
        prompt="x",
    )
    assert upstream.last.path == "/v1beta/interactions"
    assert upstream.last.headers["api-revision"] == "2026-05-20"
    (step,) = upstream.last.json["input"]
    assert step["type"] == "user_input"
    (audio,) = step["content"]
    assert audio["mime_type"] in ("audio/wav", "audio/x-wav")
    assert base64.b64decode(audio["data"]) == b"wav"
    assert upstream.last.json["generation_config"] == {
        "transcription_config": {"language_codes": ["en"], "custom_vocabulary": ["Hello"]}
    }
    assert reply.body == {
        "text": "Hello there.",
        "usage": {
            "type": "tokens",
            "input_tokens": 33,
            "output_tokens": 4,
            "total_tokens": 37,
            "input_token_details": {"audio_tokens": 33},
        },
    }
    assert reply.adapted == ["prompt dropped: Gemini has no such parameter"]


@pytest.mark.parametrize(
    ("form", "written"),
    [("text", "Hello there.\n"), ("srt", "1\n00:00:00,100 --> 00:00:01,000\nHello there.\n")],
)
def test_transcription_text_is_written(upstream: Any, ask: Any, form: str, written: str) -> None:
    upstream.reply(INTERACTION)
    reply = ask("audio.transcriptions", "gemini-3.5-transcribe", file=upload(b"w", "a.wav"), response_format=form)
    assert reply.body == written
    assert reply.headers["content-type"].startswith("text/plain")
    asked = upstream.last.json.get("generation_config", {}).get("transcription_config", {})
    assert ("mode" in asked) is (form == "srt")


def test_transcription_verbose_has_words(upstream: Any, ask: Any) -> None:
    upstream.reply(INTERACTION)
    body = ask("audio.transcriptions", "gemini-3.5-transcribe", file=upload(b"w", "a.wav"), response_format="verbose_json").body
    assert (body["duration"], body["segments"][0]["text"]) == (1.0, "Hello there.")
    assert body["words"][1] == {"word": "there.", "start": 0.5, "end": 1.0, "speaker": "spk_1"}


def test_translation_by_instruction_states_its_loss(upstream: Any, ask: Any, answer: Any) -> None:
    upstream.reply(answer({"text": " Hello. \n"}, usage=USAGE))
    reply = ask("audio.translations", "gemini-3.8-flash", file=upload(b"mp3", "a.mp3"), prompt="Greeting", temperature=0)
    blob, text = upstream.last.json["contents"][0]["parts"]
    assert blob["inlineData"]["mimeType"] == "audio/mpeg"
    assert "into English" in text["text"]
    assert "Greeting" in text["text"]
    assert upstream.last.json["generationConfig"] == {"temperature": 0}
    assert reply.body["text"] == "Hello."
    assert reply.adapted == ["the audio is sent with an instruction to transcribe it: the model may change words"]


@pytest.mark.parametrize(
    ("operation", "model", "payload"),
    [
        ("audio.translations", "gemini-3.5-transcribe", {}),
        ("audio.transcriptions", "gemini-3.8-flash", {"response_format": "srt"}),
        ("audio.transcriptions", "gemini-3.5-transcribe", {"response_format": "diarized_json"}),
    ],
)
def test_transcription_unsupported_is_refused(upstream: Any, ask: Any, operation: str, model: str, payload: Any) -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask(operation, model, file=upload(b"w", "a.wav"), **payload)
    assert caught.value.failure.value == "capability"
    assert upstream.received == []


def test_transcription_incomplete_interaction_is_protocol_failure(upstream: Any, ask: Any) -> None:
    upstream.reply({"status": "failed", "steps": []})
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask("audio.transcriptions", "gemini-3.5-transcribe", file=upload(b"w", "a.wav"))
    assert caught.value.failure.value == "protocol"


@pytest.mark.parametrize(
    ("options", "version"), [({"api_version": "v1"}, "v1"), ({"api_version": "v1alpha"}, "v1alpha"), ({}, "v1beta")]
)
def test_media_version_is_that_of_the_settings(upstream: Any, ask: Any, answer: Any, options: Any, version: str) -> None:
    upstream.reply(answer(IMAGE))
    ask("images.generate", "m", options=options, prompt="x")
    assert upstream.last.path.startswith(f"/{version}/models/")

"""Speech of OpenAI, Groq, Together, Mistral and Google."""

from __future__ import annotations

import base64
import re

from fakevendors.requests import expect, only
from fakevendors.services import Result, Work, events

OPENAI_VOICES = {"alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"}
GROQ_VOICES = {"autumn", "diana", "hannah", "austin", "daniel", "troy", "fahad", "sultan", "lulwa", "noura"}
ORPHEUS_VOICES = {"tara", "leah", "jess", "leo", "dan", "mia", "zac", "zoe"}
KOKORO_VOICE = re.compile(r"[abefhijpz][fm]_[a-z]+")
KINDS = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "pcm": "audio/pcm",
}


def audio_of(vendor: str) -> bytes:
    """Return the recording of a vendor."""
    return f"{vendor} speaks. ".encode() * 4  # pairs of bytes, as samples are


def openai(work: Work, vendor: str) -> Result:
    body = work.fields
    only(body, "model input voice instructions response_format speed stream_format", "body")
    expect(body.get("voice") in OPENAI_VOICES, f"Invalid value: {body.get('voice')!r}. voice")
    expect(0 < len(body.get("input", "")) <= 4096, "input: string too long")
    form = body.get("response_format", "mp3")
    expect(form in KINDS, f"Invalid value: {form!r}. response_format")
    units = {"characters": len(body["input"])}
    if body.get("stream_format") == "sse":
        expect(body["model"] not in ("tts-1", "tts-1-hd"), "stream_format sse is not supported with this model")
        delta = {"type": "speech.audio.delta", "audio": base64.b64encode(audio_of(vendor)).decode()}
        usage = {"input_tokens": 5, "output_tokens": 40, "total_tokens": 45}
        found = events(delta, {"type": "speech.audio.done", "usage": usage})
        return Result(body["model"], found, "text/event-stream", {"prompt_tokens": 5, "completion_tokens": 40}, is_stream=True)
    return Result(body["model"], audio_of(vendor), KINDS[form], units)


def groq(work: Work, vendor: str) -> Result:
    body = work.fields
    only(body, "model input voice response_format sample_rate speed", "body")
    expect(body.get("voice") in GROQ_VOICES, f"voice must be one of the following voices: {sorted(GROQ_VOICES)}")
    expect(body.get("response_format", "mp3") in ("flac", "mp3", "mulaw", "ogg", "wav"), "response_format must be one of [wav]")
    return Result(body["model"], audio_of(vendor), "audio/wav", {"characters": len(body["input"])})


def together(work: Work, vendor: str) -> Result:
    body = work.fields
    known = "model input voice response_format response_encoding sample_rate language stream extra_params"
    only(body, known, "body")
    voice, model = body.get("voice", ""), body["model"]
    if "orpheus" in model:
        expect(voice in ORPHEUS_VOICES, f"Invalid voice {voice!r} for {model}")
    elif "Kokoro" in model:
        expect(KOKORO_VOICE.fullmatch(voice), f"Invalid voice {voice!r} for {model}")
    else:
        expect(voice not in OPENAI_VOICES, f"Invalid voice {voice!r} for {model}")
    expect(body.get("response_format", "wav") in ("mp3", "wav", "raw", "mulaw"), "response_format: invalid")
    return Result(model, audio_of(vendor), "audio/mpeg")


def mistral(work: Work, vendor: str) -> Result:
    body = work.fields
    only(body, "model input voice_id ref_audio response_format stream metadata", "body", 422)
    expect(body.get("voice_id") not in OPENAI_VOICES, f"Voice {body.get('voice_id')!r} not found", 404)
    expect(body.get("response_format", "mp3") in ("pcm", "wav", "mp3", "flac", "opus"), "response_format", 422)
    audio = base64.b64encode(audio_of(vendor)).decode()
    units = {"characters": len(body["input"])}
    if body.get("stream"):
        done = {"type": "speech.audio.done", "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}
        found = events({"type": "speech.audio.delta", "audio_data": audio}, done, named=True)
        return Result(body["model"], found, "text/event-stream", units, is_stream=True)
    return Result(body["model"], {"audio_data": audio}, units=units)


def google(work: Work, vendor: str) -> Result:
    model, _, verb = work.path.rpartition("/models/")[2].partition(":")
    config = work.fields["generationConfig"]
    voice = config["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"]
    expect(voice[:1].isupper(), f"Voice name {voice} is not supported.")
    blob = {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": base64.b64encode(audio_of(vendor)).decode()}
    counts = {"promptTokenCount": 6, "candidatesTokenCount": 60, "totalTokenCount": 66}
    body = {
        "candidates": [{"content": {"role": "model", "parts": [{"inlineData": blob}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": counts,
        "modelVersion": model,
    }
    units = {"prompt_tokens": 6, "completion_tokens": 60}
    if verb == "streamGenerateContent":
        return Result(model, events(body), "text/event-stream", units, is_stream=True)
    return Result(model, body, units=units)

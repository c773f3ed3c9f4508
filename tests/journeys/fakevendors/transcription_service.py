"""Transcriptions of nine vendors: the text states the size and the checksum of the file that arrived."""

from __future__ import annotations

import base64
import json
from typing import Any

from fakevendors.requests import expect, only
from fakevendors.services import SOUND_SECONDS, File, Result, Work, events

FORM = "model language prompt temperature response_format stream include chunking_strategy keywords[] timestamp_granularities[]"


def heard(vendor: str, file: File) -> str:
    """Return the transcription of a file."""
    return f"{vendor} heard {file.mark}"


def openai(work: Work, vendor: str) -> Result:
    only(work.fields, FORM, "body")
    model, form, file = work.fields["model"], work.fields.get("response_format", "json"), work.only_file()
    expect(form in ("json", "text") or model in ("whisper-1", "gpt-transcribe"), "response_format is not compatible with model")
    usage: dict[str, Any] = {"type": "duration", "seconds": SOUND_SECONDS}
    units: dict[str, float] = {"audio_seconds": SOUND_SECONDS}
    if model.startswith("gpt-4o"):
        usage = {"type": "tokens", "input_tokens": 80, "output_tokens": 9, "total_tokens": 89}
        usage["input_token_details"] = {"text_tokens": 0, "audio_tokens": 80}
        units = {"prompt_tokens": 80, "completion_tokens": 9, "audio_prompt_tokens": 80}
    text = heard(vendor, file)
    if work.fields.get("stream") == "true":
        expect(model != "whisper-1", "stream is not supported with this model")
        delta, done = {"type": "transcript.text.delta", "delta": text}, {"type": "transcript.text.done", "text": text}
        return Result(model, events(delta, {**done, "usage": usage}), "text/event-stream", units, is_stream=True)
    return _formatted(model, text, form, units, {"usage": usage})


def whisper(work: Work, vendor: str) -> Result:
    """Groq and Together."""
    only(work.fields, "model language prompt temperature response_format timestamp_granularities[]", "body")
    form = work.fields.get("response_format", "json")
    expect(form in ("json", "text", "verbose_json"), f"response_format must be one of [json text verbose_json], got {form!r}")
    text = heard(vendor, work.only_file())
    units = {"audio_seconds": SOUND_SECONDS}
    return _formatted(work.fields["model"], text, form, units, {"x_groq": {"id": "req_1"}} if vendor == "groq" else {})


def _formatted(model: str, text: str, form: str, units: dict[str, float], more: dict[str, Any]) -> Result:
    if form == "text":
        return Result(model, f"{text}\n".encode(), "text/plain", units)
    if form == "verbose_json":
        rows = [{"id": 0, "start": 0.0, "end": SOUND_SECONDS, "text": text}]
        more = {**more, "task": "transcribe", "language": "english", "duration": SOUND_SECONDS, "segments": rows}
    return Result(model, {"text": text, **more}, units=units)


def mistral(work: Work, vendor: str) -> Result:
    only(
        work.fields,
        "model language temperature stream diarize context_bias timestamp_granularities file_url file_id",
        "body",
        422,
    )
    text, model = heard(vendor, work.only_file()), work.fields["model"]
    usage = {"prompt_audio_seconds": SOUND_SECONDS, "prompt_tokens": 4, "completion_tokens": 9, "total_tokens": 13}
    units = {"audio_seconds": SOUND_SECONDS}
    if work.fields.get("stream") == "true":
        delta = {"type": "transcription.text.delta", "text": text}
        done = {"type": "transcription.done", "model": model, "text": text, "language": None, "usage": usage, "segments": []}
        return Result(model, events(delta, done, named=True), "text/event-stream", units, is_stream=True)
    return Result(model, {"model": model, "text": text, "language": None, "segments": [], "usage": usage}, units=units)


def cohere(work: Work, vendor: str) -> Result:
    only(work.fields, "model language temperature", "unknown field: parameter", 422)
    expect(work.fields.get("language"), "invalid request: language is required", 422)
    return Result(work.fields["model"], {"text": heard(vendor, work.only_file())})


def xai(work: Work, vendor: str) -> Result:
    last = work.raw.rfind(b"Content-Disposition: form-data")
    expect(b"filename=" in work.raw[last : last + 200], "The file must be the last field of the form.")
    text = heard(vendor, work.only_file())
    body = {"text": text, "language": "en", "duration": SOUND_SECONDS, "words": []}
    return Result(work.fields["model"], body, units={"audio_seconds": SOUND_SECONDS})


def openrouter(work: Work, vendor: str) -> Result:
    only(work.fields, "model language prompt temperature response_format timestamp_granularities[]", "body")
    usage = {"seconds": SOUND_SECONDS, "total_tokens": 89, "input_tokens": 80, "output_tokens": 9, "cost": 0.0001}
    return Result(work.fields["model"], {"text": heard(vendor, work.only_file()), "usage": usage})


def huggingface(work: Work, vendor: str) -> Result:
    content = work.raw
    if work.headers.get("content-type") == "application/json":
        content = base64.b64decode(json.loads(work.raw)["inputs"])
    expect(content, "Malformed soundfile")
    return Result(work.path.rpartition("/models/")[2], {"text": heard(vendor, File("", "", content))})


def google(work: Work, vendor: str) -> Result:
    only(work.fields, "model input generation_config", "Unknown parameter")
    expect(work.headers.get("api-revision"), "The header Api-Revision is required.")
    (step,) = work.fields["input"]
    (audio,) = step["content"]
    text = heard(vendor, File("", audio["mime_type"], base64.b64decode(audio["data"])))
    usage = {"total_input_tokens": 75, "total_output_tokens": 9, "total_tokens": 84}
    body = {
        "id": "int_1",
        "status": "completed",
        "model": work.fields["model"],
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": text}]}],
        "usage": {**usage, "input_tokens_by_modality": [{"modality": "audio", "tokens": 75}]},
    }
    return Result(work.fields["model"], body, units={"prompt_tokens": 75, "completion_tokens": 9})

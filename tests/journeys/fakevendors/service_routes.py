"""The paths of the operations other than chat, by vendor."""

from __future__ import annotations

import json

from fakevendors import further_services as further
from fakevendors import image_service as image
from fakevendors import speech_service as speech
from fakevendors import transcription_service as transcription
from fakevendors.services import Service, Work

PATHS: dict[str, dict[str, Service]] = {
    "openai": {
        "/v1/audio/speech": speech.openai,
        "/v1/audio/transcriptions": transcription.openai,
        "/v1/images/generations": image.openai,
        "/v1/images/edits": image.openai,
        "/v1/moderations": further.moderations,
        "/v1/embeddings": further.embeddings,
        "/v1/files": further.files,
    },
    "groq": {
        "/v1/audio/speech": speech.groq,
        "/v1/audio/transcriptions": transcription.whisper,
        "/v1/files": further.files,
    },
    "mistral": {
        "/v1/audio/speech": speech.mistral,
        "/v1/audio/transcriptions": transcription.mistral,
        "/v1/ocr": further.mistral_ocr,
        "/v1/moderations": further.moderations,
        "/v1/embeddings": further.embeddings,
        "/v1/files": further.files,
    },
    "together": {
        "/v1/audio/speech": speech.together,
        "/v1/audio/transcriptions": transcription.whisper,
        "/v1/images/generations": image.together,
        "/v1/embeddings": further.embeddings,
    },
    "fireworks": {"/text_to_image": image.fireworks, "/rerank": further.rerank, "/embeddings": further.embeddings},
    "xai": {
        "/v1/images/generations": image.xai,
        "/v1/images/edits": image.xai,
        "/v1/stt": transcription.xai,
        "/v1/files": further.files,
    },
    "openrouter": {
        "/images": image.openrouter,
        "/audio/transcriptions": transcription.openrouter,
        "/rerank": further.rerank,
        "/embeddings": further.embeddings,
    },
    "cohere": {
        "/v2/rerank": further.cohere_rerank,
        "/v2/embed": further.cohere_embed,
        "/v2/parse": further.cohere_parse,
        "/v2/audio/transcriptions": transcription.cohere,
    },
    "huggingface": {
        "/models/openai/whisper-large-v3": transcription.huggingface,
        "/pipeline/feature-extraction": further.huggingface_embed,
        "/models/black-forest-labs/FLUX.1-dev": image.huggingface,
    },
    "perplexity": {"/search": further.search, "/embeddings": further.perplexity_embed},
    "google": {"/interactions": transcription.google},
}


def find_service(vendor: str, work: Work) -> Service | None:
    """Return the service of a request, ``None`` for chat."""
    if vendor == "google" and work.path.endswith("mbedContents"):
        return further.google_embed
    if vendor == "google" and ":" in work.path:
        modalities = json.dumps(work.fields.get("generationConfig", {}).get("responseModalities", ()))
        return speech.google if "AUDIO" in modalities else image.google if "IMAGE" in modalities else None
    return next((service for end, service in PATHS.get(vendor, {}).items() if work.path.endswith(end)), None)

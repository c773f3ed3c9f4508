"""OpenAI's transcriptions at Gemini.

Models for transcription have the Interactions API, with words and their times. Other models get the audio with an instruction,
and return text without times. Fields are those of the google-genai package 3.4.0 (``_gaos/types/interactions``,
``tests/gaos/test_unknown_fields.py``, revision 2026-05-20), read 2026-11-30.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from modelmesh_cdk import (
    JsonWithFiles,
    Transcript,
    TranscriptionCodec,
    WireRequest,
    invalid_parameter,
    segments_of_words,
    unsupported_parameter,
)
from modelmesh_connector_google import media

_OURS = frozenset(
    {
        "chunking_strategy", "file", "include", "keywords", "known_speaker_names", "known_speaker_references", "language",
        "languages", "prompt", "response_format", "temperature", "timestamp_granularities",
    }
)  # fmt: skip
_DROPPED = ("chunking_strategy", "include", "known_speaker_names", "known_speaker_references")
_SECONDS = re.compile(r"\d+(\.\d+)?s")


def is_transcriber(model: str) -> bool:
    """Return whether a model is for transcription."""
    return "transcribe" in model


def revision_headers(model: str) -> dict[str, str]:
    """Return the header with the revision of the Interactions API, for models that have it."""
    return {"Api-Revision": "2026-05-20"} if is_transcriber(model) else {}


class Transcriptions(TranscriptionCodec):
    """Codec of ``audio.transcriptions`` and ``audio.translations``.

    Attributes:
        translates: Whether the text must be English.
    """

    text_formats: ClassVar[Sequence[str]] = ("json", "text")

    def __init__(self, *, translates: bool = False) -> None:
        self.translates = translates

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of interactions, or of ``generateContent``."""
        if is_transcriber(request.model):
            return f"{media.media_root(provider)}/interactions"
        return media.endpoint(provider, request.model, "generateContent")

    def build_payload(self, provider: Any, request: WireRequest) -> JsonWithFiles:
        """Return the body.

        Raises:
            ProviderError: Gemini cannot serve a parameter.
        """
        del provider
        media.refuse_stream(request, "a transcription")
        media.drop(request, *_DROPPED)
        form = self.check_format(request, "Gemini")
        blob = media.inline(request.payload.get("file"), "file")["inlineData"]
        if not is_transcriber(request.model):
            return self._instructed(request, form, blob)
        if self.translates:
            raise unsupported_parameter("model", f"is {request.model!r}, which does not translate")
        media.drop(request, "prompt", "temperature")
        config: dict[str, Any] = {}
        if languages := _languages(request):
            config["language_codes"] = languages
        words = request.payload.get("keywords")
        if words:
            config["custom_vocabulary"] = list(words)
        if form not in self.text_formats:
            config["mode"] = {"type": "verbatim", "timestamp_granularities": ["word"]}
        rest = {name: value for name, value in request.payload.items() if name not in _OURS}
        audio = {"type": "audio", "mime_type": blob["mimeType"], "data": blob["data"]}
        settings = {"generation_config": {"transcription_config": config}} if config else {}
        step = {"type": "user_input", "content": [audio]}  # google-genai 3.4.0, _gaos/google_genai.py
        return JsonWithFiles({"model": request.model.removeprefix("models/"), "input": [step], **settings, **rest})

    def _instructed(self, request: WireRequest, form: str, blob: Mapping[str, Any]) -> JsonWithFiles:
        if form not in self.text_formats:
            raise unsupported_parameter("response_format", f"is {form!r}, and {request.model} states no times")
        payload = request.payload
        if payload.get("timestamp_granularities"):
            request.adapted.append(f"timestamp_granularities dropped: {request.model} states no times")
        request.adapted.append("the audio is sent with an instruction to transcribe it: the model may change words")
        task = "Translate the speech of this audio into English" if self.translates else "Transcribe the speech of this audio"
        lines = [f"{task} word by word. Return only the text, without comments, times or names of speakers."]
        if languages := _languages(request):
            lines.append(f"Language of the speech: {', '.join(languages)}.")
        if words := payload.get("keywords"):
            lines.append(f"Words that may occur: {', '.join(map(str, words))}.")
        if payload.get("prompt"):
            lines.append(f"Context: {payload['prompt']}")
        config = {} if payload.get("temperature") is None else {"temperature": payload["temperature"]}
        return JsonWithFiles(media.body_of(request, [{"inlineData": blob}, {"text": "\n".join(lines)}], config, _OURS))

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> Any:
        """Return the transcription in the requested format.

        Raises:
            ProviderError: Gemini blocked the request.
            ValueError: The body is not in Gemini's format.
        """
        if not is_transcriber(request.model):
            parts = media.parts_of_answer(provider, data)
            data = {"text": "".join(part["text"] for part in parts if isinstance(part.get("text"), str)), "answer": data}
        return super().parse_response(provider, request, data)

    def read_transcript(self, request: WireRequest, data: dict[str, Any]) -> Transcript:
        """Return the transcription of an interaction, or of an answer to an instruction."""
        if not is_transcriber(request.model):
            return Transcript(data["text"].strip(), usage=_typed(media.media_usage(data["answer"])))
        if data.get("status") != "completed":
            message = f"the interaction is {str(data.get('status'))[:40]!r}, not completed"
            raise ValueError(message)
        contents = list(_contents(data.get("steps")))
        words = [word for content in contents for word in _words(content.get("annotations"))]
        return Transcript(
            " ".join(content["text"].strip() for content in contents),
            duration=words[-1]["end"] if words else None,
            segments=segments_of_words(words),
            words=words,
            usage=_interaction_usage(data.get("usage")),
        )


def _languages(request: WireRequest) -> list[str]:
    several, one = request.payload.get("languages"), request.payload.get("language")
    if several is not None and not isinstance(several, list | tuple):
        raise invalid_parameter("languages", "is no list", "languages=['en']")
    return [str(code) for code in several or ([one] if one else ())]


def _contents(steps: Any) -> Iterator[Mapping[str, Any]]:
    for step in steps if isinstance(steps, list) else ():
        contents = step.get("content") if isinstance(step, Mapping) else None
        for content in contents if isinstance(contents, list) else ():
            if isinstance(content, Mapping) and content.get("type") == "text" and isinstance(content.get("text"), str):
                yield content


def _words(annotations: Any) -> Iterator[dict[str, Any]]:
    for one in annotations if isinstance(annotations, list) else ():
        if isinstance(one, Mapping) and one.get("type") == "word_info" and isinstance(one.get("text"), str):
            start, end = _seconds(one.get("start_offset")), _seconds(one.get("end_offset"))
            if start is not None and end is not None:
                speaker = {"speaker": one["speaker"]} if one.get("speaker") else {}
                yield {"word": one["text"], "start": start, "end": end, **speaker}


def _seconds(offset: Any) -> float | None:
    return float(offset[:-1]) if isinstance(offset, str) and _SECONDS.fullmatch(offset) else None


def _interaction_usage(usage: Any) -> dict[str, Any] | None:
    if not isinstance(usage, Mapping) or not isinstance(usage.get("total_input_tokens"), int):
        return None
    kinds = usage.get("input_tokens_by_modality")
    read = {
        f"{row['modality']}_tokens": row["tokens"]
        for row in (kinds if isinstance(kinds, list) else ())
        if isinstance(row, Mapping) and isinstance(row.get("modality"), str) and isinstance(row.get("tokens"), int)
    }
    counts = {"input_tokens": usage["total_input_tokens"], "output_tokens": usage.get("total_output_tokens") or 0}
    total = usage.get("total_tokens")
    counts["total_tokens"] = total if isinstance(total, int) else sum(counts.values())
    return {"type": "tokens", **counts, **({"input_token_details": read} if read else {})}


def _typed(usage: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return usage with the field names of OpenAI's transcriptions."""
    if usage is None:
        return None
    counts = {name: usage[name] for name in ("input_tokens", "output_tokens", "total_tokens")}
    return {"type": "tokens", **counts, "input_token_details": usage["input_tokens_details"]}

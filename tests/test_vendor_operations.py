"""Operations other than chat and embeddings, in the format of each vendor, on loopback."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from email import message_from_bytes
from importlib import import_module
from typing import Any

import pytest

import modelmesh
from modelmesh.contracts import OPERATIONS, Call, FileUpload, Limits
from modelmesh_cdk.testing import Script, Upstream

PNG = b"\x89PNG test"
B64 = base64.b64encode(PNG).decode()
CLASSES = {
    "anthropic": "AnthropicProvider",
    "cohere": "CohereProvider", "fireworks": "FireworksProvider", "groq": "GroqProvider", "huggingface": "HuggingFaceProvider",
    "mistral": "MistralProvider", "openai": "OpenAIProvider", "openrouter": "OpenRouterProvider", "perplexity": "PerplexityProvider",
    "together": "TogetherProvider", "xai": "XAIProvider",
}  # fmt: skip


def upload(content: bytes = b"sound", name: str = "a.wav", kind: str = "audio/wav") -> FileUpload:
    return FileUpload(name, len(content), kind, open=lambda: io.BytesIO(content))


WAV, IMAGE = upload(), upload(PNG, "cat.png", "image/png")
DATA_URL = f"data:image/png;base64,{B64}"


class Asked:
    """One attempt and what the vendor received."""

    def __init__(self, vendor: str, script: Any, way: str) -> None:
        self.vendor, self.way = vendor, way
        self.script = script if isinstance(script, Script) else Script(200, json.dumps(script).encode(), {}, "application/json")

    def __call__(self, operation: str, model: str, *, stream: bool = False, **payload: Any) -> Any:
        call = Call(OPERATIONS[operation], "pool", payload, stream=stream)
        cls = getattr(import_module(f"modelmesh_connector_{self.vendor}"), CLASSES[self.vendor])
        with Upstream() as server:
            server.always(self.script)
            provider = cls({"api_key": "test-key", "base_url": server.url})
            try:
                reply = self._sent(provider, call, model)
            finally:
                self.received = server.received
        last = self.received[-1]
        self.path, self.headers, self.raw = last.path, last.headers, last.body
        return reply

    def _sent(self, provider: Any, call: Call, model: str) -> Any:
        if self.way == "sync":
            reply = provider.send(call, model, Limits())
            if call.stream:
                reply.items = list(reply)
            provider.close()
            return reply

        async def go() -> Any:
            reply = await provider.asend(call, model, Limits())
            if call.stream:
                reply.items = [item async for item in reply]
            await provider.aclose()
            return reply

        return asyncio.run(go())

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields of a form. A file is its name and type."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        found = []
        for part in message_from_bytes(head + self.raw).get_payload():
            name, file = part.get_param("name", header="content-disposition"), part.get_filename()
            text = part.get_payload(decode=True).decode() if file is None else f"{file} {part.get_content_type()}"
            found.append((name, text))
        return found


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Any:
    return lambda vendor, script: Asked(vendor, script, request.param)


# -- images -----------------------------------------------------------------------------------------------------------


IMAGES = {
    "together": (
        {"id": "i", "object": "list", "model": "m", "data": [{"index": 0, "type": "b64_json", "b64_json": B64}]},
        "/v1/images/generations",
        {"model": "flux", "prompt": "cat", "response_format": "base64", "width": 1536, "height": 1024},
        ["quality dropped: Together has no such parameter"],
    ),
    "fireworks": (
        {"id": "i", "base64": [DATA_URL], "finishReason": "SUCCESS", "seed": 1},
        "/inference/v1/workflows/flux/text_to_image",
        {"prompt": "cat", "aspect_ratio": "3:2"},
        ["quality dropped: Fireworks has no such parameter", "size 1536x1024 sent as aspect ratio 3:2"],
    ),
    "xai": (
        {"data": [{"b64_json": B64, "revised_prompt": "A cat"}]},
        "/v1/images/generations",
        {"model": "flux", "prompt": "cat", "response_format": "b64_json", "aspect_ratio": "3:2", "resolution": "1k"},
        ["quality dropped: flux has no such parameter", "size 1536x1024 sent as aspect ratio 3:2 in 1k"],
    ),
    "huggingface": (
        Script(200, PNG, {}, "image/png"),
        "/hf-inference/models/flux",
        {"inputs": "cat", "parameters": {"width": 1536, "height": 1024}},
        ["quality dropped: the task text-to-image has no such parameter"],
    ),
    "openrouter": (
        {"created": 5, "data": [{"b64_json": B64, "media_type": "image/png"}], "usage": {"cost": 0.1}},
        "/api/v1/images",
        {"model": "flux", "prompt": "cat", "size": "1536x1024", "quality": "high"},
        [],
    ),
}


@pytest.mark.parametrize("vendor", IMAGES)
def test_image_request_has_the_vendors_format(ask: Any, vendor: str) -> None:
    script, path, body, adapted = IMAGES[vendor]
    asked = ask(vendor, script)
    reply = asked("images.generate", "flux", prompt="cat", size="1536x1024", quality="high", response_format="b64_json")
    assert (asked.path, asked.json) == (path, body)
    assert reply.body["data"][0]["b64_json"] == B64
    assert isinstance(reply.body["created"], int)
    assert reply.adapted == adapted


@pytest.mark.parametrize(("wanted", "adapted"), [("b64_json", "left out"), ("url", "dropped")])
def test_openai_rejected_response_format_is_left_out(ask: Any, wanted: str, adapted: str) -> None:
    asked = ask("openai", {"created": 1, "data": [{"b64_json": B64}]})
    reply = asked("images.generate", "gpt-image-2.5-flare", prompt="cat", response_format=wanted)
    assert asked.json == {"model": "gpt-image-2.5-flare", "prompt": "cat"}
    assert adapted in reply.adapted[0]
    asked("images.generate", "another", prompt="cat", response_format=wanted)
    assert asked.json["response_format"] == wanted


@pytest.mark.parametrize("vendor", ["fireworks", "huggingface"])
def test_image_several_are_refused(ask: Any, vendor: str) -> None:
    asked = ask(vendor, {})
    with pytest.raises(modelmesh.ProviderError, match="one image") as caught:
        asked("images.generate", "flux", prompt="cat", n=2)
    assert caught.value.failure.value == "capability"
    assert asked.received == []


@pytest.mark.parametrize("vendor", IMAGES)
def test_image_transparent_or_streamed_is_refused_or_sent(ask: Any, vendor: str) -> None:
    for stream, more in ((True, {}), (False, {"background": "transparent"})):
        if vendor == "openrouter" and more:
            continue  # has transparent backgrounds
        with pytest.raises(modelmesh.ProviderError) as caught:
            ask(vendor, {})("images.generate", "flux", stream=stream, prompt="cat", **more)
        assert caught.value.failure.value == "capability"


@pytest.mark.parametrize("vendor", ["together", "fireworks", "xai"])
def test_image_reply_without_images_is_protocol_failure(ask: Any, vendor: str) -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask(vendor, {"ok": True})("images.generate", "flux", prompt="cat")
    assert caught.value.failure.value == "protocol"


def test_fireworks_filtered_image_is_policy_failure(ask: Any) -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask("fireworks", {"finishReason": "CONTENT_FILTERED", "base64": []})("images.generate", "flux", prompt="cat")
    assert caught.value.failure.value == "policy"


def test_xai_edit_is_json_with_a_data_url(ask: Any) -> None:
    asked = ask("xai", {"data": [{"url": "https://images.test/1.jpg"}]})
    reply = asked("images.edit", "grok-imagine-image-2.0", prompt="blue", image=[IMAGE], size="1024x1024", quality="high")
    assert asked.path == "/v1/images/edits"
    assert asked.json == {
        "model": "grok-imagine-image-2.0",
        "prompt": "blue",
        "quality": "medium",
        "response_format": "b64_json",
        "image": {"url": DATA_URL, "type": "image_url"},
    }
    assert reply.adapted == [
        "quality high sent as medium, the highest of xAI",
        "size dropped: an edited image keeps the aspect ratio at xAI",
    ]


def test_openrouter_edit_sends_references(ask: Any) -> None:
    asked = ask("openrouter", {"created": 1, "data": [{"b64_json": B64}]})
    asked("images.edit", "m", prompt="blue", image=[IMAGE, IMAGE])
    assert asked.path == "/api/v1/images"
    assert asked.json["input_references"] == [{"type": "image_url", "image_url": {"url": DATA_URL}}] * 2


@pytest.mark.parametrize(("vendor", "payload"), [("together", {}), ("xai", {"mask": IMAGE}), ("openrouter", {"mask": IMAGE})])
def test_image_edit_unsupported_is_refused(ask: Any, vendor: str, payload: Any) -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask(vendor, {})("images.edit", "m", prompt="x", image=IMAGE, **payload)
    assert caught.value.failure.value == "capability"


# -- transcriptions ---------------------------------------------------------------------------------------------------

SEGMENTS = [{"id": 0, "start": 0.0, "end": 1.5, "text": " Hello there."}]
VERBOSE = {"task": "transcribe", "language": "en", "duration": 1.5, "text": "Hello there.", "segments": SEGMENTS}
SPOKEN = {
    "groq": ({**VERBOSE, "x_groq": {"id": "r"}}, "/openai/v1/audio/transcriptions"),
    "together": (VERBOSE, "/v1/audio/transcriptions"),
    "openrouter": (VERBOSE, "/api/v1/audio/transcriptions"),
    "mistral": (
        {
            "model": "m",
            "text": "Hello there.",
            "language": "en",
            "segments": [{"type": "transcription_segment", **SEGMENTS[0]}],
            "usage": {"prompt_audio_seconds": 2, "prompt_tokens": 4, "completion_tokens": 9, "total_tokens": 13},
        },
        "/v1/audio/transcriptions",
    ),
    "xai": (
        {
            "text": "Hello there.",
            "language": "en",
            "duration": 1.5,
            "words": [{"text": "Hello", "start": 0.0, "end": 1.0}, {"text": "there.", "start": 1.0, "end": 1.5, "speaker": 1}],
        },
        "/v1/stt",
    ),
    "huggingface": (
        {"text": " Hello there.", "chunks": [{"text": " Hello there.", "timestamp": [0.0, 1.5]}]},
        "/hf-inference/models/m",
    ),
    "cohere": ({"text": "Hello there."}, "/v2/audio/transcriptions"),
}
TIMED = [vendor for vendor in SPOKEN if vendor != "cohere"]


@pytest.mark.parametrize("vendor", SPOKEN)
def test_transcription_is_sent_and_read(ask: Any, vendor: str) -> None:
    script, path = SPOKEN[vendor]
    asked = ask(vendor, script)
    reply = asked("audio.transcriptions", "m", file=WAV, language="en", temperature=0)
    assert asked.path == path
    assert reply.body["text"] == "Hello there."
    if vendor != "huggingface":
        assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
        fields = dict(asked.form)
        assert (fields["model"], fields["language"], fields["file"]) == ("m", "en", "a.wav audio/wav")
        assert asked.form[-1][0] == "file"
        assert "response_format" not in fields


@pytest.mark.parametrize("vendor", TIMED)
@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("text", "Hello there.\n"),
        ("srt", "1\n00:00:00,000 --> 00:00:01,500\nHello there.\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello there.\n"),
    ],
)
def test_transcription_is_written_as_text(ask: Any, vendor: str, form: str, written: str) -> None:
    reply = ask(vendor, SPOKEN[vendor][0])("audio.transcriptions", "m", file=WAV, response_format=form)
    assert reply.body == written
    assert reply.headers["content-type"].startswith("text/")


@pytest.mark.parametrize("vendor", TIMED)
def test_transcription_verbose_has_times(ask: Any, vendor: str) -> None:
    body = ask(vendor, SPOKEN[vendor][0])("audio.transcriptions", "m", file=WAV, response_format="verbose_json").body
    assert (body["segments"][0]["start"], body["segments"][0]["end"]) == (0.0, 1.5)
    assert body["task"] == "transcribe"


@pytest.mark.parametrize(("vendor", "seconds"), [("mistral", 2), ("xai", 1.5)])
def test_transcription_states_its_seconds(ask: Any, vendor: str, seconds: float) -> None:
    usage = ask(vendor, SPOKEN[vendor][0])("audio.transcriptions", "m", file=WAV).body["usage"]
    assert (usage["type"], usage["seconds"]) == ("duration", seconds)


@pytest.mark.parametrize("vendor", [vendor for vendor in SPOKEN if vendor not in ("mistral", "cohere")])
def test_transcription_stream_is_refused(ask: Any, vendor: str) -> None:
    with pytest.raises(modelmesh.ProviderError, match="stream") as caught:
        ask(vendor, {})("audio.transcriptions", "m", stream=True, file=WAV)
    assert caught.value.failure.value == "capability"


@pytest.mark.parametrize(
    ("vendor", "operation", "model", "payload"),
    [
        ("groq", "audio.translations", "whisper-large-v3-turbo", {}),
        ("mistral", "audio.translations", "m", {}),
        ("xai", "audio.translations", "m", {}),
        ("huggingface", "audio.translations", "m", {}),
        ("cohere", "audio.translations", "m", {"language": "en"}),
        ("cohere", "audio.transcriptions", "m", {}),
        ("cohere", "audio.transcriptions", "m", {"language": "en", "response_format": "srt"}),
        ("groq", "audio.transcriptions", "m", {"response_format": "diarized_json"}),
    ],
)
def test_transcription_unsupported_is_refused(ask: Any, vendor: str, operation: str, model: str, payload: Any) -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask(vendor, {})(operation, model, file=WAV, **payload)
    assert caught.value.failure.value == "capability"


def test_transcription_unknown_format_is_the_callers_mistake(ask: Any) -> None:
    with pytest.raises(modelmesh.ProviderError, match="response_format") as caught:
        ask("groq", {})("audio.transcriptions", "m", file=WAV, response_format="docx")
    assert caught.value.failure.value == "caller"


def test_huggingface_audio_is_raw_bytes_without_parameters(ask: Any) -> None:
    asked = ask("huggingface", {"text": "Hi."})
    asked("audio.transcriptions", "openai/whisper-large-v3", file=WAV)
    assert (asked.path, asked.headers["content-type"], asked.raw) == (
        "/hf-inference/models/openai/whisper-large-v3",
        "audio/wav",
        b"sound",
    )
    asked("audio.transcriptions", "m", file=WAV, temperature=0.5)
    assert asked.json == {
        "inputs": base64.b64encode(b"sound").decode(),
        "parameters": {"generation_parameters": {"temperature": 0.5}},
    }


def test_mistral_form_repeats_names_of_lists(ask: Any) -> None:
    asked = ask("mistral", SPOKEN["mistral"][0])
    reply = asked("audio.transcriptions", "m", file=WAV, keywords=["a", "b"], diarize=True, prompt="x")
    assert asked.form == [
        ("model", "m"),
        ("diarize", "true"),
        ("context_bias", "a"),
        ("context_bias", "b"),
        ("file", "a.wav audio/wav"),
    ]
    assert reply.adapted == ["prompt dropped: Mistral has no such parameter"]
    assert reply.body["segments"][0]["type"] == "transcription_segment"


def sse(*bodies: dict[str, Any]) -> Script:
    raw = "".join(f"event: {body['type']}\ndata: {json.dumps(body)}\n\n" for body in bodies).encode()
    return Script(200, raw, {}, "text/event-stream")


def test_mistral_transcription_stream_has_openai_events(ask: Any) -> None:
    events = sse(
        {"type": "transcription.language", "audio_language": "en"},
        {"type": "transcription.text.delta", "text": "Hello"},
        {"type": "transcription.done", "text": "Hello", "model": "m", "usage": {"prompt_audio_seconds": 3}},
    )
    asked = ask("mistral", events)
    items = asked("audio.transcriptions", "m", stream=True, file=WAV).items
    assert dict(asked.form)["stream"] == "true"
    assert [item["type"] for item in items] == ["transcription.language", "transcript.text.delta", "transcript.text.done"]
    assert (items[1]["delta"], items[2]["text"], items[2]["usage"]) == ("Hello", "Hello", {"type": "duration", "seconds": 3})


# -- speech -----------------------------------------------------------------------------------------------------------

MP3 = Script(200, b"ID3 test", {}, "audio/mpeg")
SPEECH = {
    "groq": (MP3, "/openai/v1/audio/speech", {"voice": "hannah", "response_format": "wav"}, {}),
    "together": (MP3, "/v1/audio/speech", {"voice": "tara", "response_format": "mp3"}, {}),
    "openrouter": (MP3, "/api/v1/audio/speech", {"voice": "alloy", "response_format": "mp3"}, {"instructions": "calm"}),
    "mistral": (
        {"audio_data": base64.b64encode(b"ID3 test").decode()},
        "/v1/audio/speech",
        {"response_format": "mp3"},
        {},
    ),
}


@pytest.mark.parametrize("vendor", SPEECH)
def test_speech_request_has_the_vendors_format(ask: Any, vendor: str) -> None:
    script, path, more, also = SPEECH[vendor]
    asked = ask(vendor, script)
    reply = asked("audio.speech", "canopylabs/orpheus-v1-english", input="Hi.", voice="alloy", instructions="calm")
    assert asked.path == path
    assert asked.json == {"model": "canopylabs/orpheus-v1-english", "input": "Hi.", **more, **also}
    assert reply.body == b"ID3 test"
    assert reply.headers["content-type"] == "audio/mpeg"
    assert any("instructions" in line for line in reply.adapted) is (vendor != "openrouter")


@pytest.mark.parametrize(
    ("vendor", "form", "sent"), [("together", "pcm", "raw"), ("groq", "wav", "wav"), ("mistral", "opus", "opus")]
)
def test_speech_format_is_sent_under_the_vendors_name(ask: Any, vendor: str, form: str, sent: str) -> None:
    asked = ask(vendor, SPEECH[vendor][0])
    asked("audio.speech", "m", input="Hi.", voice="x", response_format=form)
    assert asked.json["response_format"] == sent
    assert asked.json.get("voice", asked.json.get("voice_id")) == "x"


@pytest.mark.parametrize(("vendor", "form"), [("together", "opus"), ("groq", "opus"), ("mistral", "aac")])
def test_speech_other_format_is_refused(ask: Any, vendor: str, form: str) -> None:
    with pytest.raises(modelmesh.ProviderError, match="response_format") as caught:
        ask(vendor, {})("audio.speech", "m", input="Hi.", voice="x", response_format=form)
    assert caught.value.failure.value == "capability"


@pytest.mark.parametrize("form", [None, "sse"])
def test_mistral_speech_stream_is_audio_or_events(ask: Any, form: str | None) -> None:
    audio = base64.b64encode(b"snd").decode()
    script = sse(
        {"type": "speech.audio.delta", "audio_data": audio}, {"type": "speech.audio.done", "usage": {"prompt_tokens": 1}}
    )
    more = {"stream_format": form} if form else {}
    asked = ask("mistral", script)
    items = asked("audio.speech", "m", stream=True, input="Hi.", voice="x", **more).items
    assert asked.json["stream"] is True
    if form:
        assert [item["type"] for item in items] == ["speech.audio.delta", "speech.audio.done"]
        assert items[0]["audio"] == audio
    else:
        assert items == [b"snd"]


def test_mistral_speech_without_audio_is_protocol_failure(ask: Any) -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask("mistral", {"audio_data": ""})("audio.speech", "m", input="Hi.", voice="x")
    assert caught.value.failure.value == "protocol"


# -- rerank, search, documents, moderation ----------------------------------------------------------------------------


def test_cohere_rerank_returns_documents_and_usage(ask: Any) -> None:
    ranked = {
        "id": "r",
        "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
        "meta": {"billed_units": {"search_units": 1, "input_tokens": 12}},
    }
    asked = ask("cohere", ranked)
    documents = [{"text": "a"}, "b", {"title": "c", "text": "d"}]
    reply = asked("rerank", "rerank-v5.0-pro", query="q", documents=documents, top_n=2, return_documents=True)
    assert asked.path == "/v2/rerank"
    assert asked.json == {
        "model": "rerank-v5.0-pro",
        "query": "q",
        "documents": ["a", "b", '{"title":"c","text":"d"}'],
        "top_n": 2,
    }
    assert [(row["index"], row["document"]) for row in reply.body["results"]] == [(1, {"text": "b"}), (0, {"text": "a"})]
    assert reply.body["usage"]["prompt_tokens"] == 12
    assert reply.body["meta"]["billed_units"]["search_units"] == 1


def test_fireworks_rerank_returns_its_data_as_results(ask: Any) -> None:
    rows = [{"index": 1, "relevance_score": 0.9, "document": "b"}, {"index": 0, "relevance_score": 0.1, "document": "a"}]
    asked = ask("fireworks", {"object": "list", "model": "m", "data": rows, "usage": {"prompt_tokens": 3, "total_tokens": 3}})
    reply = asked("rerank", "m", query="q", documents=[{"text": "a"}, "b"], return_documents=True, max_tokens_per_doc=9)
    assert asked.path == "/inference/v1/rerank"
    assert asked.json == {"model": "m", "query": "q", "documents": ["a", "b"], "return_documents": True}
    assert [(row["index"], row["document"]) for row in reply.body["results"]] == [(1, {"text": "b"}), (0, {"text": "a"})]
    assert reply.body["usage"]["prompt_tokens"] == 3
    assert reply.adapted == ["max_tokens_per_doc dropped: Fireworks has no such parameter"]


@pytest.mark.parametrize(("vendor", "path"), [("together", "/v1/rerank"), ("openrouter", "/api/v1/rerank")])
def test_rerank_of_other_vendors_is_sent_unchanged(ask: Any, vendor: str, path: str) -> None:
    asked = ask(vendor, {"object": "rerank", "results": [{"index": 0, "relevance_score": 0.5}]})
    reply = asked("rerank", "m", query="q", documents=["a"])
    assert (asked.path, asked.json) == (path, {"model": "m", "query": "q", "documents": ["a"]})
    assert reply.body["results"][0]["index"] == 0


def test_perplexity_search_has_no_model(ask: Any) -> None:
    asked = ask("perplexity", {"id": "s", "results": [{"title": "t", "url": "https://a.test", "snippet": "s"}]})
    reply = asked("search", "search", query="weather", max_results=3, country=None)
    assert (asked.path, asked.json) == ("/search", {"query": "weather", "max_results": 3})
    assert reply.body["results"][0]["title"] == "t"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://a.test/x.pdf", {"type": "document_url", "document_url": "https://a.test/x.pdf"}),
        ({"type": "file", "file_id": "f"}, {"type": "file", "file_id": "f"}),
        (IMAGE, {"type": "image_url", "image_url": DATA_URL}),
        (
            upload(b"%PDF", "x.pdf", "application/pdf"),
            {
                "type": "document_url",
                "document_url": f"data:application/pdf;base64,{base64.b64encode(b'%PDF').decode()}",
                "document_name": "x.pdf",
            },
        ),
    ],
)
def test_mistral_document_is_sent(ask: Any, given: Any, sent: Any) -> None:
    asked = ask("mistral", {"pages": [{"index": 0, "markdown": "# A"}], "model": "m", "usage_info": {"pages_processed": 1}})
    reply = asked("documents.parse", "mistral-ocr-4-1", document=given, pages=[0])
    assert (asked.path, asked.json) == ("/v1/ocr", {"model": "mistral-ocr-4-1", "document": sent, "pages": [0]})
    assert reply.body["usage_info"]["pages_processed"] == 1


def test_cohere_document_has_the_fields_of_other_vendors(ask: Any) -> None:
    page = {"type": "markdown", "index": 0, "markdown": {"content": "# A", "images": [{"id": "i"}]}}
    asked = ask("cohere", {"id": "p", "pages": [page], "meta": {"billed_units": {"pages": 1}}, "finish_reason": "COMPLETE"})
    body = asked("documents.parse", "parse-v5.0", document=IMAGE).body
    assert (asked.path, asked.json) == (
        "/v2/parse",
        {"model": "parse-v5.0", "document": {"type": "image_url", "image_url": DATA_URL}},
    )
    assert body["pages"] == [{"type": "markdown", "index": 0, "markdown": "# A", "images": [{"id": "i"}]}]
    assert body["usage_info"] == {"pages_processed": 1}


@pytest.mark.parametrize("given", [upload(b"%PDF", "x.pdf", "application/pdf"), "https://a.test/x.pdf", 5])
def test_cohere_other_document_is_refused(ask: Any, given: Any) -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask("cohere", {})("documents.parse", "parse-v5.0", document=given)
    assert caught.value.failure.value == "capability"


def test_mistral_moderation_is_flagged_by_its_categories(ask: Any) -> None:
    rows = [{"categories": {"violence": True}, "category_scores": {"violence": 0.9}}, {"categories": {"violence": False}}]
    asked = ask("mistral", {"id": "m", "model": "m", "results": rows})
    reply = asked("moderations", "mistral-moderation-2603", input=["a", "b"])
    assert (asked.path, asked.json) == ("/v1/moderations", {"model": "mistral-moderation-2603", "input": ["a", "b"]})
    assert [row["flagged"] for row in reply.body["results"]] == [True, False]


@pytest.mark.parametrize(
    ("vendor", "operation", "payload"),
    [
        ("cohere", "rerank", {"query": "q", "documents": ["a"]}),
        ("cohere", "documents.parse", {"document": IMAGE}),
        ("perplexity", "search", {"query": "q"}),
        ("mistral", "moderations", {"input": "a"}),
        ("xai", "audio.transcriptions", {"file": WAV}),
        ("groq", "audio.transcriptions", {"file": WAV}),
    ],
)
def test_reply_without_result_is_protocol_failure(ask: Any, vendor: str, operation: str, payload: Any) -> None:
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask(vendor, {"ok": 1})(operation, "m", **payload)
    assert caught.value.failure.value == "protocol"


@pytest.mark.parametrize(
    ("vendor", "status", "body", "failure"),
    [
        ("cohere", 401, {"message": "invalid api token"}, "credential"),
        ("mistral", 429, {"message": "Requests rate limit exceeded", "code": "1300"}, "throttle"),
        ("xai", 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided"}, "credential"),
        ("huggingface", 503, {"error": "Model is currently loading", "estimated_time": 20.0}, "server"),
        ("fireworks", 404, {"error": {"message": "Model not found", "code": "NOT_FOUND"}}, "not-found"),
    ],
)
def test_refusal_has_the_failure_class_of_chats(ask: Any, vendor: str, status: int, body: Any, failure: str) -> None:
    payload = {"query": "q", "documents": ["a"]} if vendor == "cohere" else {"prompt": "x"}
    operation = {"cohere": "rerank", "mistral": "audio.speech"}.get(vendor, "images.generate")
    payload = {"input": "Hi.", "voice": "v"} if operation == "audio.speech" else payload
    with pytest.raises(modelmesh.ProviderError) as caught:
        ask(vendor, Script(status, json.dumps(body).encode(), {}, "application/json"))(operation, "m", **payload)
    assert caught.value.failure.value in (failure, "transient" if failure == "server" else failure)


def test_anthropic_betas_of_a_native_message_are_a_header(ask: Any) -> None:
    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
    }
    asked = ask("anthropic", message)
    payload = {"messages": [{"role": "user", "content": "a"}], "max_tokens": 5}
    reply = asked("messages", "claude-sonnet-5-5", betas=["files-api-2025-04-14"], **payload)
    assert (asked.path, asked.json) == ("/v1/messages", {"model": "claude-sonnet-5-5", **payload})
    assert asked.headers["anthropic-beta"] == "files-api-2025-04-14"
    assert reply.body == message

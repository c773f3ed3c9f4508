"""Requests of the mistralai package for operations other than chat completions and embeddings."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from mistralai.client import Mistral
from modelmesh_connector_mistral import MistralProvider

from modelmesh_cdk.testing.dialects.operation_samples import AUDIO, FILENAME, OPERATION_SAMPLES, upload
from sdk_cases.operation_case import MODEL, OperationCase, script_of
from sdk_cases.vendor import KEY

FILE = {
    "id": "497f6eca-6276-4993-bfeb-53cbbbba6f09", "object": "file", "bytes": 13_000, "created_at": 1_716_963_433,
    "filename": "a.jsonl", "purpose": "batch", "sample_type": "batch_request", "source": "upload",
}  # fmt: skip
HEARD = {
    "model": MODEL,
    "text": "Hi",
    "language": "en",
    "segments": [],
    "usage": {"prompt_audio_seconds": 2, "prompt_tokens": 4, "total_tokens": 6, "completion_tokens": 2},
}
FLAGS = {"id": "m", "model": MODEL, "results": [{"categories": {"pii": True}, "category_scores": {"pii": 0.5}}]}
PAGES = {
    "pages": [{"index": 0, "markdown": "Hi", "images": [], "dimensions": {"dpi": 200, "height": 2200, "width": 1700}}],
    "model": MODEL, "usage_info": {"pages_processed": 1, "doc_size_bytes": None}, "document_annotation": None,
}  # fmt: skip
DOCUMENT = OPERATION_SAMPLES["documents.parse"].payload["document"]


def _case(operation: str, payload: Any, call: Callable[[Mistral], Any], answer: Any, **more: Any) -> OperationCase:
    def sdk(url: str) -> Any:
        with Mistral(api_key=KEY, server_url=url) as client:
            return _plain(call(client))

    script = script_of(operation, answer)
    more = {"change": _without_defaults, "read": _without_additions, **more}
    return OperationCase("mistralai", MistralProvider, operation, payload, sdk, script, **more)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump_json"):
        return json.loads(value.model_dump_json(by_alias=True, exclude_unset=True))
    return value.read() if hasattr(value, "read") else value


def _without_additions(answer: Any) -> Any:
    """Return an answer without the fields of OpenAI that Mistral lacks: ``flagged``, and the type and seconds of usage."""
    if not isinstance(answer, dict):
        return answer
    found = deepcopy(answer)
    for row in found.get("results", ()):
        row.pop("flagged", None)
    for name in ("type", "seconds"):
        (found.get("usage") or {}).pop(name, None)
    return found


def _without_defaults(fields: dict[str, Any]) -> None:
    """Remove the defaults that the SDK sends."""
    for name, value in (
        ("stream", "false"),
        ("stream", False),
        ("diarize", "false"),
        ("visibility", "workspace"),
        ("include_blocks", True),
    ):
        if fields.get(name) == value:
            del fields[name]


MISTRAL_CASES = (
    _case(
        "files.create",
        OPERATION_SAMPLES["files.create"].payload,
        lambda client: client.files.upload(
            file={"file_name": "a.jsonl", "content": b'{"a": 1}', "content_type": "application/jsonl"}, purpose="batch"
        ),
        FILE,
    ),
    _case(
        "files.retrieve",
        {"file_id": FILE["id"]},
        lambda client: client.files.retrieve(file_id=FILE["id"]),
        {**FILE, "deleted": False},
    ),
    _case(
        "files.delete",
        {"file_id": FILE["id"]},
        lambda client: client.files.delete(file_id=FILE["id"]),
        {"id": FILE["id"], "object": "file", "deleted": True},
    ),
    _case("files.content", {"file_id": FILE["id"]}, lambda client: client.files.download(file_id=FILE["id"]), b'{"a": 1}\n'),
    _case("moderations", {"input": "Hi"}, lambda client: client.classifiers.moderate(model=MODEL, inputs="Hi"), FLAGS),
    _case("documents.parse", {"document": DOCUMENT}, lambda client: client.ocr.process(model=MODEL, document=DOCUMENT), PAGES),
    _case(
        "audio.transcriptions",
        {"file": upload(), "language": "de"},
        lambda client: client.audio.transcriptions.complete(
            model=MODEL, file={"file_name": FILENAME, "content": AUDIO, "content_type": "audio/wav"}, language="de"
        ),
        HEARD,
    ),
    _case(
        "audio.transcriptions",
        {"file": upload(), "timestamp_granularities": ["segment"]},
        lambda client: client.audio.transcriptions.complete(
            model=MODEL,
            file={"file_name": FILENAME, "content": AUDIO, "content_type": "audio/wav"},
            timestamp_granularities=["segment"],
        ),
        HEARD,
        note="times",
    ),
    _case(
        "audio.speech",
        {"input": "Hi", "voice": "anna", "response_format": "wav"},
        lambda client: client.audio.speech.complete(model=MODEL, input="Hi", voice_id="anna", response_format="wav"),
        {"audio_data": base64.b64encode(AUDIO).decode()},
        read=lambda audio: {"audio_data": base64.b64encode(audio).decode()},
    ),
)

"""Cohere's reranking, parsing of documents and transcriptions.

Paths and fields are those of the cohere package 7.3.1 (``v2/client.py``, ``audio/transcriptions/client.py``,
``types/api_meta_billed_units.py``), read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.contracts import FileUpload
from modelmesh_cdk import (
    DataUrl,
    JsonWithFiles,
    OperationCodec,
    Transcript,
    TranscriptionCodec,
    UnservedOperation,
    WireRequest,
    drop_parameters,
    json_codec,
    media_type_of,
    required_part,
    unsupported_parameter,
)
from modelmesh_connector_cohere.error_mappings import is_error


class Rerank(OperationCodec):
    """Codec of ``rerank``."""

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of reranking."""
        del request
        return f"{provider.api_root}/rerank"

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body. Documents are texts."""
        del provider
        payload = {"model": request.model, **request.payload}
        payload.pop("return_documents", None)  # parse_response returns them
        documents = payload.get("documents")
        if isinstance(documents, list | tuple):
            payload["documents"] = [_text_of(document) for document in documents]
        return payload

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the results, with usage and with the documents that the caller asked for.

        Raises:
            ProviderError: The reply is an error.
            ValueError: The reply has no list of results.
        """
        rows = _checked(provider, data).get("results")
        if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("index"), int) for row in rows):
            message = "its body has no 'results'"
            raise ValueError(message)
        documents = request.payload.get("documents")
        if request.payload.get("return_documents") and isinstance(documents, list | tuple):
            rows = [{**row, "document": _document_of(documents, row["index"])} for row in rows]
        billed = _billed(data)
        tokens = billed.get("input_tokens")
        usage = {"usage": {"prompt_tokens": int(tokens), "total_tokens": int(tokens)}} if isinstance(tokens, int | float) else {}
        return {"model": request.model, **data, "results": rows, **usage}


def _text_of(document: Any) -> Any:
    if isinstance(document, Mapping):
        return document["text"] if set(document) == {"text"} else json_codec.encode(document).decode()
    return document


def _document_of(documents: Sequence[Any], index: int) -> Any:
    found = documents[index] if 0 <= index < len(documents) else None
    return {"text": found} if isinstance(found, str) else found


class Documents(OperationCodec):
    """Codec of ``documents.parse``. The reply has the fields of Mistral's OCR, as at other vendors."""

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of parsing."""
        del request
        return f"{provider.api_root}/parse"

    def build_payload(self, provider: Any, request: WireRequest) -> JsonWithFiles:
        """Return the body.

        Raises:
            ProviderError: The document is no image.
        """
        del provider
        payload = {"model": request.model, **request.payload}
        return JsonWithFiles({**payload, "document": _image_document(payload.get("document"))})

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the pages with their Markdown.

        Raises:
            ProviderError: The reply is an error.
            ValueError: The reply has no list of pages.
        """
        pages = _checked(provider, data).get("pages")
        if not isinstance(pages, list) or not all(isinstance(page, dict) for page in pages):
            message = "its body has no 'pages'"
            raise ValueError(message)
        billed = _billed(data).get("pages")
        processed = int(billed) if isinstance(billed, int | float) else len(pages)
        found = {"pages": [_page(page) for page in pages], "usage_info": {"pages_processed": processed}}
        return {"model": request.model, **data, **found}


def _image_document(given: Any) -> Any:
    if isinstance(given, Mapping) and set(given) >= {"image_url"}:
        url = given["image_url"]
        url = url.get("url") if isinstance(url, Mapping) else url
        return {**given, "type": "image_url", "image_url": DataUrl(url) if isinstance(url, FileUpload) else url}
    if isinstance(given, FileUpload) and media_type_of(given).startswith("image/"):
        return {"type": "image_url", "image_url": DataUrl(given)}
    if isinstance(given, str) and (given.startswith("data:image/") or not given.lower().endswith(".pdf")):
        return {"type": "image_url", "image_url": given}
    raise unsupported_parameter("document", "is no image, and Cohere parses images only")


def _page(page: Mapping[str, Any]) -> dict[str, Any]:
    text = page.get("markdown")
    if not isinstance(text, Mapping):
        return dict(page)
    return {**page, "markdown": text.get("content"), **({"images": text["images"]} if text.get("images") else {})}


class Transcriptions(TranscriptionCodec):
    """Codec of ``audio.transcriptions``."""

    formats: ClassVar[Sequence[str]] = ("json", "text")

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of transcriptions."""
        del request
        return f"{provider.api_root}/audio/transcriptions"

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the fields of the form.

        Raises:
            ProviderError: Cohere cannot serve a parameter, or the language is missing.
        """
        del provider
        payload = {"model": request.model, **request.payload}
        if request.stream:
            raise unsupported_parameter("stream", "is true, and Cohere returns a transcription at once")
        if not payload.get("language"):
            raise unsupported_parameter("language", "is missing, and Cohere requires it, e.g. language='en'")
        self.check_format(request, "Cohere")
        payload.pop("response_format", None)
        lacking = ("chunking_strategy", "include", "prompt", "timestamp_granularities")
        drop_parameters(request, payload, lacking, "Cohere")
        return payload

    def read_transcript(self, request: WireRequest, data: dict[str, Any]) -> Transcript:
        """Return the transcription in a reply."""
        del request
        text = required_part(data, "text", str)
        return Transcript(text, extra={name: value for name, value in data.items() if name != "text"})


def _checked(provider: Any, data: dict[str, Any]) -> dict[str, Any]:
    if is_error(data):
        raise provider._map_embedded_error(data)  # noqa: SLF001 - a hook
    return data


def _billed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = data.get("meta")
    billed = meta.get("billed_units") if isinstance(meta, Mapping) else None
    return billed if isinstance(billed, Mapping) else {}


CODECS: Mapping[str, OperationCodec] = {
    "rerank": Rerank(),
    "documents.parse": Documents(),
    "audio.transcriptions": Transcriptions(),
    "audio.translations": UnservedOperation("model", "only transcribes"),
}

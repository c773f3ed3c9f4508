"""Mistral's OCR and moderation.

Fields are those of the mistralai package 3.7.0 (``client/models/ocrrequest.py``, ``documenturlchunk.py``,
``moderationobject.py``), read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import FileUpload
from modelmesh_cdk import (
    DataUrl,
    JsonWithFiles,
    OperationCodec,
    WireRequest,
    invalid_parameter,
    media_type_of,
    unsupported_parameter,
)


class Documents(OperationCodec):
    """Codec of ``documents.parse``."""

    def build_payload(self, provider: Any, request: WireRequest) -> JsonWithFiles:
        """Return the body.

        Raises:
            ProviderError: The document is no file, no address and no document of Mistral.
        """
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        return JsonWithFiles({**payload, "document": _document(payload.get("document"))})


def _document(given: Any) -> Any:
    if isinstance(given, FileUpload):
        if media_type_of(given).startswith("image/"):
            return {"type": "image_url", "image_url": DataUrl(given)}
        return {"type": "document_url", "document_url": DataUrl(given), "document_name": given.filename}
    if isinstance(given, str):
        return {"type": "document_url", "document_url": given}
    if not isinstance(given, Mapping):
        raise invalid_parameter("document", f"is {type(given).__name__}", "a file, an address or {'type': 'document_url', …}")
    return {name: DataUrl(value) if isinstance(value, FileUpload) else value for name, value in given.items()}


class Moderations(OperationCodec):
    """Codec of ``moderations``. Mistral reports categories, of which OpenAI's ``flagged`` is the disjunction."""

    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        """Return the body.

        Raises:
            ProviderError: The input contains images.
        """
        given = request.payload.get("input")
        if isinstance(given, list) and not all(isinstance(one, str) for one in given):
            raise unsupported_parameter("input", "has parts other than text")
        return provider._build_request_payload(request)  # noqa: SLF001 - a hook

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the results in OpenAI's format.

        Raises:
            ValueError: The reply has no list of results.
        """
        del provider, request
        rows = data.get("results")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            message = "its body has no 'results'"
            raise ValueError(message)
        return {**data, "results": [{"flagged": any((row.get("categories") or {}).values()), **row} for row in rows]}

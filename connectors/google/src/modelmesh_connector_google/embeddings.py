"""Conversion of OpenAI's embeddings to Gemini's ``batchEmbedContents``.

Formats are those of google-genai 3.4.0 (``models.embed_content``, ``types.EmbedContentResponse``) and openai 3.52.0
(``embedding_create_params.py``), read 2026-11-21.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh_cdk import invalid_parameter, unsupported_parameter
from modelmesh_connector_google.answers import usage_of

if TYPE_CHECKING:
    from modelmesh_cdk import WireRequest

_OURS = ("input", "model", "dimensions", "encoding_format", "user")


def body_of(request: WireRequest, name: str) -> dict[str, Any]:
    """Return the body of a request: one embedding for each text.

    Gemini's parameters (``taskType``, ``title``, …) apply to every text.

    Raises:
        ProviderError: The input is empty, or contains token IDs, which Gemini does not accept.
    """
    payload = request.payload
    if payload.get("requests") is not None:
        return {field: value for field, value in payload.items() if field not in _OURS}
    given = payload.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise invalid_parameter("input", f"is {type(given).__name__} with nothing to embed", "'…' or ['…']")
    if not all(isinstance(text, str) for text in texts):
        raise unsupported_parameter("input", "contains token IDs. Pass text")
    if payload.get("user") is not None:
        request.adapted.append("user dropped: Gemini has no such parameter")
    rest = {field: value for field, value in payload.items() if field not in _OURS}
    if payload.get("dimensions") is not None:
        rest["outputDimensionality"] = payload["dimensions"]
    return {"requests": [{"model": name, "content": {"parts": [{"text": text}], "role": "user"}, **rest} for text in texts]}


def embeddings_of(data: Mapping[str, Any], request: WireRequest) -> dict[str, Any]:
    """Return an answer in OpenAI's format, with every further field of the vendor.

    Raises:
        ValueError: The response has no embeddings.
    """
    rows = data.get("embeddings")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) and isinstance(row.get("values"), list) for row in rows):
        message = "the response has no embeddings"
        raise ValueError(message)
    packed = request.payload.get("encoding_format") == "base64"
    found = []
    for place, row in enumerate(rows):
        vector = _packed(row["values"]) if packed else row["values"]
        rest = {name: value for name, value in row.items() if name != "values"}
        found.append({**rest, "object": "embedding", "index": place, "embedding": vector})
    extra = {name: value for name, value in data.items() if name not in ("embeddings", "usageMetadata")}
    usage = usage_of(data.get("usageMetadata"))
    return {**extra, "object": "list", "model": request.model, "data": found, "usage": usage}


def _packed(values: list[Any]) -> str:
    try:
        return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
    except (struct.error, OverflowError):
        message = "an embedding is not a list of numbers"
        raise ValueError(message) from None

"""Conversion of Perplexity's embeddings to OpenAI's: base64 of 8-bit integers to lists or base64 of floats.

Names and shapes are those of the perplexityai package 0.46.1 (``types/embedding_create_params.py``,
``types/shared/embedding_object.py``) and of docs.perplexity.ai/docs/embeddings/best-practices, read 2026-11-21.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import TYPE_CHECKING, Any

from modelmesh.contracts import FailureClass
from modelmesh_cdk import pack_base64, provider_error

if TYPE_CHECKING:
    from modelmesh_cdk import WireRequest

_OPENAIS = ("float", "base64")


def embed_body(request: WireRequest) -> dict[str, Any]:
    """Return the body of a request for embeddings. Perplexity's default encoding is the source of OpenAI's encodings.

    Raises:
        ProviderError: The input is tokens, which Perplexity does not accept.
    """
    body = {"model": request.model, **request.payload}
    given = body.get("input")
    if isinstance(given, list) and any(isinstance(text, int | list) for text in given):
        message = "input contains tokens, but Perplexity's embeddings accept only text. Nothing was sent."
        raise provider_error(FailureClass.CAPABILITY, message, status=400)
    if body.get("encoding_format") in _OPENAIS:
        del body["encoding_format"]
    if "user" in body:
        del body["user"]
        request.adapted.append("user dropped: Perplexity's embeddings have no such parameter")
    return body


def decode_vectors(answer: dict[str, Any], encoding: Any) -> None:
    """Decode the vectors. A requested encoding in Perplexity's format stays unchanged.

    Args:
        answer: Perplexity's answer with OpenAI's fields. The function changes its rows.
        encoding: The ``encoding_format`` of the request.

    Raises:
        ValueError: A vector does not have Perplexity's encoding.
    """
    rows = answer.get("data")
    if encoding is not None and encoding not in _OPENAIS:
        return
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("embedding"), str):
            vector = _numbers(row["embedding"])
            row["embedding"] = pack_base64(vector) if encoding == "base64" else vector


def _numbers(text: str) -> list[float]:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        message = "its body contains an embedding that is not base64"
        raise ValueError(message) from None
    return [float(number) for number in struct.unpack(f"{len(raw)}b", raw)]

"""Embeddings in the requested encoding.

OpenAI encodes an embedding as base64 of little-endian 32-bit floats (openai package 3.52.0, ``resources/embeddings.py``, read
2026-11-21). Many servers of its format return only lists of numbers, and a caller that requested base64 decodes the reply.

Base64 has a quarter of the bytes of numbers and is much faster to read. Connectors with ``requests_base64_embeddings`` therefore
ask for it where the caller states no encoding, and the kit unpacks it. A stated encoding is sent as it is. A server may ignore
the request and return numbers. When it rejects the request or returns nothing that can be read, the kit repeats the request
without it and omits it from later ones. Known servers: vLLM before 0.5.2 (vllm-project/vllm#6174, status 400) and OpenRouter with
some models (plastic-labs/honcho#932, an empty list), both read 2026-11-30.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
import sys
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh.errors import ProviderError
    from modelmesh_cdk.wire.request import WireRequest

FORMAT = "encoding_format"
KNOWN_PARAMETERS = frozenset({"dimensions", FORMAT, "input", "model", "user"})
"""Parameters beside which base64 means 32-bit floats. A vendor's own parameter may select another type of numbers."""

INVALID_REQUEST_STATUSES = frozenset({400, 422})


def ask_for_base64(request: WireRequest, payload: dict[str, Any]) -> None:
    """Ask for base64 in the body of a request of embeddings without an encoding, as the openai package does."""
    if request.base64_refused or not KNOWN_PARAMETERS.issuperset(payload):
        return
    if payload.get(FORMAT) is None:
        payload[FORMAT] = "base64"
        request.base64_asked = True


def refuses_base64(request: WireRequest, error: ProviderError, *, proven: bool) -> bool:
    """Return whether a server cannot serve base64 that only the kit asked for.

    Args:
        request: The request that failed.
        error: Its error.
        proven: Whether the server answered such a request before. Then an answer that cannot be read has another cause.
    """
    if not request.base64_asked:
        return False
    if request.base64_unusable:
        return not proven
    text = f"{error.message} {json.dumps(error.body, default=str)}"
    return error.status in INVALID_REQUEST_STATUSES and (FORMAT in text or "base64" in text)


def unpack_vectors(request: WireRequest, answer: dict[str, Any]) -> bool:
    """Convert base64 that only the kit asked for to lists of numbers.

    Args:
        request: The request. The function records an answer without vectors that can be read.
        answer: Embeddings in OpenAI's format. The function changes its rows.

    Returns:
        Whether the function converted every vector.

    Raises:
        ValueError: The answer has no vectors, or a vector is not base64 of finite 32-bit floats.
    """
    rows = answer.get("data")
    request.base64_unusable = True
    if not rows:
        message = "'data' is empty or missing"
        raise ValueError(message)
    packed = [row for row in rows if isinstance(row, dict) and isinstance(row.get("embedding"), str)]
    for row in packed:
        row["embedding"] = unpack_base64(row["embedding"])  # frees the text of each row at once
    request.base64_unusable = False
    return len(packed) == len(rows)


def unpack_base64(text: str) -> list[float]:
    """Return base64 of little-endian 32-bit floats as a list of numbers.

    Raises:
        ValueError: The text is something else, or a number is not finite.
    """
    numbers = array("f")
    try:
        numbers.frombytes(binascii.a2b_base64(text, strict_mode=True))
    except ValueError:
        message = "its body contains an embedding that is not base64 of 32-bit floats"
        raise ValueError(message) from None
    if sys.byteorder == "big":
        numbers.byteswap()
    vector = numbers.tolist()
    if not math.isfinite(sum(vector)):
        message = "its body contains an embedding with numbers that are not finite"
        raise ValueError(message)
    return vector


def pack_base64(vector: Sequence[float]) -> str:
    """Return a list of numbers as base64.

    Raises:
        ValueError: A value is not a 32-bit float.
    """
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except (struct.error, OverflowError):
        message = "its body contains an embedding that is not a list of 32-bit floats"
        raise ValueError(message) from None


def to_requested_encoding(answer: dict[str, Any], encoding_format: Any) -> None:
    """Encode lists of numbers as base64 where the request asks for base64. Everything else stays unchanged.

    Args:
        answer: Embeddings in OpenAI's format. The function changes its rows.
        encoding_format: The ``encoding_format`` of the request.

    Raises:
        ValueError: A vector contains a value that is not a number.
    """
    rows = answer.get("data")
    if encoding_format != "base64" or not isinstance(rows, list):
        return
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("embedding"), list):
            row["embedding"] = pack_base64(row["embedding"])

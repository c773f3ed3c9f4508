"""Embeddings in the requested encoding.

OpenAI encodes an embedding as base64 of little-endian 32-bit floats (openai package 3.52.0, ``resources/embeddings.py``, read
2026-11-21). Many servers of its format return only lists of numbers, and a caller that requested base64 decodes the reply.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any


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

"""Embeddings in the form that was asked.

OpenAI packs an embedding as base64 of 32-bit floats, little end first (openai package 3.52.0, ``resources/embeddings.py``, read
2026-11-21). Many servers of its format only know lists of numbers, and a caller who asked for base64 unpacks what it gets.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any


def pack_base64(vector: Sequence[float]) -> str:
    """Return a list of numbers as base64.

    Raises:
        ValueError: It is no list of numbers that 32 bits hold.
    """
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except (struct.error, OverflowError):
        message = "its body holds an embedding that is no list of 32-bit floats"
        raise ValueError(message) from None


def to_requested_encoding(answer: dict[str, Any], asked: Any) -> None:
    """Pack what came as numbers where base64 was asked; all else stays as the vendor sent it.

    Args:
        answer: Embeddings in OpenAI's shape; its rows are changed.
        asked: The ``encoding_format`` of the request.

    Raises:
        ValueError: A vector holds something else than numbers.
    """
    rows = answer.get("data")
    if asked != "base64" or not isinstance(rows, list):
        return
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("embedding"), list):
            row["embedding"] = pack_base64(row["embedding"])

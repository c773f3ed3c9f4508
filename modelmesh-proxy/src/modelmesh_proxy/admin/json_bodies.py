"""JSON of the administration interface: data, and errors in the format of OpenAI's."""

from __future__ import annotations

import json
from typing import Any

from modelmesh._engine.gateway.error_responses import openai_error


def encode(data: Any) -> bytes:
    """Encode plain data. Any other object becomes its text."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def encode_error(error: Exception) -> bytes:
    """Encode an error. One that is not ours has a constant message."""
    return encode({"error": openai_error(error)})

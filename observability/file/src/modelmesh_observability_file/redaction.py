"""Blanking secrets in a record, field by field.

The kit blanks secrets in a finished line. In JSON that can reach from one string into the next: a message that ends in
``token=`` is followed by a quote that opens nothing. So here each string is looked at alone, and a record stays a record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from modelmesh_cdk.base_observability import REDACTED, redact


def redacted(line: str) -> str:
    """Return one line of JSON with its secrets blanked; still one line of JSON."""
    return json.dumps(_blanked(json.loads(line)), ensure_ascii=False, separators=(",", ":"))


def _blanked(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _hidden(item) if _is_of_a_secret(key) else _blanked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_blanked(item) for item in value]
    return value


def _hidden(value: Any) -> Any:
    # Numbers stay: under such a name they are counts or settings, and a key is text.
    return value if value is None or isinstance(value, bool | int | float) else REDACTED


@lru_cache(maxsize=1024)
def _is_of_a_secret(key: str) -> bool:
    return REDACTED in redact(f"{key}='…'")

"""Parts of a message's content, from OpenAI's format to Cohere's.

Formats are those of the packages openai 3.52.0 (``chat_completion_content_part_*``) and cohere 7.3.1 (``types/content.py``,
``types/image_url.py``), read 2026-11-21. Text and images have the same format. A part of a type outside OpenAI's format is
Cohere's and stays unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import invalid_parameter, unsupported_parameter

_UNSUPPORTED = {"input_audio": "audio", "file": "a file"}


def convert_content(content: Any, where: str) -> Any:
    """Return a message's content as text or parts in Cohere's format.

    Raises:
        ProviderError: Cohere's format cannot represent a part.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise invalid_parameter(where, f"is {type(content).__name__}, neither text nor a list of parts", "content='…'")
    return [_part(part, f"{where}[{place}]") for place, part in enumerate(content)]


def parts_of(content: Any, where: str) -> list[Any]:
    """Return a message's content as a list of parts.

    Raises:
        ProviderError: Cohere's format cannot represent a part.
    """
    found = convert_content(content, where)
    return [{"type": "text", "text": found}] if isinstance(found, str) else list(found)


def _part(part: Any, where: str) -> Any:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, Mapping):
        raise invalid_parameter(where, f"is {type(part).__name__}, not a part of a message", "{'type': 'text', 'text': '…'}")
    kind = part.get("type")
    if isinstance(kind, str) and kind in _UNSUPPORTED:
        raise unsupported_parameter(where, f"is {_UNSUPPORTED[kind]}. Cohere accepts text and images")
    if kind == "refusal":
        return {"type": "text", "text": part["refusal"] if isinstance(part.get("refusal"), str) else ""}
    if kind == "image_url" and isinstance(part.get("image_url"), str):
        return {**part, "image_url": {"url": part["image_url"]}}
    return part

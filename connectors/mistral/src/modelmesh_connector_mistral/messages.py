"""Messages in Mistral's format: content chunks, audio and files.

Shapes are those of the mistralai package 3.7.0 (``models/assistantmessage.py``, ``audiochunk.py``, ``documenturlchunk.py``),
read 2026-11-21. :mod:`modelmesh_connector_mistral.message_rules` contains the rules for conversations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_connector_mistral.shapes import CHUNKS, text_of


def to_mistral_messages(messages: list[Any]) -> list[Any]:
    """Return messages with Mistral's content chunks restored and their parts in Mistral's format.

    Args:
        messages: Messages in OpenAI's format. They are not changed.
    """
    return [_message(message) if isinstance(message, Mapping) else message for message in messages]


def _message(message: Mapping[str, Any]) -> Mapping[str, Any]:
    chunks, content = message.get(CHUNKS), message.get("content")
    if isinstance(chunks, list) and text_of(chunks) == (content or ""):  # else the caller changed the text
        kept = {name: value for name, value in message.items() if name not in (CHUNKS, "reasoning_content")}
        return {**kept, "content": chunks}
    if isinstance(content, list):
        return {**message, "content": [_part(part) for part in content]}
    return message


def _part(part: Any) -> Any:
    """Return a part in Mistral's format: audio without its format name, and a file as a document."""
    kind = part.get("type") if isinstance(part, Mapping) else None
    inner = part.get(kind) if kind in ("input_audio", "file") else None
    if kind == "input_audio" and isinstance(inner, Mapping) and isinstance(inner.get("data"), str):
        return {**part, "input_audio": inner["data"]}
    if kind == "file" and isinstance(inner, Mapping) and isinstance(inner.get("file_data"), str):
        named = {"document_name": inner["filename"]} if inner.get("filename") else {}
        return {"type": "document_url", "document_url": inner["file_data"], **named}
    return part

"""Conversion of message content from OpenAI's parts to Anthropic's blocks.

Formats are those of the packages openai 3.52.0 (``chat_completion_content_part_*``) and anthropic 2.11.0
(``content_block_param.py``), read 2026-11-21. A part of a type outside OpenAI's format is Anthropic's and stays unchanged.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import invalid_parameter, unsupported_parameter

_PDF, _TEXT = "application/pdf", "text/plain"
_PDF_BEGINS = "JVBERi0"
"""How a PDF begins in base64."""

_DATA = re.compile(r"data:(?P<type>[^;,]+)(?:;[^;,]+)*;base64,(?P<data>.*)", re.DOTALL | re.IGNORECASE)


def blocks_of(content: Any, where: str, adapted: list[str]) -> list[Any]:
    """Return the blocks of a message's content, text or parts.

    Raises:
        ProviderError: Anthropic has no block for a part.
    """
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise invalid_parameter(where, f"is {type(content).__name__}, neither text nor a list of parts", "content='…'")
    return [_block(part, f"{where}[{place}]", adapted) for place, part in enumerate(content)]


def _block(part: Any, where: str, adapted: list[str]) -> Any:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, Mapping):
        raise invalid_parameter(where, f"is {type(part).__name__}, not a part of a message", "{'type': 'text', 'text': '…'}")
    kind = part.get("type")
    if kind == "refusal":
        return {"type": "text", "text": _text(part.get("refusal"))}
    if kind == "input_audio":
        raise unsupported_parameter(where, "is audio, which Anthropic does not accept")
    rest = {name: value for name, value in part.items() if name not in ("type", "image_url", "file", "prompt_cache_breakpoint")}
    if "prompt_cache_breakpoint" in part:
        adapted.append("prompt_cache_breakpoint dropped: Anthropic's is cache_control")
    if kind == "image_url":
        return {"type": "image", "source": _image(part.get("image_url"), f"{where}.image_url", adapted), **rest}
    if kind == "file" and isinstance(part.get("file"), Mapping):
        return {**_document(part["file"], f"{where}.file"), **rest}
    if kind == "file":
        raise invalid_parameter(where, "is a file without its data", "{'type': 'file', 'file': {'filename': …, 'file_data': …}}")
    if kind == "document_url":  # Mistral's
        return _linked_document(part, where)
    return {"type": kind, **rest} if "prompt_cache_breakpoint" in part else part


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _image(given: Any, where: str, adapted: list[str]) -> dict[str, Any]:
    url = given.get("url") if isinstance(given, Mapping) else given
    if isinstance(given, Mapping) and given.get("detail") not in (None, "auto"):
        adapted.append("image_url.detail dropped: Anthropic has no such setting")
    if isinstance(url, str):
        if url[:5].lower() == "data:":
            return _base64(url, where)
        if url.partition("://")[0].lower() in ("http", "https"):
            return {"type": "url", "url": url}
    raise invalid_parameter(where, "is neither an http address nor a data: URL", "'https://…' or 'data:image/png;base64,…'")


def _document(file: Mapping[str, Any], where: str) -> dict[str, Any]:
    data = file.get("file_data")
    if not isinstance(data, str):
        raise unsupported_parameter(where, "is an OpenAI file ID; use file_data or Anthropic's document block")
    if data.partition("://")[0].lower() in ("http", "https"):  # OpenRouter's format
        return {"type": "document", "source": {"type": "url", "url": data}, **_title(file.get("filename"))}
    if data.startswith(_PDF_BEGINS):
        data = f"data:{_PDF};base64,{data}"
    source = _base64(data, f"{where}.file_data")
    if source["media_type"] == _TEXT:
        source = {"type": "text", "media_type": _TEXT, "data": _plain(source["data"], f"{where}.file_data")}
    elif source["media_type"] != _PDF:
        raise unsupported_parameter(where, f"is {source['media_type']}; Anthropic accepts {_PDF} and {_TEXT}")
    return {"type": "document", "source": source, **_title(file.get("filename"))}


def _title(name: Any) -> dict[str, Any]:
    return {"title": name} if isinstance(name, str) and name else {}


def _linked_document(part: Mapping[str, Any], where: str) -> dict[str, Any]:
    given = part.get("document_url")
    url = given.get("url") if isinstance(given, Mapping) else given
    return _document({"file_data": url, "filename": part.get("document_name")}, where)


def _plain(data: str, where: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:
        raise invalid_parameter(where, "is not base64 of text in UTF-8", "the file's bytes in base64") from None


def _base64(url: str, where: str) -> dict[str, Any]:
    found = _DATA.fullmatch(url)
    if found is None:
        raise invalid_parameter(where, "is a data: URL without a type or without base64", "'data:image/png;base64,…'")
    return {"type": "base64", "media_type": found["type"].strip().lower(), "data": found["data"]}

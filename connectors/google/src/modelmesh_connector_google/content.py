"""Conversion of message content from OpenAI's parts to Gemini's.

Formats are those of the packages openai 3.52.0 (``chat_completion_content_part_*``) and google-genai 3.4.0 (``types.Part``,
``types.Blob``, ``types.FileData``, which requires a media type), read 2026-11-21. A part without a
``type`` is Gemini's and stays unchanged.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from modelmesh_cdk import invalid_parameter, unsupported_parameter
from modelmesh_connector_google.message_rules import IMAGES

_DATA = re.compile(r"data:(?P<type>[^;,]+)(?:;[^;,]+)*;base64,(?P<data>.*)", re.DOTALL | re.IGNORECASE)
_EXTRA_KEYS = (
    "thought",
    "thoughtSignature",
    "videoMetadata",
    "video_metadata",
    "mediaResolution",
    "media_resolution",
    "partMetadata",
)
"""Further keys of Gemini's parts, in addition to their content."""
_SCHEMES = ("http", "https", "gs")
_LINKED = {"document_url": "application/pdf", "video_url": None}
"""Parts of Mistral and OpenRouter with an address, and the media type of an address without a known file extension."""

_PDF_BEGINS = "JVBERi0"
"""How a PDF begins in base64."""


def parts_of(content: Any, where: str, adapted: list[str]) -> list[Any]:
    """Return the parts of a message's content, text or parts.

    Raises:
        ProviderError: Gemini's format cannot represent a part.
    """
    if isinstance(content, str):
        return [{"text": content}]
    if not isinstance(content, list):
        raise invalid_parameter(where, f"is {type(content).__name__}, neither text nor a list of parts", "content='…'")
    return [_part(part, f"{where}[{place}]", adapted) for place, part in enumerate(content)]


def signature_of(source: Any) -> Any:
    """Return the thought signature on a message, a part or a call, ``None`` when there is none.

    Its place is that of Google's OpenAI-compatible endpoint: ``extra_content.google.thought_signature``
    (crmne/ruby_llm#588, and a recorded stream in discuss.ai.google.dev topic 109823, read 2026-11-21).
    """
    extra = source.get("extra_content") if isinstance(source, Mapping) else None
    google = extra.get("google") if isinstance(extra, Mapping) else None
    return google.get("thought_signature") if isinstance(google, Mapping) else None


def _part(part: Any, where: str, adapted: list[str]) -> Any:
    if isinstance(part, str):
        return {"text": part}
    if not isinstance(part, Mapping):
        raise invalid_parameter(where, f"is {type(part).__name__}, not a part of a message", "{'type': 'text', 'text': '…'}")
    made = _media(part, where, adapted)
    if made is None:
        own = {name: value for name, value in part.items() if name != "type"}  # Gemini's parts have no type
        return {**own, "text": ""} if "text" in own and not isinstance(own["text"], str) else own
    if "prompt_cache_breakpoint" in part:
        adapted.append("prompt_cache_breakpoint dropped: Gemini's caches are named by cachedContent")
    rest = {name: value for name, value in part.items() if name in _EXTRA_KEYS}
    signature = signature_of(part)
    return {**rest, **made, **({"thoughtSignature": signature} if signature is not None else {})}


def _media(part: Mapping[str, Any], where: str, adapted: list[str]) -> dict[str, Any] | None:
    kind = part.get("type")
    if kind == "text":
        return {"text": part.get("text")}
    if kind == "refusal":
        return {"text": part["refusal"] if isinstance(part.get("refusal"), str) else ""}
    if kind == "image_url":
        return _image(part.get("image_url"), f"{where}.image_url", adapted)
    if kind == "input_audio":
        return {"inlineData": _audio(part.get("input_audio"), f"{where}.input_audio")}
    if kind == "file" and isinstance(part.get("file"), Mapping):
        return _file(part["file"], f"{where}.file")
    if kind == "file":
        raise invalid_parameter(where, "is a file without its data", "{'type': 'file', 'file': {'filename': …, 'file_data': …}}")
    if isinstance(kind, str) and kind in _LINKED:
        return _foreign(part, kind, where)
    if kind is not None:
        raise unsupported_parameter(where, f"is a part of type {str(kind)[:40]!r}, unsupported by Gemini")
    return None


def _foreign(part: Mapping[str, Any], kind: str, where: str) -> dict[str, Any]:
    """Return the media of a document or video part in the formats of Mistral and OpenRouter."""
    given = part.get(kind)
    url = given.get("url") if isinstance(given, Mapping) else given
    place = f"{where}.{kind}"
    if not isinstance(url, str):
        raise invalid_parameter(place, "is not an address", "'https://…' or 'data:…;base64,…'")
    return {"inlineData": _inline(url, place)} if url[:5].lower() == "data:" else {"fileData": _linked(url, place, _LINKED[kind])}


def _image(given: Any, where: str, adapted: list[str]) -> dict[str, Any]:
    url = given.get("url") if isinstance(given, Mapping) else given
    if isinstance(given, Mapping) and given.get("detail") not in (None, "auto"):
        adapted.append("image_url.detail dropped: see Gemini's mediaResolution")
    if isinstance(url, str):
        if url[:5].lower() == "data:":
            return {"inlineData": _inline(url, where)}
        if url.partition("://")[0].lower() in _SCHEMES:
            return {"fileData": _linked(url, where)}
    raise invalid_parameter(where, "is neither an address nor a data: URL", "'https://…' or 'data:image/png;base64,…'")


def _linked(url: str, where: str, usual: str | None = None) -> dict[str, Any]:
    kind = mimetypes.guess_type(urlsplit(url).path)[0] or usual
    if kind is not None and kind.startswith("image/") and kind not in IMAGES:
        raise unsupported_parameter(where, f"is an image of {kind}; Gemini accepts {', '.join(IMAGES)}")
    if kind is None:
        raise unsupported_parameter(
            where,
            "has no known media type. Pass fileData.mimeType or a data: URL",
        )
    return {"fileUri": url, "mimeType": kind}


def _audio(given: Any, where: str) -> dict[str, Any]:
    data, form = (given.get("data"), given.get("format")) if isinstance(given, Mapping) else (None, None)
    if not isinstance(data, str) or not isinstance(form, str):
        raise invalid_parameter(where, "lacks its data or its format", "{'data': '…', 'format': 'wav'}")
    return {"mimeType": f"audio/{form}", "data": data}


def _file(file: Mapping[str, Any], where: str) -> dict[str, Any]:
    data = file.get("file_data")
    if not isinstance(data, str):
        raise unsupported_parameter(where, "is an OpenAI file ID; use file_data or Gemini's fileData part")
    if data.partition("://")[0].lower() in _SCHEMES:  # OpenRouter's format
        return {"fileData": _linked(data, f"{where}.file_data", "application/pdf")}
    if data.startswith(_PDF_BEGINS):
        data = f"data:application/pdf;base64,{data}"
    return {"inlineData": _inline(data, f"{where}.file_data")}


def _inline(url: str, where: str) -> dict[str, Any]:
    found = _DATA.fullmatch(url)
    if found is None:
        raise invalid_parameter(where, "is a data: URL without a type or without base64", "'data:image/png;base64,…'")
    return {"mimeType": found["type"].strip().lower(), "data": found["data"]}

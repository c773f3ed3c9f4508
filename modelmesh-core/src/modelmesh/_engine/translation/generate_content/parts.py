"""Conversion of Google's parts to content parts of chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings

_AUDIO = {"mpeg": "mp3", "mp3": "mp3", "wav": "wav", "x-wav": "wav", "wave": "wav", "flac": "flac", "ogg": "ogg", "aac": "aac"}
_BELONGS_TO_GOOGLE = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_SETTINGS = ("videoMetadata", "mediaResolution", "partMetadata")


def chat_content(parts: list[Any], where: str, findings: Findings) -> Any:
    """Return the content of a message: text, or parts. Texts without any media are joined, as Google reads them."""
    found = [made for part in parts for made in _converted(part, where, findings)]
    if all(one.get("type") == "text" for one in found):
        return "".join(one["text"] for one in found) if len(found) <= 1 else found
    return found


def _converted(part: Any, where: str, findings: Findings) -> list[dict[str, Any]]:
    if isinstance(part, str):
        return [{"type": "text", "text": part}]
    if not isinstance(part, Mapping):
        findings.require_native(f"{where}: a part is not an object")
        return []
    for name in _SETTINGS:
        if part.get(name):
            findings.lose(f"{name} of a part", "chat completions have none")
    if isinstance(part.get("text"), str):
        return [{"type": "text", "text": part["text"]}]
    data, file = part.get("inlineData"), part.get("fileData")
    if isinstance(data, Mapping):
        return [_media(f"data:{data.get('mimeType')};base64,{_standard(data.get('data'))}", data, findings)]
    if isinstance(file, Mapping):
        return _linked(file, where, findings)
    kind = next((name for name in _BELONGS_TO_GOOGLE if name in part), None) or next(iter(part), "")
    if kind:
        findings.require_native(f"{where}: the part {kind!r} belongs to Google's API")
    return []


def _standard(data: Any) -> str:
    """Return base64 in the standard alphabet. Google's SDKs use that of addresses."""
    return str(data or "").replace("-", "+").replace("_", "/")


def _media(url: str, given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    kind, _, form = str(given.get("mimeType") or "").lower().partition(";")[0].partition("/")
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": url}}
    if kind == "audio" and url.startswith("data:"):
        return {"type": "input_audio", "input_audio": {"data": url.partition(",")[2], "format": _AUDIO.get(form, form)}}
    if kind == "video":
        return {"type": "video_url", "video_url": {"url": url}}
    name = given.get("displayName")
    if not name:
        name = f"document.{form or 'pdf'}"
        findings.convert("a document without a name sent with a file name")
    return {"type": "file", "file": {"file_data": url, "filename": name}}


def _linked(file: Mapping[str, Any], where: str, findings: Findings) -> list[dict[str, Any]]:
    uri = str(file.get("fileUri") or "")
    if not uri.startswith(("http://", "https://")) or "generativelanguage.googleapis.com" in uri:
        findings.require_native(f"{where}: the file is stored at one account of Google")
        return []
    return [_media(uri, file, findings)]

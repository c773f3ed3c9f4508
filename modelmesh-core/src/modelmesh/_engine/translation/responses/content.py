"""Conversion of content parts of the Responses API to chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings

_TEXTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
_KEPT = ("prompt_cache_breakpoint", "cache_control")


def chat_content(content: Any, where: str, findings: Findings) -> Any:
    """Return the content of a message: text, or parts in the format of chat completions. A single text part becomes text."""
    if not isinstance(content, list | tuple):
        return "" if content is None else content
    parts = [part for one in content if (part := _part(one, where, findings)) is not None]
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], dict) and parts[0].keys() == {"type", "text"}:
        return parts[0]["text"]
    return parts


def _part(part: Any, where: str, findings: Findings) -> Any:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, Mapping):
        return part  # the vendor rejects it
    kind = part.get("type")
    kept = {name: part[name] for name in _KEPT if part.get(name) is not None}
    if kind in _TEXTS:
        for name in ("annotations", "logprobs"):
            if part.get(name):
                findings.lose(f"{name} of {where}", "the input of a chat completion has none")
        return {"type": "text", "text": part.get("text", ""), **kept}
    if kind == "input_image":
        return _image(part, kept, findings)
    if kind == "input_file":
        return _file(part, kept, findings)
    if kind in ("refusal", "input_audio", "image_url", "file"):
        return dict(part)
    findings.require_native(f"{where}: the content {kind!r} belongs to the Responses API")
    return None


def _image(part: Mapping[str, Any], kept: dict[str, Any], findings: Findings) -> dict[str, Any] | None:
    if part.get("image_url") is None:
        findings.require_native(
            "input_image.file_id: the file is stored at one account, and chat completions accept no file of an image"
        )
        return None
    image = {"url": part["image_url"]}
    if part.get("detail") not in (None, "auto"):
        image["detail"] = part["detail"]
    return {"type": "image_url", "image_url": image, **kept}


def _file(part: Mapping[str, Any], kept: dict[str, Any], findings: Findings) -> dict[str, Any]:
    if part.get("detail") not in (None, "auto"):
        findings.lose("input_file.detail", "chat completions have no such setting")
    file = {name: part[name] for name in ("file_data", "file_id", "filename") if part.get(name) is not None}
    if part.get("file_url") is not None:
        file["file_data"] = part["file_url"]  # the address where a vendor accepts one
    if "file_id" in file:
        findings.require_native("input_file.file_id: the file is stored at one account")
    return {"type": "file", "file": file, **kept}

"""Conversion of content blocks of the Messages API to content parts of chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.chat_answers import as_list
from modelmesh._engine.translation.findings import Findings


def chat_content(content: Any, where: str, findings: Findings) -> Any:
    """Return the content of a message: text, or parts. A single plain text block becomes text."""
    if not isinstance(content, list | tuple):
        return "" if content is None else content
    parts = [part for block in content for part in _parts(block, where, findings)]
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], dict) and parts[0].keys() == {"type", "text"}:
        return parts[0]["text"]
    return parts


def _parts(block: Any, where: str, findings: Findings) -> list[Any]:
    if isinstance(block, str):
        return [{"type": "text", "text": block}]
    if not isinstance(block, Mapping):
        return [block]  # the vendor rejects it
    kind, source = block.get("type"), block.get("source")
    kept = {"cache_control": block["cache_control"]} if block.get("cache_control") else {}
    if kind == "text":
        if block.get("citations"):
            findings.lose(f"citations of {where}", "the input of a chat completion has none")
        return [{"type": "text", "text": block.get("text", ""), **kept}]
    if kind == "image" and isinstance(source, Mapping):
        return _image(block, source, kept, findings)
    if kind == "document" and isinstance(source, Mapping):
        return _document(block, source, kept, where, findings)
    if kind == "search_result":
        findings.convert(f"search_result of {where} sent as text")
        texts = "\n".join(str(one.get("text") or "") for one in as_list(block.get("content")) if isinstance(one, Mapping))
        return [{"type": "text", "text": f"{block.get('title') or ''}\n{source or ''}\n{texts}", **kept}]
    findings.require_native(f"{where}: a block {kind!r} belongs to Anthropic's API")
    return []


def _image(block: Mapping[str, Any], source: Mapping[str, Any], kept: dict[str, Any], findings: Findings) -> list[Any]:
    if block.get("transformations"):
        findings.lose("transformations of an image", "chat completions have none")
    url = _address(source, findings)
    return [] if url is None else [{"type": "image_url", "image_url": {"url": url}, **kept}]


def _address(source: Mapping[str, Any], findings: Findings) -> Any:
    """Return the address of a source, as a data: URL for its content. ``None`` for a file of an account."""
    if source.get("type") == "base64":
        return f"data:{source.get('media_type')};base64,{source.get('data')}"
    if source.get("type") == "url":
        return source.get("url")
    findings.require_native("source.file_id: the file is stored at one account")
    return None


def _document(
    block: Mapping[str, Any], source: Mapping[str, Any], kept: dict[str, Any], where: str, findings: Findings
) -> list[Any]:
    citations = block.get("citations")
    if isinstance(citations, Mapping) and citations.get("enabled"):
        findings.lose(f"citations of a document of {where}", "chat completions do not cite documents")
    head = "\n".join(str(block[name]) for name in ("title", "context") if block.get(name))
    if source.get("type") in ("text", "content"):
        findings.convert(f"document of {where} sent as text")
        content = source.get("data") if source["type"] == "text" else source.get("content")
        parts = _parts(content, where, findings) if isinstance(content, str) else _all(content, where, findings)
        if parts and isinstance(parts[-1], dict):
            parts[-1] |= kept
        return [{"type": "text", "text": head}, *parts] if head else parts
    address = _address(source, findings)
    if address is None:
        return []
    file = {"file_data": address, "filename": block.get("title") or "document.pdf"}
    context = [{"type": "text", "text": str(block["context"])}] if block.get("context") else []
    return [*context, {"type": "file", "file": file, **kept}]


def _all(blocks: Any, where: str, findings: Findings) -> list[Any]:
    return [part for block in as_list(blocks) for part in _parts(block, where, findings)]

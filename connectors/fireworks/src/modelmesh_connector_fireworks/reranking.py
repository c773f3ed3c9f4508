"""Fireworks' reranking, which returns its results as ``data``.

Fields are those of docs.fireworks.ai/api-reference/rerank-documents, read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import OperationCodec, WireRequest, json_codec


class Rerank(OperationCodec):
    """Codec of ``rerank``."""

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body. Documents are texts, and are not returned by default."""
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        payload.setdefault("return_documents", False)
        documents = payload.get("documents")
        if isinstance(documents, list | tuple):
            payload["documents"] = [_text_of(document) for document in documents]
        if payload.pop("max_tokens_per_doc", None) is not None:
            request.adapted.append("max_tokens_per_doc dropped: Fireworks has no such parameter")
        return payload

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the results with the field names of other vendors.

        Raises:
            ValueError: The reply has no list of results.
        """
        del provider, request
        rows = data.get("data", data.get("results"))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            message = "its body has no 'data'"
            raise ValueError(message)
        rest = {name: value for name, value in data.items() if name != "data"}
        return {**rest, "results": [_result(row) for row in rows]}


def _text_of(document: Any) -> Any:
    if isinstance(document, Mapping):
        return document["text"] if set(document) == {"text"} else json_codec.encode(document).decode()
    return document


def _result(row: dict[str, Any]) -> dict[str, Any]:
    text = row.get("document")
    return {**row, "document": {"text": text}} if isinstance(text, str) else row

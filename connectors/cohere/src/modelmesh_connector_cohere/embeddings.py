"""Embeddings from OpenAI's format to Cohere's ``/v2/embed`` and back.

Names on both sides are those of the packages openai 3.52.0 (``embedding_create_params.py``) and cohere 7.3.1
(``v2/raw_client.py``, ``types/embed_by_type_response*.py``, ``types/api_meta*.py``), read 2026-11-21. A parameter that is neither
converted nor dropped here is sent unchanged, such as Cohere's ``input_type``, ``images``, ``inputs``, ``embedding_types`` and
``truncate``.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh_cdk import invalid_parameter, unsupported_parameter
from modelmesh_connector_cohere.answers import usage_of

if TYPE_CHECKING:
    from modelmesh_cdk import WireRequest

INPUT_TYPE = "search_document"
"""Sent as ``input_type``, which Cohere requires, when neither the caller nor the configuration states one."""

_CONVERTED = frozenset({"dimensions", "encoding_format", "input", "model", "output_dimension", "texts", "user"})
_PREFERRED = ("float", "base64")
"""Vector types that OpenAI supports too."""


def embed_body(request: WireRequest, *, input_type: str) -> dict[str, Any]:
    """Return the body of a request. ``request.adapted`` receives its adaptations.

    Args:
        request: The request. Its payload is not changed.
        input_type: Purpose of the vectors, for a request that states none.

    Raises:
        ProviderError: Cohere's format cannot represent the request. Nothing was sent.
    """
    payload, adapted = request.payload, request.adapted
    body: dict[str, Any] = {"model": request.model}
    texts = _texts(payload.get("input")) if payload.get("input") is not None else payload.get("texts")
    if texts is not None:
        body["texts"] = texts
    dimension = payload.get("output_dimension")
    if dimension is None and payload.get("dimensions") is not None:
        adapted.append("dimensions sent as output_dimension")
        dimension = payload["dimensions"]
    if dimension is not None:
        body["output_dimension"] = dimension
    if payload.get("user") is not None:
        adapted.append("user dropped: Cohere has no such parameter")
    body |= {name: value for name, value in payload.items() if name not in _CONVERTED}
    if body.get("input_type") is None:
        body["input_type"] = "image" if body.get("images") else input_type
        request.note_harmless(f"input_type {body['input_type']!r} added (option input_type): Cohere requires one")
    if body.get("embedding_types") is None:
        # Cohere's numbers are encoded here, so that base64 has the format that OpenAI's clients decode.
        encoding = payload.get("encoding_format")
        body["embedding_types"] = ["float" if encoding in (None, "base64") else encoding]
    return body


def _texts(given: Any) -> list[Any]:
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        raise invalid_parameter("input", f"is {type(given).__name__}, neither text nor a list of texts", "input='…'")
    for place, text in enumerate(given):
        where = f"input[{place}]"
        if isinstance(text, int | list):
            raise unsupported_parameter(where, "is a token ID; Cohere accepts text only")
        if not isinstance(text, str):
            raise invalid_parameter(where, f"is {type(text).__name__}, not text", "input=['…', '…']")
    return given


def embedding_list(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the vectors in OpenAI's format. The vendor does not report the model.

    Args:
        data: The vendor's reply. Its further fields stay unchanged at the top level, including the vectors of other types.

    Raises:
        ValueError: The data is not a reply, or the types have different numbers of vectors.
    """
    given = data.get("embeddings")
    kinds = {"float": given} if isinstance(given, list) else given
    several = {name: rows for name, rows in kinds.items() if rows is not None} if isinstance(kinds, Mapping) else {}
    if not several or not all(isinstance(rows, list) for rows in several.values()):
        raise ValueError("the response has no embeddings")
    taken = next(name for name in (*_PREFERRED, *several) if name in several)
    if len({len(rows) for rows in several.values()}) > 1:
        raise ValueError("its body contains different numbers of embeddings for different types")
    beyond = {name: value for name, value in data.items() if name != "embeddings"}
    others = {name: rows for name, rows in several.items() if name != taken}
    if others:
        beyond["embeddings"] = others
    rows = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(several[taken])]
    return {**beyond, "object": "list", "data": rows, "usage": _usage(data.get("meta"))}


def _usage(meta: Any) -> dict[str, Any] | None:
    if not isinstance(meta, Mapping):
        return None
    counts = {name: meta[name] for name in ("tokens", "billed_units", "cached_tokens") if meta.get(name) is not None}
    usage = usage_of(counts)
    if usage is None or "prompt_tokens" not in usage:
        return usage or None
    usage.pop("completion_tokens", None)
    return {**usage, "total_tokens": usage["prompt_tokens"]}


def finish(answer: dict[str, Any], payload: Mapping[str, Any]) -> None:
    """Apply the request to an answer: check one vector for each text, and encode base64 where requested.

    Raises:
        ValueError: There are more or fewer vectors than texts.
    """
    rows = answer["data"]
    given = payload.get("input") if payload.get("input") is not None else payload.get("texts")
    if given is not None:
        expected = 1 if isinstance(given, str) else len(given)
        if len(rows) != expected:
            message = f"its body contains {len(rows)} embeddings for {expected} texts"
            raise ValueError(message)
    encoding = payload.get("encoding_format")
    for row in rows:
        if encoding == "base64" and isinstance(row["embedding"], list):
            row["embedding"] = packed(row["embedding"])
        elif encoding in (None, "float") and isinstance(row["embedding"], str):
            row["embedding"] = unpacked(row["embedding"])


def packed(vector: list[Any]) -> str:
    """Return a vector in OpenAI's encoding: base64 of little-endian 32-bit floats.

    Raises:
        ValueError: A value is not a 32-bit float.
    """
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except (struct.error, OverflowError):
        raise ValueError("its body contains an embedding that is not a list of 32-bit floats") from None


def unpacked(text: str) -> list[float]:
    """Return the numbers of a vector in Cohere's ``embedding_types: ["base64"]``.

    Raises:
        ValueError: The text is not base64 of 32-bit floats.
    """
    try:
        raw = base64.b64decode(text, validate=True)
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))
    except (ValueError, struct.error):
        raise ValueError("its body contains an embedding that is not base64 of 32-bit floats") from None

"""Reading of an embedding request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from modelmesh_cdk import invalid_parameter, unsupported_parameter
from modelmesh_connector_local_embeddings.config import PASSAGE, QUERY

DIMENSIONS = 384
INPUT_TYPES = {
    "query": QUERY,
    "search_query": QUERY,
    "passage": PASSAGE,
    "document": PASSAGE,
    "search_document": PASSAGE,
}
"""Values of ``input_type``: those of the model, and those of other vendors for the same two uses."""
KNOWN = frozenset({"input", "dimensions", "encoding_format", "input_type"})


@frozen
class EmbeddingRequest:
    """A valid request.

    Attributes:
        texts: The texts, in order.
        is_query: Whether the texts are queries. Otherwise they are passages.
        base64: Whether the caller requests base64.
    """

    texts: tuple[str, ...]
    is_query: bool
    base64: bool


def read_request(payload: Mapping[str, Any], input_type: str, adapted: list[str]) -> EmbeddingRequest:
    """Read a request.

    Args:
        payload: The body in OpenAI's format.
        input_type: Default use of the texts.
        adapted: Receives a line for each change.

    Raises:
        ProviderError: The request is invalid, or the model cannot serve a part of it.
    """
    dimensions = payload.get("dimensions")
    if dimensions is not None and dimensions != DIMENSIONS:
        why = f"is not possible with the local embedding model: its vectors have {DIMENSIONS} numbers and cannot be shortened"
        where = f"dimensions={dimensions!r}"
        raise unsupported_parameter(where, why)
    encoding = payload.get("encoding_format")
    if encoding not in (None, "float", "base64"):
        where = f"encoding_format={encoding!r}"
        raise invalid_parameter(where, "is unknown", "'float' or 'base64'")
    use = payload.get("input_type") or input_type
    if use not in INPUT_TYPES:
        where = f"input_type={use!r}"
        raise unsupported_parameter(where, "is unknown to the local embedding model, which has query and passage")
    adapted += [
        f"{name} dropped: the local embedding model has no such parameter"
        for name, value in payload.items()
        if name not in KNOWN and value is not None
    ]
    return EmbeddingRequest(_texts(payload.get("input"), adapted), INPUT_TYPES[use] == QUERY, encoding == "base64")


def _texts(given: Any, adapted: list[str]) -> tuple[str, ...]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list | tuple) or not texts:
        raise invalid_parameter("input", "is no text and no list of texts", "a text, or a list with at least one text")
    if all(isinstance(text, int | list | tuple) for text in texts):
        raise unsupported_parameter("input", "contains token IDs of another model, which the local embedding model cannot read")
    for place, text in enumerate(texts):
        where = "input" if texts is not given else f"input[{place}]"
        if not isinstance(text, str):
            raise invalid_parameter(where, f"is of type {type(text).__name__}", "a text")
        if not text.strip():
            raise invalid_parameter(where, "is empty", "a text with at least one letter")
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise invalid_parameter(where, "contains half of a surrogate pair, which is no character", "valid Unicode")
    if any("\0" in text for text in texts):
        adapted.append("null characters in input replaced by spaces")
    return tuple(text.replace("\0", " ") for text in texts)

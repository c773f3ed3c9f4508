"""Conversion of OpenAI's embeddings to the task ``feature-extraction`` of the provider ``hf-inference``.

Names and formats are those of the huggingface-hub package 2.4.0 (``inference/_providers/hf_inference.py``,
``inference/_generated/types/feature_extraction.py``), read 2026-11-21. The request contains texts in ``inputs`` and
parameters at the same level. The response is a bare array with one vector for each text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from modelmesh.contracts import FailureClass
from modelmesh_cdk import provider_error

if TYPE_CHECKING:
    from modelmesh_cdk import WireRequest

_OPENAIS = ("input", "model", "encoding_format", "user")


def task_path(model: str) -> str:
    """Return the path of the task on the router."""
    return f"/hf-inference/models/{quote(model)}/pipeline/feature-extraction"


def task_body(request: WireRequest) -> dict[str, Any]:
    """Return the request body. A single text is sent in a list, so that the response has one vector for each text.

    Raises:
        ProviderError: The input contains tokens, which the task does not support.
    """
    payload = request.payload
    given = payload.get("input")
    texts = [given] if isinstance(given, str) else given
    if isinstance(texts, list) and any(isinstance(text, int | list) for text in texts):
        message = "input contains tokens, but the task feature-extraction accepts only text. Nothing was sent."
        raise provider_error(FailureClass.CAPABILITY, message, status=400)
    if payload.get("user") is not None:
        request.adapted.append("user dropped: the task feature-extraction has no such parameter")
    rest = {name: value for name, value in payload.items() if name not in _OPENAIS}
    return {"inputs": texts, **rest} if "input" in payload else rest


def embedding_list(vectors: list[Any], request: WireRequest) -> dict[str, Any]:
    """Return the response in OpenAI's format, without token counts, which the task does not report.

    Raises:
        ValueError: The response does not contain one vector of the requested length for each text.
    """
    given = request.payload.get("input")
    expected = len(given) if isinstance(given, list) else 1
    if len(vectors) != expected:
        message = f"its body contains {len(vectors)} embeddings for {expected} texts"
        raise ValueError(message)
    length = request.payload.get("dimensions")
    for vector in vectors:
        if not isinstance(vector, list) or any(isinstance(number, list | str) for number in vector):
            message = "its body contains one vector for each token instead of each text. The model does not support embeddings"
            raise ValueError(message)
        if isinstance(length, int) and len(vector) != length:
            message = f"its body contains embeddings with {len(vector)} dimensions instead of {length}"
            raise ValueError(message)
    rows = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(vectors)]
    return {"object": "list", "data": rows, "model": request.model}

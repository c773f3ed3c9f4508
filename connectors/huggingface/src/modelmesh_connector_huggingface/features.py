"""The task ``feature-extraction`` of Hugging Face's inference provider as OpenAI's embeddings.

Names and formats are those of the huggingface-hub package 2.4.0 (``inference/_providers/hf_inference.py``,
``inference/_generated/types/feature_extraction.py``), read 2026-11-21: texts in ``inputs``, parameters at the same level, and as
the answer a list with one vector for each text.
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
    """Return the task's path on the router."""
    return f"/hf-inference/models/{quote(model)}/pipeline/feature-extraction"


def task_body(request: WireRequest) -> dict[str, Any]:
    """Return the body. A single text becomes a list, so that the answer always has one vector for each text.

    Raises:
        ProviderError: The input is tokens, which the task does not accept.
    """
    payload = request.payload
    given = payload.get("input")
    texts = [given] if isinstance(given, str) else given
    if isinstance(texts, list) and any(isinstance(text, int | list) for text in texts):
        message = "input holds tokens, and the task feature-extraction takes text. Nothing was sent."
        raise provider_error(FailureClass.CAPABILITY, message, status=400)
    if payload.get("user") is not None:
        request.adapted.append("user dropped: the task feature-extraction has no such parameter")
    rest = {name: value for name, value in payload.items() if name not in _OPENAIS}
    return {"inputs": texts, **rest} if "input" in payload else rest


def embedding_list(vectors: list[Any], request: WireRequest) -> dict[str, Any]:
    """Return the answer in OpenAI's format. The task reports no token usage.

    Raises:
        ValueError: There is not one vector of the requested length for each text.
    """
    given = request.payload.get("input")
    expected = len(given) if isinstance(given, list) else 1
    if len(vectors) != expected:
        message = f"its body holds {len(vectors)} embeddings for {expected} texts"
        raise ValueError(message)
    length = request.payload.get("dimensions")
    for vector in vectors:
        if not isinstance(vector, list) or any(isinstance(number, list | str) for number in vector):
            message = "its body is not one vector for each text: the model gives one for each token, and makes no embeddings"
            raise ValueError(message)
        if isinstance(length, int) and len(vector) != length:
            message = f"its body holds embeddings of {len(vector)} numbers where {length} were asked"
            raise ValueError(message)
    rows = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(vectors)]
    return {"object": "list", "data": rows, "model": request.model}

"""OpenAI's images: the parameter that only its retired models had.

GPT image models always return images in base64 and reject ``response_format`` (openai package 3.52.0,
``types/image_generate_params.py``, read 2026-11-30).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import OperationCodec, WireRequest

_MODELS = ("gpt-image-", "chatgpt-image-")


class Images(OperationCodec):
    """Codec of ``images.generate`` and ``images.edit``."""

    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        """Return the body without ``response_format``, where the model rejects it."""
        payload: dict[str, Any] = provider._build_request_payload(request)  # noqa: SLF001 - a hook
        if request.model.startswith(_MODELS):
            wanted = payload.pop("response_format", None)
            if wanted == "b64_json":
                request.note_harmless("response_format b64_json left out: the model has no other format")
            elif wanted is not None:
                request.adapted.append(f"response_format {wanted} dropped: the model returns images in b64_json")
        return payload


CODECS: Mapping[str, OperationCodec] = {"images.generate": Images(), "images.edit": Images()}

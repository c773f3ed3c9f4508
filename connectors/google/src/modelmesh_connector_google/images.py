"""OpenAI's images at Gemini's ``generateContent``.

Aspect ratios, sizes and modalities are those of the google-genai package 3.4.0 (``types.ImageConfig``), parameters those of the
openai package 3.52.0 (``types/image_generate_params.py``, ``image_edit_params.py``), read 2026-11-30.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import JsonWithFiles, OperationCodec, WireRequest, nearest_ratio, read_image_size, unsupported_parameter
from modelmesh_connector_google import media

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9", "21:9")
_OURS = frozenset(
    {
        "background", "image", "input_fidelity", "mask", "moderation", "n", "output_compression", "output_format",
        "partial_images", "prompt", "quality", "response_format", "safety_identifier", "size", "style", "user", "complexity",
        "frame_count", "frame_duration_ms",
    }
)  # fmt: skip
_DROPPED = (
    "background", "complexity", "input_fidelity", "moderation", "output_compression", "partial_images", "quality",
    "safety_identifier", "style", "user", "frame_count", "frame_duration_ms",
)  # fmt: skip
_TIERS = ((3072, "4K"), (1536, "2K"))
"""Longest sides in pixels above which a size is sent as this tier. Smaller ones have Gemini's default, 1K."""


class Images(OperationCodec):
    """Codec of ``images.generate`` and ``images.edit``."""

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of ``generateContent``."""
        return media.endpoint(provider, request.model, "generateContent")

    def build_payload(self, provider: Any, request: WireRequest) -> JsonWithFiles:
        """Return the body.

        Raises:
            ProviderError: Gemini cannot serve a parameter.
        """
        del provider
        payload = request.payload
        media.refuse_stream(request, "an image")
        if payload.get("mask") is not None:
            raise unsupported_parameter("mask", "is unsupported by Gemini, which edits by the prompt alone")
        if payload.get("background") == "transparent":
            raise unsupported_parameter("background", "is 'transparent', unsupported by Gemini")
        if payload.get("n") not in (None, 1):
            raise unsupported_parameter("n", f"is {payload['n']!r}, and Gemini returns one image for each request")
        media.drop(request, *_DROPPED)
        if payload.get("response_format") == "url":
            request.adapted.append("response_format url dropped: Gemini returns images in b64_json")
        given = payload.get("image")
        images = [
            media.inline(one, "image") for one in (given if isinstance(given, list | tuple) else [given]) if one is not None
        ]
        config: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
        if image_config := _image_config(request):
            config["imageConfig"] = image_config
        return JsonWithFiles(media.body_of(request, [*images, {"text": payload.get("prompt")}], config, _OURS))

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the images in OpenAI's format.

        Raises:
            ProviderError: The image was blocked, or the answer has none.
            ValueError: The body is not in Gemini's format.
        """
        parts = list(media.parts_of_answer(provider, data))
        blobs = [part["inlineData"] for part in parts if isinstance(part.get("inlineData"), dict)]
        images = [blob for blob in blobs if isinstance(blob.get("data"), str)]
        text = "".join(part["text"] for part in parts if isinstance(part.get("text"), str))
        if not images:
            message = f"it has no image{f', but the text {text[:100]!r}' if text else ''}"
            raise ValueError(message)
        kind = str(images[0].get("mimeType") or "").rpartition("/")[2]
        wanted = request.payload.get("output_format")
        if wanted not in (None, kind):
            request.adapted.append(f"output_format {wanted} not applied: Gemini returned {kind or 'another format'}")
        usage = media.media_usage(data)
        return {
            "created": int(time.time()),
            "model": data.get("modelVersion") or request.model,
            "data": [{"b64_json": blob["data"]} for blob in images],
            **({"output_format": kind} if kind else {}),
            **({"text": text} if text else {}),
            **({"usage": usage} if usage is not None else {}),
        }


def _image_config(request: WireRequest) -> Mapping[str, str]:
    size = read_image_size(request)
    if size is None:
        return {}
    ratio = nearest_ratio(*size, RATIOS)
    tier = next((name for longest, name in _TIERS if max(size) > longest), None)
    request.adapted.append(f"size {request.payload['size']} sent as aspect ratio {ratio}{f' in {tier}' if tier else ''}")
    return {"aspectRatio": ratio, **({"imageSize": tier} if tier else {})}

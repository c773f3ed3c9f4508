"""Fireworks' images: one address for each model.

Address, parameters and reply are those of docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt, read
2026-11-30.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from modelmesh.contracts import FailureClass
from modelmesh_cdk import (
    OperationCodec,
    WireRequest,
    drop_parameters,
    nearest_ratio,
    provider_error,
    read_image_size,
    unsupported_parameter,
)

RATIOS = ("1:1", "21:9", "16:9", "3:2", "5:4", "4:5", "2:3", "9:16", "9:21", "4:3", "3:4")
_DROPPED = (
    "background", "moderation", "output_compression", "output_format", "partial_images", "quality", "response_format",
    "safety_identifier", "style", "user",
)  # fmt: skip


class Images(OperationCodec):
    """Codec of ``images.generate``."""

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address of the model."""
        return f"{provider.api_root}/workflows/{quote(request.model, safe='/')}/text_to_image"

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body.

        Raises:
            ProviderError: Fireworks cannot serve a parameter.
        """
        del provider
        payload = {name: value for name, value in request.payload.items() if value is not None}
        if request.stream:
            raise unsupported_parameter("stream", "is true, and Fireworks returns an image at once")
        if payload.pop("n", 1) != 1:
            raise unsupported_parameter("n", "is not 1, and Fireworks returns one image for each request")
        if payload.get("background") == "transparent":
            raise unsupported_parameter("background", "is 'transparent', unsupported by Fireworks")
        drop_parameters(request, payload, _DROPPED, "Fireworks", harmless=("auto", "b64_json"))
        size = read_image_size(request)
        payload.pop("size", None)
        if size is not None:
            payload["aspect_ratio"] = nearest_ratio(*size, RATIOS)
            request.adapted.append(f"size {request.payload['size']} sent as aspect ratio {payload['aspect_ratio']}")
        return payload

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the image in OpenAI's format.

        Raises:
            ProviderError: Fireworks filtered the image.
            ValueError: The reply has no image.
        """
        del provider, request
        if "FILTER" in str(data.get("finishReason")).upper():
            message = "the provider blocked the image (finishReason CONTENT_FILTERED)"
            raise provider_error(FailureClass.POLICY, message, code=str(data["finishReason"]), status=400)
        given = data.get("base64")
        images = [given] if isinstance(given, str) else given
        if not isinstance(images, list) or not images or not all(isinstance(one, str) for one in images):
            message = "its body has no 'base64'"
            raise ValueError(message)
        rest = {name: value for name, value in data.items() if name != "base64"}
        return {"created": int(time.time()), **rest, "data": [{"b64_json": one.rpartition(",")[2]} for one in images]}

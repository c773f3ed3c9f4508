"""Types of OpenAI's image objects, as of the openai package 3.52.0 (read 2026-11-30)."""

from __future__ import annotations

from typing import Any

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.replies import Reply


class Image(AttributeDict):
    """One image, as a URL or as base64 text."""

    __slots__ = ()

    url: str | None
    b64_json: str | None
    revised_prompt: str | None


class ImageUsage(AttributeDict):
    """Tokens, as the vendor reported them."""

    __slots__ = ()

    input_tokens: int
    input_tokens_details: Any
    output_tokens: int
    output_tokens_details: Any
    total_tokens: int


class ImagesResponse(Reply, nested={"data": Image, "usage": ImageUsage}):
    """Generated or edited images."""

    __slots__ = ()

    created: int
    data: list[Image]
    background: str | None
    output_format: str | None
    quality: str | None
    safety_identifier: str | None
    size: str | None
    svg_usage: Any
    usage: ImageUsage | None


class ImageEvent(AttributeDict, nested={"usage": ImageUsage}):
    """One event of a streamed image: a ``partial_image``, or the ``completed`` image."""

    __slots__ = ()

    type: str
    b64_json: str
    partial_image_index: int | None
    created_at: int
    background: str | None
    output_format: str | None
    quality: str | None
    safety_identifier: str | None
    size: str | None
    usage: ImageUsage | None


ImageResponse = ImagesResponse
"""Alias of :class:`ImagesResponse`."""

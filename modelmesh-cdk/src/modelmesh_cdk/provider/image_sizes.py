"""Sizes of images: OpenAI's ``size`` for vendors with an aspect ratio, or with width and height."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelmesh_cdk.provider.provider_errors import invalid_parameter

if TYPE_CHECKING:
    from modelmesh_cdk.wire.request import WireRequest

_SIZE = re.compile(r"([1-9]\d{0,4})\s*[xX×]\s*([1-9]\d{0,4})")


def read_image_size(request: WireRequest) -> tuple[int, int] | None:
    """Return width and height of a request's ``size``, ``None`` for ``auto`` or none.

    Raises:
        ProviderError: The size is neither.
    """
    size = request.payload.get("size")
    if size in (None, "auto"):
        return None
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    if found is None:
        raise invalid_parameter("size", f"is {str(size)[:40]!r}", "'1024x1024' or 'auto'")
    return int(found[1]), int(found[2])


def nearest_ratio(width: int, height: int, ratios: Sequence[str]) -> str:
    """Return the aspect ratio that is nearest to that of a size.

    Args:
        width: Pixels.
        height: Pixels.
        ratios: Ratios that the vendor has, e.g. ``16:9``.
    """
    wanted = width / height
    return min(
        ratios, key=lambda ratio: abs(_value(ratio) / wanted - 1) if _value(ratio) > wanted else wanted / _value(ratio) - 1
    )


def _value(ratio: str) -> float:
    across, _, down = ratio.partition(":")
    return float(across) / float(down)

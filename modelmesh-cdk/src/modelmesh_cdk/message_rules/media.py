"""Media types of images in data URLs."""

from __future__ import annotations

from modelmesh_cdk.message_rules.drafts import unsupported
from modelmesh_cdk.message_rules.rules import MessageRules

_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_BEGINNINGS = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
"""Base64 prefixes of images by media type."""


def proper_data_url(url: str, rules: MessageRules, where: str) -> str:
    """Return an image's data URL with the media type of its bytes. Other URLs are returned unchanged.

    Raises:
        ProviderError: The vendor does not accept this media type, or does not download images.
    """
    if url[:5].lower() != "data:":
        if not rules.remote_images:
            message = f"{where} is an image at an address, and {rules.vendor} accepts images in data URLs only."
            raise unsupported(message)
        return url
    head, _, data = url[5:].partition(",")
    kind, *more = head.split(";")
    proper = next((one for start, one in _BEGINNINGS.items() if data.startswith(start)), None)
    if proper is None:
        proper = _ALIASES.get(kind.strip().lower(), kind.strip().lower())
    if rules.images is not None and proper not in rules.images:
        named = proper or "an unknown media type"
        message = f"{where} is an image of {named}, and {rules.vendor} accepts {', '.join(sorted(rules.images))}."
        raise unsupported(message)
    if proper == kind:
        return url
    return "data:" + ";".join([proper, *more]) + "," + data

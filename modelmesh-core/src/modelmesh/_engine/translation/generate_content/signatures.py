"""State of other vendors in ``thoughtSignature``, the field that clients of Google return unchanged.

The field contains bytes, so the SDKs decode and encode it again in either alphabet of base64.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.vendor_state import decode_state, encode_state

UNSIGNED = "skip_thought_signature_validator"
"""Signature of a call that another model made. Google's newer models reject a call without a signature."""


def sign(state: Mapping[str, Any]) -> str:
    """Return the signature that carries a state."""
    return base64.b64encode(encode_state(state).encode()).decode()


def signed_state(part: Any) -> dict[str, Any] | None:
    """Return the state that a part carries, ``None`` for Google's own signature and for none."""
    signature = part.get("thoughtSignature") if isinstance(part, Mapping) else None
    if not isinstance(signature, str) or not signature:
        return None
    text = signature.replace("-", "+").replace("_", "/")
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return decode_state(plain)

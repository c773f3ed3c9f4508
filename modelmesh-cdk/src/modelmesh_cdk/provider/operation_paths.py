"""Paths of operations: the arguments of a request in the place of their placeholders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from modelmesh_cdk.provider.provider_errors import invalid_parameter

if TYPE_CHECKING:
    from modelmesh_cdk.wire.request import WireRequest

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def fill_placeholders(url: str, request: WireRequest) -> str:
    """Return an address with the placeholders of the operation's path filled, percent-encoded.

    The arguments leave the payload of the request.

    Raises:
        ProviderError: An argument is missing or cannot be a part of a path. Nothing was sent.
    """
    names = _PLACEHOLDER.findall(request.call.operation.path)
    for name in names:
        url = url.replace(f"{{{name}}}", _segment(name, request.payload.get(name)))
    if names:
        request.payload = {name: value for name, value in request.payload.items() if name not in names}
    return url


def _segment(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or value in (".", ".."):
        raise invalid_parameter(name, f"is {value!r}, which cannot be a part of an address", "the ID that the vendor returned")
    try:
        return quote(value, safe="")
    except UnicodeError:
        raise invalid_parameter(name, "has half a character (a lone surrogate)", "the ID that the vendor returned") from None

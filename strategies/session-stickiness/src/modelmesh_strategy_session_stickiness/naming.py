"""Sources of the session ID of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import SelectionRequest

NAME = "session_id"


def session_of(request: SelectionRequest, header: str) -> str | None:
    """Return the session ID of a request, ``None`` without one.

    The first of these counts: the argument ``session_id``, ``session_id`` in ``routing_metadata``, a header of the request, and
    ``session_id`` in the ``metadata`` of the body, which the vendor receives as well.

    Args:
        request: The request.
        header: Name of the header, in any case. Empty to read none.
    """
    options = request.call.options
    places = (
        request.session_id,
        options.metadata.get(NAME),
        next((value for name, value in options.headers.items() if header and name.lower() == header), None),
        _in(request.call.payload.get("metadata")),
    )
    return next((str(found) for found in places if isinstance(found, str | int) and found != ""), None)


def _in(metadata: Any) -> Any:
    return metadata.get(NAME) if isinstance(metadata, Mapping) else None

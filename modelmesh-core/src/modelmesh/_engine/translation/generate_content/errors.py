"""Errors in Google's format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "INVALID_ARGUMENT",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    431: "INVALID_ARGUMENT",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Codes of google.rpc.Code by HTTP status."""


def status_name(status: int) -> str:
    """Return the code of an HTTP status."""
    return _STATUSES.get(status) or ("INVALID_ARGUMENT" if status < 500 else "INTERNAL")  # noqa: PLR2004 - server errors


def error_body(error: Exception, status: int | None = None, message: str | None = None) -> dict[str, Any]:
    """Return the body of an error, with the details of Google's own error.

    Args:
        error: The error.
        status: HTTP status of the response. By default that of the error, else 500.
        message: Its message, by default that of the error.
    """
    known = getattr(error, "status", None)
    status = status or (known if isinstance(known, int) else 500)
    found: dict[str, Any] = {"code": status, "message": message or str(error), "status": status_name(status)}
    vendor = getattr(error, "body", None)
    own = vendor.get("error") if isinstance(vendor, Mapping) else None
    if isinstance(own, Mapping) and isinstance(own.get("status"), str):
        found["status"] = own["status"]
        if own.get("details"):
            found["details"] = own["details"]
    return {"error": found}

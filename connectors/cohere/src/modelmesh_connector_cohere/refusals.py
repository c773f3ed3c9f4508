"""What Cohere's error bodies mean, as a class of failure.

The bodies are ``{"id": …, "message": …}`` without a code, so what a status does not say is read from the words. Statuses
are those of the cohere package 7.3.1 (``errors/``, read 2026-11-21); the wordings are the examples of Cohere's page
"Errors (status codes and description)" (docs.cohere.com/v2/reference/errors, read 2026-11-21). Two are from elsewhere:

* the monthly wording of a trial key, ``… limited to 1000 API calls / month``, is reported by users (public code and logs
  of 2024 to 2026); the page has the same sentence with ``/ minute``, and the page "Rate limits" states the monthly limit;
* 498 was documented in 2024 as a request or answer blocked for the usage guidelines (cohere-developer-experience, pull
  request 189); the package calls it ``InvalidTokenError``. The words decide between the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modelmesh.routing.classes import FailureClass

_F = FailureClass

_UNABLE = re.compile(
    r"too many tokens|(not|n't) support|not compatible with|for this model|must be at most|not ready for serving", re.IGNORECASE
)
_BLOCKED = re.compile(r"blocked (input|output)|usage guidelines", re.IGNORECASE)
_USED_UP = re.compile(r"calls\s*/\s*month|maximum billing reached", re.IGNORECASE)
_NOT_THE_MODEL = re.compile(r"^(connector|dataset|resource)\b.*not found", re.IGNORECASE)

_WRONG, _MISSING, _TOO_MANY, _TOKEN, _CANCELLED, _UNPROCESSABLE = 400, 404, 429, 498, 499, 422


def known_class(status: int, text: str) -> FailureClass | None:
    """Return the class of a refusal that says more than its status does.

    Args:
        status: HTTP status.
        text: The vendor's message.

    Returns:
        ``None`` when the status says it all.
    """
    if status in (_WRONG, _UNPROCESSABLE):
        if _BLOCKED.search(text):
            return _F.POLICY
        return _F.CAPABILITY if _UNABLE.search(text) else None
    if status == _MISSING:
        return _F.REFUSED if _NOT_THE_MODEL.search(text) else None
    if status == _TOO_MANY:
        return _F.QUOTA if _USED_UP.search(text) else None
    if status == _TOKEN:
        return _F.POLICY if _BLOCKED.search(text) else _F.CREDENTIAL
    return _F.TRANSIENT if status == _CANCELLED else None  # the page: try the request again


_BY_REASON: dict[str, tuple[FailureClass, str]] = {
    "ERROR": (_F.SERVER, "something went wrong while it wrote the answer"),
    "TIMEOUT": (_F.TIMEOUT, "it ran out of time while it wrote the answer"),
    "ERROR_LIMIT": (_F.CAPABILITY, "the answer reached the end of the model's context"),
    "ERROR_TOXIC": (_F.POLICY, "it deemed its own answer toxic"),
}
"""Finish reasons that are no answers: ``types/chat_finish_reason.py`` and, for the last two, those of the API before
(``types/chat_stream_end_event.py``) in the cohere package 7.3.1, read 2026-11-21."""


def failed_reason(reason: Any) -> tuple[FailureClass, str] | None:
    """Return what a finish reason means that comes instead of an answer; ``None`` when it ends one."""
    return _BY_REASON.get(reason) if isinstance(reason, str) else None


def is_error(body: Mapping[str, Any]) -> bool:
    """Whether a body or an event is an error body: its ``message`` is text, where an answer's is an object."""
    return isinstance(body.get("message"), str) and body.get("type") in (None, "error")

"""Error mapping of Cohere.

The bodies are ``{"id": …, "message": …}`` without a code, so the message complements the status. Statuses are those of the
cohere package 7.3.1 (``errors/``, read 2026-11-21). The wordings are the examples of Cohere's page "Errors (status codes and
description)" (docs.cohere.com/v2/reference/errors, read 2026-11-21), except two:

* Users report the monthly wording of a trial key, ``… limited to 1000 API calls / month`` (public code and logs of 2024 to
  2026). The page has the same sentence with ``/ minute``, and the page "Rate limits" states the monthly limit.
* In 2024 the documentation described 498 as a request or answer blocked for the usage guidelines (cohere-developer-experience,
  pull request 189). The package calls it ``InvalidTokenError``. The message determines which one applies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, error_mapping

_F = FailureClass

_BLOCKED = r"blocked (input|output)|usage guidelines"

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(_F.POLICY, statuses={400, 422, 498}, words=_BLOCKED),
    error_mapping(_F.CREDENTIAL, statuses={498}),
    error_mapping(_F.QUOTA, statuses={429}, words=r"calls ?/ ?month|maximum billing reached"),
    error_mapping(_F.REFUSED, statuses={404}, words=r"^(connector|dataset|resource)\b.*not found"),
    error_mapping(_F.CAPABILITY, statuses={400, 422}, words=r"too many tokens", too_long=True),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        words=(
            r"(not|nt) support",
            r"not compatible with",
            r"for this model",
            r"must be at most",
            r"not ready for serving",
            r"total number of texts",
        ),
    ),
    error_mapping(
        _F.NOT_FOUND,
        statuses={400, 404, 410, 422},
        words=r"\bwas removed on\b|model .* (deprecated|retired|removed)",
        source="sinanuozdemir/quick-start-guide-to-llms#35, read 2026-11-30",
    ),
    error_mapping(_F.TRANSIENT, statuses={499}),  # the page recommends a retry
)
"""Cohere's rows. The common rows of the kit follow them."""


_BY_REASON: dict[str, tuple[FailureClass, str]] = {
    "ERROR": (_F.SERVER, "the model failed during generation"),
    "TIMEOUT": (_F.TIMEOUT, "the generation exceeded a time limit"),
    "ERROR_LIMIT": (_F.CAPABILITY, "the answer reached the limit of the model's context"),
    "ERROR_TOXIC": (_F.POLICY, "the model classified its answer as toxic"),
}
"""Finish reasons of failed answers: ``types/chat_finish_reason.py`` and, for the last two, those of the previous API
(``types/chat_stream_end_event.py``) in the cohere package 7.3.1, read 2026-11-21."""


def failed_reason(reason: Any) -> tuple[FailureClass, str] | None:
    """Return the meaning of a failed answer's finish reason, ``None`` for a complete answer."""
    return _BY_REASON.get(reason) if isinstance(reason, str) else None


def is_error(body: Mapping[str, Any]) -> bool:
    """Whether a body or an event is an error body: its ``message`` is text, where an answer's is an object."""
    return isinstance(body.get("message"), str) and body.get("type") in (None, "error")

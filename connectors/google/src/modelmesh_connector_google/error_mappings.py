"""Error mapping of Google.

A body is a ``google.rpc.Status`` under ``error``: code, message, status, and details by ``@type`` (google-genai 3.4.0
``errors.py``; reasons of googleapis/googleapis ``google/api/error_reason.proto``, details of its
``google/rpc/error_details.proto``, read 2026-11-21). ``API_KEY_INVALID`` under HTTP 400, and ``QuotaFailure`` with ``RetryInfo``,
are as reported in cequence-io/openai-scala-client#109 and google-gemini/gemini-cli#8437. A violation of a quota for each model
has ``PerModel`` in its ``quotaId`` and the model in its ``quotaDimensions`` (google-gemini/gemini-cli-action#36). A limit of 0 on
the free tier rejects the first request and does not affect other models (google-gemini/gemini-cli#22486, all read 2026-11-21).
Google does not document the wordings. A body without a known wording is classified by its status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ANY_STATUS, ErrorMapping, error_mapping, read_delay

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.CREDENTIAL,
        "API_KEY_INVALID",
        "API_KEY_SERVICE_BLOCKED",
        "API_KEY_HTTP_REFERRER_BLOCKED",
        "API_KEY_IP_ADDRESS_BLOCKED",
        "ACCESS_TOKEN_EXPIRED",
        "CONSUMER_INVALID",
        "CONSUMER_SUSPENDED",
        "SERVICE_DISABLED",
        statuses=ANY_STATUS,
    ),
    error_mapping(_F.QUOTA, "BILLING_DISABLED", statuses=ANY_STATUS),
    error_mapping(
        _F.CREDENTIAL,
        statuses={400, 403},
        words=(
            r"api key not (valid|found)",
            r"api key expired",
            r"api key was reported as leaked",
            r"user location is not supported",
            r"free tier is not available",
        ),
    ),
    error_mapping(_F.CAPABILITY, statuses={400}, words=r"exceeds the maximum number of tokens", too_long=True),
    error_mapping(_F.CAPABILITY, statuses={400, 403}, words=(r"thought_signature", r"not enabled for")),
    error_mapping(
        _F.CAPABILITY,
        statuses={400},
        words=(r"contents (is|are) (not specified|required)", r"unable to submit request because it must have a text parameter"),
        source="langchain-ai/langchain-google#1298: other vendors answer a chat of a system message alone, read 2026-11-30",
    ),
    error_mapping(_F.TRANSIENT, statuses={499}),
)
"""Google's rows. The common rows of the kit follow them."""

_TOO_MANY = 429


def unwrapped(body: Any) -> Any:
    """Return the error body in a list of one, which endpoints with array streams send."""
    return body[0] if isinstance(body, list) and len(body) == 1 else body


def _error(body: Any) -> Mapping[str, Any]:
    body = unwrapped(body)
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def _details(body: Any, kind: str) -> Iterator[Mapping[str, Any]]:
    details = _error(body).get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, Mapping) and str(detail.get("@type", "")).endswith(f"google.rpc.{kind}"):
            yield detail


def _reason(body: Any) -> str | None:
    return next((found["reason"] for found in _details(body, "ErrorInfo") if isinstance(found.get("reason"), str)), None)


def code_of(body: Any) -> str | None:
    """Return the most exact name of the error: the reason in its details, else its status."""
    status = _error(body).get("status")
    return _reason(body) or (status if isinstance(status, str) and status else None)


def text_of(body: Any) -> str:
    """Return the error's message."""
    return str(_error(body).get("message") or "")


def by_day(body: Any) -> bool:
    """Whether a quota of the day is used up: waiting a minute is of no use then."""
    return any(_used_up(body))


def of_the_model(body: Any) -> bool:
    """Whether what is used up of the day is this model's alone."""
    return all("permodel" in quota or _names_a_model(violation) for quota, violation in _used_up(body))


def _names_a_model(violation: Mapping[str, Any]) -> bool:
    dimensions = violation.get("quotaDimensions")
    return isinstance(dimensions, Mapping) and bool(dimensions.get("model"))


def _used_up(body: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for found in _details(body, "QuotaFailure"):
        for violation in found.get("violations") or ():
            quota = str(violation.get("quotaId", "")).lower() if isinstance(violation, Mapping) else ""
            if "perday" in quota:
                yield quota, violation


def delay_of(body: Any) -> float | None:
    """Return the seconds that ``RetryInfo`` asks to wait, ``None`` for a quota of the day.

    Google also states a delay of seconds there (google-gemini/gemini-cli#8437), after which the quota is still exhausted.
    """
    if by_day(body):
        return None
    for found in _details(body, "RetryInfo"):
        seconds = read_delay(str(found.get("retryDelay", "")), now=0.0)
        if seconds is not None:
            return seconds
    return None


def request_id_of(body: Any) -> str | None:
    """Return the request's ID, which Google's support asks for (``google.rpc.RequestInfo``)."""
    named = (found.get("requestId") for found in _details(body, "RequestInfo"))
    return next((name for name in named if isinstance(name, str) and name), None)


def spent_class(status: int, body: Any) -> FailureClass | None:
    """Return the class of an exhausted daily quota, ``None`` for any other refusal."""
    if status == _TOO_MANY and by_day(body):
        return _F.MODEL_QUOTA if of_the_model(body) else _F.QUOTA
    return None

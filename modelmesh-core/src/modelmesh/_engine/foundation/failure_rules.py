"""The consequences of each failure class: one table, from which the documentation is generated.

A connector maps a vendor's error to a failure class. Only this table decides what follows from the class.
"""

from __future__ import annotations

from attrs import frozen

from modelmesh import errors
from modelmesh._engine.foundation.failures import Billed, Effect, FailureClass, RetrySame, Scope


@frozen
class Rule:
    """One row of the table.

    Attributes:
        meaning: Description of the failure, for the documentation.
        retry_same: Whether the request is retried at the same model.
        rotate: Whether the request fails over to the next candidate.
        scope: Object whose health it affects.
        effect: Effect on that health.
        cooldown_s: First cooldown when the vendor states none. Each further one doubles.
        cooldown_cap_s: Longest cooldown, unless the vendor states a longer one.
        billed: Whether the vendor may charge.
        error: Error that the caller receives when this failure is the last.
        panic: Whether a model in cooldown for this reason may be tried when all models are unavailable.
        rotate_once: Whether the request fails over to one further account only. If that account rejects the request as well,
            the request ends with the first rejection.
    """

    meaning: str
    retry_same: RetrySame
    rotate: bool
    scope: Scope
    effect: Effect
    error: type[errors.ProviderError]
    billed: Billed = Billed.NO
    cooldown_s: float = 0.0
    cooldown_cap_s: float = 0.0
    panic: bool = False
    rotate_once: bool = False


_F, _S, _E, _T = FailureClass, Scope, Effect, RetrySame

RULES: dict[FailureClass, Rule] = {
    _F.CONNECT: Rule(
        "no connection: DNS, refused, TLS, connect timeout. Nothing was sent",
        _T.IMMEDIATELY_ONCE, True, _S.ACCOUNT, _E.COUNT_FAILURE, errors.ProviderConnectionError, panic=True,
    ),
    _F.DISCONNECT: Rule(
        "the connection broke after the request was sent and before a response",
        _T.IF_ONLY_TARGET, True, _S.MODEL, _E.COUNT_FAILURE, errors.ProviderConnectionError, billed=Billed.UNKNOWN, panic=True,
    ),
    _F.TIMEOUT: Rule(
        "no headers, no content or no further bytes within the limit",
        _T.NEVER, True, _S.MODEL, _E.COUNT_FAILURE, errors.ProviderTimeoutError, billed=Billed.UNKNOWN, panic=True,
    ),
    _F.CALLER: Rule(
        "our own validation found an invalid request. Nothing was sent",
        _T.NEVER, False, _S.NONE, _E.NONE, errors.BadRequestError,
    ),
    _F.REFUSED: Rule(
        "the vendor rejects the request without an explanation (400, 404, 405, 409, 411, 413, 415, 422, 501, 505)",
        _T.NEVER, True, _S.NONE, _E.NONE, errors.BadRequestError, rotate_once=True,
    ),
    _F.CAPABILITY: Rule(
        "the model does not support the request: the context is too long, or a parameter is not supported",
        _T.NEVER, True, _S.NONE, _E.NONE, errors.BadRequestError,
    ),
    _F.POLICY: Rule(
        "rejected by the vendor's content policy",
        _T.NEVER, False, _S.NONE, _E.NONE, errors.BadRequestError,
    ),
    _F.CREDENTIAL: Rule(
        "the account's key is rejected (401)",
        _T.NEVER, True, _S.ACCOUNT, _E.COOLDOWN, errors.AuthenticationError, cooldown_s=300, cooldown_cap_s=3600,
    ),
    _F.PERMISSION: Rule(
        "the account may not use this model (403)",
        _T.NEVER, True, _S.MODEL, _E.COOLDOWN, errors.AuthenticationError, cooldown_s=300, cooldown_cap_s=3600,
    ),
    _F.QUOTA: Rule(
        "the account's quota is exhausted (402, or 429 with a quota code)",
        _T.NEVER, True, _S.ACCOUNT, _E.COOLDOWN, errors.QuotaExceededError, cooldown_s=3600, cooldown_cap_s=86400,
    ),
    _F.MODEL_QUOTA: Rule(
        "the model's quota is exhausted, at a vendor that counts each model separately",
        _T.NEVER, True, _S.MODEL, _E.COOLDOWN, errors.QuotaExceededError, cooldown_s=3600, cooldown_cap_s=86400,
    ),
    _F.NOT_FOUND: Rule(
        "the vendor does not offer the model, or has retired it",
        _T.NEVER, True, _S.MODEL, _E.COOLDOWN, errors.ModelNotFoundError, cooldown_s=600, cooldown_cap_s=600, panic=True,
    ),
    _F.TRANSIENT: Rule(
        "a temporary rejection (408, 425)",
        _T.IF_ONLY_TARGET_ONCE, True, _S.NONE, _E.NONE, errors.ProviderServerError, panic=True,
    ),
    _F.THROTTLE: Rule(
        "too many requests (429), or overloaded with a stated delay (503, 529)",
        _T.IF_ONLY_TARGET, True, _S.MODEL, _E.COOLDOWN, errors.RateLimitError, cooldown_s=15, cooldown_cap_s=300, panic=True,
    ),
    _F.SERVER: Rule(
        "a failure of the vendor's server (500, 502, 503, 504, 520-524, 529)",
        _T.IF_ONLY_TARGET, True, _S.MODEL, _E.COUNT_FAILURE, errors.ProviderServerError, panic=True,
    ),
    _F.MISCONFIGURED: Rule(
        "redirected to another origin, where the key is not sent",
        _T.NEVER, True, _S.ACCOUNT, _E.COOLDOWN, errors.BadUpstreamResponseError, cooldown_s=300, cooldown_cap_s=300,
    ),
    _F.PROTOCOL: Rule(
        "an invalid response: not JSON, truncated, empty, too large, an error with status 200",
        _T.NEVER, True, _S.MODEL, _E.COUNT_FAILURE, errors.BadUpstreamResponseError, billed=Billed.UNKNOWN, panic=True,
    ),
    _F.TOO_LARGE: Rule(
        "an answer that is as large as the request makes it, and larger than the limit of its operation",
        _T.NEVER, False, _S.NONE, _E.NONE, errors.ResponseTooLargeError, billed=Billed.YES,
    ),
    _F.CANCELLED: Rule(
        "the caller left",
        _T.NEVER, False, _S.NONE, _E.NONE, errors.ProviderError, billed=Billed.UNKNOWN,
    ),
    _F.CONNECTOR_BUG_UNSENT: Rule(
        "a connector bug before anything was sent. The model stays available",
        _T.NEVER, True, _S.NONE, _E.NONE, errors.BrokenConnectorError,
    ),
    _F.CONNECTOR_BUG: Rule(
        "a connector bug: an unexpected exception or an invalid return value",
        _T.NEVER, True, _S.MODEL, _E.COUNT_FAILURE, errors.BrokenConnectorError, billed=Billed.UNKNOWN, panic=True,
    ),
}  # fmt: skip

QUOTA_CODES = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "enforced_spend_limit_reached",
        "billing_hard_limit_reached",
        "billing_not_active",
        "daily_quota_exceeded",
    }
)
CAPABILITY_CODES = frozenset({"context_length_exceeded", "unsupported_parameter", "unsupported_value"})
MODEL_CODES = frozenset({"model_not_found", "model_decommissioned", "deployment_not_found"})
POLICY_CODES = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})

_BY_CODE = ((CAPABILITY_CODES, _F.CAPABILITY), (POLICY_CODES, _F.POLICY), (MODEL_CODES, _F.NOT_FOUND))
_BY_STATUS: dict[int, FailureClass] = {
    401: _F.CREDENTIAL,
    402: _F.QUOTA,
    403: _F.PERMISSION,
    408: _F.TRANSIENT,
    425: _F.TRANSIENT,
    429: _F.THROTTLE,
    501: _F.REFUSED,
    505: _F.REFUSED,
}


BUSY_STATUSES = frozenset({503, 529})
"""Statuses of a server error that mean a rate limit if the vendor states a delay."""


def classify(status: int, code: str | None = None, *, delay_given: bool = False) -> FailureClass:
    """Return the failure class of an HTTP status.

    Args:
        status: HTTP status.
        code: The vendor's error code, if the body contains one.
        delay_given: Whether the vendor stated a delay.

    Returns:
        A class for every status. An unknown 4xx is an unexplained rejection, an unknown 5xx a failure of the server,
        and anything else an invalid response.
    """
    if code in QUOTA_CODES:
        return _F.QUOTA
    if delay_given and status in BUSY_STATUSES:
        return _F.THROTTLE
    if 400 <= status < 500 and status not in (401, 403, 429):  # noqa: PLR2004 - the 4xx range
        by_code = next((kind for codes, kind in _BY_CODE if code in codes), None)
        if by_code is not None:
            return by_code
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    if 300 <= status < 400:  # noqa: PLR2004 - a redirect that was not followed
        return _F.MISCONFIGURED
    if 400 <= status < 500:  # noqa: PLR2004
        return _F.REFUSED
    if 500 <= status < 600:  # noqa: PLR2004
        return _F.SERVER
    return _F.PROTOCOL


def is_refusal(error: errors.ProviderError) -> bool:
    """Return whether a vendor rejected the request itself, as opposed to a failure or a lack of capacity.

    A request that a connector could not express has no ``body``, because it was never sent to a vendor.
    """
    return RULES[error.failure].rotate_once or (error.failure is FailureClass.CAPABILITY and error.body is not None)


_REFUSED_ERRORS: dict[int, type[errors.ProviderError]] = {404: errors.ModelNotFoundError, 409: errors.ProviderServerError}


def error_type(failure: FailureClass, status: int | None) -> type[errors.ProviderError]:
    """Return the exception type of a failure. That of an unexplained rejection depends on its status."""
    if failure is FailureClass.REFUSED and status is not None:
        return _REFUSED_ERRORS.get(status, RULES[failure].error)
    return RULES[failure].error

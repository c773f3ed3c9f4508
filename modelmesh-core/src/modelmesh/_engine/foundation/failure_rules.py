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
        meaning: What happened, for the documentation and ``explain()``.
        same_target: Whether the same model may be asked again.
        rotate: Whether the next candidate is asked.
        scope: Whose health it touches.
        effect: How.
        cooldown_s: First cooldown when the vendor names none; each further one doubles.
        cooldown_cap_s: Longest cooldown of our own choosing.
        billed: Whether the vendor may charge.
        error: What the caller gets when it is the last.
        panic: Whether a model that is off for this reason may be tried when every other is off too.
        rotate_once: Whether only one further account is tried. When that account refuses the request as well, the
            request ends with the first refusal.
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
        "no connection: DNS, refused, TLS, connect timeout; nothing was sent",
        _T.IMMEDIATELY_ONCE, True, _S.ACCOUNT, _E.COUNT_FAILURE, errors.ProviderConnectionError, panic=True,
    ),
    _F.DISCONNECT: Rule(
        "the connection broke after the request was sent and before an answer",
        _T.IF_ONLY_TARGET, True, _S.MODEL, _E.COUNT_FAILURE, errors.ProviderConnectionError, billed=Billed.UNKNOWN, panic=True,
    ),
    _F.TIMEOUT: Rule(
        "no headers, no content or no further bytes within the limit",
        _T.NEVER, True, _S.MODEL, _E.COUNT_FAILURE, errors.ProviderTimeoutError, billed=Billed.UNKNOWN, panic=True,
    ),
    _F.CALLER: Rule(
        "the request itself is wrong, as our own validation finds; nothing was sent",
        _T.NEVER, False, _S.NONE, _E.NONE, errors.BadRequestError,
    ),
    _F.REFUSED: Rule(
        "the vendor refuses the request and does not explain why (400, 404, 405, 409, 411, 413, 415, 422, 501, 505)",
        _T.NEVER, True, _S.NONE, _E.NONE, errors.BadRequestError, rotate_once=True,
    ),
    _F.CAPABILITY: Rule(
        "this model cannot do it: the context is too long, or a parameter is not supported",
        _T.NEVER, True, _S.NONE, _E.NONE, errors.BadRequestError,
    ),
    _F.POLICY: Rule(
        "refused by the vendor's content policy",
        _T.NEVER, False, _S.NONE, _E.NONE, errors.BadRequestError,
    ),
    _F.CREDENTIAL: Rule(
        "the account's key is refused (401)",
        _T.NEVER, True, _S.ACCOUNT, _E.COOLDOWN, errors.AuthenticationError, cooldown_s=300, cooldown_cap_s=3600,
    ),
    _F.PERMISSION: Rule(
        "the account may not use this model (403)",
        _T.NEVER, True, _S.MODEL, _E.COOLDOWN, errors.AuthenticationError, cooldown_s=300, cooldown_cap_s=3600,
    ),
    _F.QUOTA: Rule(
        "the account is used up (402, or 429 with a quota code)",
        _T.NEVER, True, _S.ACCOUNT, _E.COOLDOWN, errors.QuotaExceededError, cooldown_s=3600, cooldown_cap_s=86400,
    ),
    _F.MODEL_QUOTA: Rule(
        "this model is used up; the vendor counts each of its models apart",
        _T.NEVER, True, _S.MODEL, _E.COOLDOWN, errors.QuotaExceededError, cooldown_s=3600, cooldown_cap_s=86400,
    ),
    _F.NOT_FOUND: Rule(
        "the vendor does not know the model, or has retired it",
        _T.NEVER, True, _S.MODEL, _E.COOLDOWN, errors.ModelNotFoundError, cooldown_s=600, cooldown_cap_s=600, panic=True,
    ),
    _F.TRANSIENT: Rule(
        "a passing refusal (408, 425)",
        _T.IF_ONLY_TARGET_ONCE, True, _S.NONE, _E.NONE, errors.ProviderServerError, panic=True,
    ),
    _F.THROTTLE: Rule(
        "too many requests (429), or overloaded with a stated delay (503, 529)",
        _T.IF_ONLY_TARGET, True, _S.MODEL, _E.COOLDOWN, errors.RateLimitError, cooldown_s=15, cooldown_cap_s=300, panic=True,
    ),
    _F.SERVER: Rule(
        "the vendor failed (500, 502, 503, 504, 520-524, 529)",
        _T.IF_ONLY_TARGET, True, _S.MODEL, _E.COUNT_FAILURE, errors.ProviderServerError, panic=True,
    ),
    _F.MISCONFIGURED: Rule(
        "redirected to another origin; the key does not follow",
        _T.NEVER, True, _S.ACCOUNT, _E.COOLDOWN, errors.BadUpstreamResponseError, cooldown_s=300, cooldown_cap_s=300,
    ),
    _F.PROTOCOL: Rule(
        "an answer that is no answer: not JSON, cut, empty, too large, an error inside a 200",
        _T.NEVER, True, _S.MODEL, _E.COUNT_FAILURE, errors.BadUpstreamResponseError, billed=Billed.UNKNOWN, panic=True,
    ),
    _F.CANCELLED: Rule(
        "the caller went away",
        _T.NEVER, False, _S.NONE, _E.NONE, errors.ProviderError, billed=Billed.UNKNOWN,
    ),
    _F.CONNECTOR_BUG_UNSENT: Rule(
        "the connector's own mistake, before anything was sent: an odd request must not switch a model off",
        _T.NEVER, True, _S.NONE, _E.NONE, errors.BrokenConnectorError,
    ),
    _F.CONNECTOR_BUG: Rule(
        "the connector's own mistake: it raised, or returned what it may not",
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


def classify(status: int, code: str | None = None, *, delay_given: bool = False) -> FailureClass:
    """Return the class of an HTTP failure.

    Args:
        status: HTTP status.
        code: The vendor's error code, when the body had one.
        delay_given: Whether the vendor said how long to wait.

    Returns:
        A class for every status: an unknown 4xx is an unexplained refusal, an unknown 5xx a failure of the server,
        anything else an invalid response.
    """
    if code in QUOTA_CODES:
        return _F.QUOTA
    if status in (503, 529) and delay_given:
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
    """Return whether a vendor declined the request itself, as opposed to failing or lacking capacity.

    A request that a connector could not express was never sent (no ``body``); no vendor declined that one.
    """
    return RULES[error.failure].rotate_once or (error.failure is FailureClass.CAPABILITY and error.body is not None)


_REFUSED_ERRORS: dict[int, type[errors.ProviderError]] = {404: errors.ModelNotFoundError, 409: errors.ProviderServerError}


def error_type(failure: FailureClass, status: int | None) -> type[errors.ProviderError]:
    """Return the exception of a failure; an unexplained refusal keeps the one that its status has always had."""
    if failure is FailureClass.REFUSED and status is not None:
        return _REFUSED_ERRORS.get(status, RULES[failure].error)
    return RULES[failure].error

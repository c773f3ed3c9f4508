"""Failure classes, and the enums that describe their consequences.

The consequences themselves are in :mod:`modelmesh._engine.foundation.failure_rules`.
"""

from __future__ import annotations

from enum import StrEnum


class FailureClass(StrEnum):
    """Why an attempt failed."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    TIMEOUT = "timeout"
    CALLER = "caller"
    """Found by our own validation; never a vendor's answer."""
    REFUSED = "refused"
    CAPABILITY = "capability"
    POLICY = "policy"
    CREDENTIAL = "credential"
    PERMISSION = "permission"
    QUOTA = "quota"
    MODEL_QUOTA = "model-quota"
    NOT_FOUND = "not-found"
    TRANSIENT = "transient"
    THROTTLE = "throttle"
    SERVER = "server"
    MISCONFIGURED = "misconfigured"
    PROTOCOL = "protocol"
    CANCELLED = "cancelled"
    CONNECTOR_BUG_UNSENT = "connector-bug-unsent"
    CONNECTOR_BUG = "connector-bug"


class Scope(StrEnum):
    """The smallest thing whose health explains the failure."""

    NONE = "none"
    MODEL = "model"
    ACCOUNT = "account"


class Effect(StrEnum):
    """What a failure does to that thing."""

    NONE = "none"
    COUNT_FAILURE = "count-failure"
    """Counts towards opening the circuit."""
    COOLDOWN = "cooldown"
    """Off at once, for as long as the vendor said, else for the row's own time."""


class RetrySame(StrEnum):
    """Whether the same model may be asked again within the request when no other is ready."""

    NEVER = "never"
    IMMEDIATELY_ONCE = "immediately-once"
    """One more time, at once and free of the retry budget: nothing was sent."""
    IF_ONLY_TARGET = "if-only-target"
    IF_ONLY_TARGET_ONCE = "if-only-target-once"


class Billed(StrEnum):
    """Whether the vendor may charge for an attempt."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

"""Failure classes, and the enums that describe their consequences.

The consequences themselves are in :mod:`modelmesh._engine.foundation.failure_rules`.
"""

from __future__ import annotations

from enum import StrEnum


class FailureClass(StrEnum):
    """Cause of a failed attempt."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    TIMEOUT = "timeout"
    CALLER = "caller"
    """An error that our own validation found. A vendor's response never has this class."""
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
    TOO_LARGE = "too-large"
    """An answer whose size follows from the request and exceeds the limit of its operation."""
    CANCELLED = "cancelled"
    CONNECTOR_BUG_UNSENT = "connector-bug-unsent"
    CONNECTOR_BUG = "connector-bug"


class Scope(StrEnum):
    """Smallest object whose health explains a failure."""

    NONE = "none"
    MODEL = "model"
    ACCOUNT = "account"


class Effect(StrEnum):
    """Effect of a failure on the health of that object."""

    NONE = "none"
    COUNT_FAILURE = "count-failure"
    """Counts towards opening the circuit breaker."""
    COOLDOWN = "cooldown"
    """Opens the circuit breaker at once, for the time that the vendor states, else for the time of the rule."""


class RetrySame(StrEnum):
    """Whether a request is retried at the same model."""

    NEVER = "never"
    IMMEDIATELY_ONCE = "immediately-once"
    """One immediate retry without use of the retry budget, because nothing was sent."""
    IF_ONLY_TARGET = "if-only-target"
    """When no other model is ready."""
    IF_ONLY_TARGET_ONCE = "if-only-target-once"
    """Once, when no other model is ready."""


class Billed(StrEnum):
    """Whether the vendor may charge for an attempt."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

"""Records of the attempts of a request."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, Protocol

from attrs import define, field

from modelmesh._engine.foundation.failures import Billed, FailureClass
from modelmesh._engine.foundation.wording import MAX_TEXT_CHARS, human_duration, label, one_line

MAX_OWN_CHARS = 1000
"""Maximum characters of our own message about a connector bug, which names the file, the line and the rule."""


class AttemptOutcome(StrEnum):
    """State of an attempt: under way, or how it ended."""

    PENDING = "pending"
    ANSWERED = "answered"
    STREAMING = "streaming"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


class AttemptFailure(Protocol):
    """The fields of a ``ProviderError`` that an attempt records."""

    failure: FailureClass
    message: str
    status: int | None
    code: str | None
    billed: Billed
    request_id: str | None
    adapted: Sequence[str]
    reason: str | None
    address: str | None


def _repr_text(value: str) -> str:
    return repr(str(value))


@define
class Attempt:
    """One request sent to one model.

    Attributes:
        number: Its number, 1 for the first.
        provider_id: Key of the provider.
        model_id: The model, as configured.
        reason: Reason of the strategy's choice.
        waited_ms: Wait of the request before the attempt.
        ms: Duration until the response, the first content of a stream, or the failure.
        outcome: ``pending``, ``answered``, ``streaming``, ``failed``, ``interrupted`` or ``cancelled``.
        failure: Failure class.
        status: HTTP status of the failure.
        code: The vendor's error code.
        error: Class name of the error.
        place: ``file:line`` in the connector's code, for a connector bug.
        billed: Whether the vendor may charge for it: ``yes``, ``no`` or ``unknown``.
        request_id: The vendor's request ID.
        adapted: Parameters that were dropped, renamed or converted for the vendor.
        usage: Token usage, reported by the vendor or estimated.
        estimated: Whether any part of ``usage`` is an estimate, because the vendor did not report it.
        cost: USD, ``None`` when unknown.
        message: The vendor's message, or the cause of the failure: one line without keys, cut if long.
        address: Destination of a request that could not be delivered.
    """

    number: int
    provider_id: str
    model_id: str
    reason: str = ""
    waited_ms: float = 0.0
    ms: float | None = None
    outcome: AttemptOutcome = field(default=AttemptOutcome.PENDING, repr=_repr_text)
    failure: str | None = None
    status: int | None = None
    code: str | None = None
    error: str | None = None
    place: str | None = None
    billed: Billed = field(default=Billed.UNKNOWN, repr=_repr_text)
    request_id: str | None = None
    adapted: Sequence[str] = ()
    usage: dict[str, Any] | None = field(default=None, repr=False)
    estimated: bool = False
    cost: float | None = None
    message: str | None = None
    address: str | None = None

    def fail(self, error: AttemptFailure, seconds: float) -> None:
        """Record the failure."""
        self.ms = seconds * 1000
        self.outcome = AttemptOutcome.FAILED
        self.failure = error.failure.value
        self.status = error.status
        self.code = error.code
        self.error = type(error).__name__
        self.place = getattr(error, "place", None)
        self.billed = error.billed
        self.request_id = error.request_id
        self.note(error.adapted)
        self.message = one_line(
            error.message if error.reason is None else error.reason, MAX_OWN_CHARS if self.place else MAX_TEXT_CHARS
        )
        self.address = error.address

    def note(self, adapted: Sequence[str]) -> None:
        """Add changes that were made to the request."""
        self.adapted = (*self.adapted, *adapted) if self.adapted else adapted

    def as_dict(self) -> dict[str, Any]:
        """Return the record as plain data."""
        data = dict(zip(_FIELDS, _field_values(self), strict=True))
        data["outcome"], data["billed"] = str(self.outcome), str(self.billed)
        return data

    def __str__(self) -> str:
        what = label(self.failure, self.status, self.code) if self.failure else self.outcome
        at = f" at {self.place}" if self.place else ""
        took = f" after {human_duration(self.ms / 1000)}" if self.ms is not None else ""
        return f"{self.provider_id}/{self.model_id}: {what}{at}{took}"


_FIELDS = tuple(field.name for field in Attempt.__attrs_attrs__)
_field_values = attrgetter(*_FIELDS)


@define
class PassedOver:
    """A candidate that was not tried.

    Attributes:
        provider_id: Key of the provider.
        model_id: The model, as configured.
        reason: Explanation for messages.
    """

    provider_id: str
    model_id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.provider_id}/{self.model_id}: {self.reason}"

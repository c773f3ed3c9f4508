"""Formatting for messages: failure labels, durations, times, money and names."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.units import NANO

_F = FailureClass

LABELS: dict[FailureClass, str] = {
    _F.CONNECT: "no connection",
    _F.DISCONNECT: "connection lost before the answer",
    _F.TIMEOUT: "timed out",
    _F.CALLER: "invalid request",
    _F.REFUSED: "request refused",
    _F.CAPABILITY: "request not supported",
    _F.POLICY: "content policy",
    _F.CREDENTIAL: "key rejected",
    _F.PERMISSION: "access denied",
    _F.QUOTA: "quota exhausted",
    _F.MODEL_QUOTA: "quota of the model exhausted",
    _F.NOT_FOUND: "model not found",
    _F.TRANSIENT: "temporarily refused",
    _F.THROTTLE: "rate limited",
    _F.SERVER: "server error",
    _F.MISCONFIGURED: "redirected to another address",
    _F.PROTOCOL: "invalid response",
    _F.TOO_LARGE: "response too large",
    _F.CANCELLED: "cancelled",
    _F.CONNECTOR_BUG_UNSENT: "connector could not write the request",
    _F.CONNECTOR_BUG: "connector error",
}
"""Label of each failure class in messages and tables."""

_STATUS = {
    _F.CONNECT: None,
    _F.CREDENTIAL: 401,
    _F.PERMISSION: 403,
    _F.NOT_FOUND: 404,
    _F.THROTTLE: 429,
}
"""Status of a failure class, for places that know only the class, e.g. a circuit breaker."""

DAY_S, HOUR_S, MINUTE_S = 86400, 3600, 60
MAX_NAME_CHARS = 80
MAX_TEXT_CHARS = 300
_TEXT_READ = 4000


def label(failure: str, status: int | None = None, code: str | None = None) -> str:
    """Return the label of a failure with its status and code, if known: ``key rejected (401)``."""
    try:
        words = LABELS.get(FailureClass(failure), failure)
    except ValueError:
        words = failure
    facts = " ".join(str(fact) for fact in (status, code) if fact)
    return f"{words} ({facts})" if facts else words


def class_label(failure: FailureClass) -> str:
    """Return the label of a failure class without a particular response."""
    return label(failure.value, _STATUS.get(failure))


def human_duration(seconds: float) -> str:
    """Return a duration in at most two units, e.g. ``260 ms``, ``45 s``, ``4 min 20 s``, ``11 h 26 min``, ``2 d 3 h``."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10 and seconds != int(seconds):  # noqa: PLR2004 - a tenth matters below ten seconds
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, size, smaller, part in (("d", DAY_S, "h", HOUR_S), ("h", HOUR_S, "min", MINUTE_S), ("min", MINUTE_S, "s", 1)):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"


def moment(when: float, now: float) -> str:
    """Return a time of day in UTC, with the date if it is on another day. Both arguments are Unix seconds."""
    same_day = when // DAY_S == now // DAY_S
    return datetime.fromtimestamp(when, UTC).strftime("%H:%M UTC" if same_day else "%Y-%m-%d %H:%M UTC")


def wait(seconds: float, epoch_now: float | None = None) -> str:
    """Return a wait with its end, e.g. ``4 min 20 s (until 14:05 UTC)``. A wait below a minute has no end.

    Args:
        seconds: The wait.
        epoch_now: Current Unix seconds, ``None`` to leave out the end.
    """
    if epoch_now is None or seconds < MINUTE_S or not math.isfinite(seconds):
        return human_duration(seconds)
    return f"{human_duration(seconds)} (until {moment(epoch_now + seconds, epoch_now)})"


def dollars(amount: float) -> str:
    """Return an amount of USD with the necessary decimal places and without an exponent: ``$0.00001``, ``$0.02``, ``$12.50``."""
    if amount and abs(amount) < 0.01:  # noqa: PLR2004 - below a cent
        text = f"{amount:.9f}".rstrip("0")
        return f"${text}" if text.strip("-0.") else "$0.00"
    text = f"{amount:.6f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"


def nano_dollars(amount: int) -> str:
    """Return an amount of nano-USD in the format of :func:`dollars`."""
    return dollars(amount / NANO)


def quote_name(value: object) -> str:
    """Return a name of a caller or vendor for messages: its repr, cut if long."""
    text = str(value)
    return repr(text) if len(text) <= MAX_NAME_CHARS else f"{text[:MAX_NAME_CHARS]!r}… ({len(text)} characters)"


def one_line(text: str, most: int = MAX_TEXT_CHARS) -> str:
    """Return a text of another program for messages: one line, without control characters, cut if long."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[:_TEXT_READ]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 model``, ``3 models``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

"""First line of a final error: the failure that explains it, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from attrs import frozen

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.wording import human_duration

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt

_F = FailureClass

EXPLANATION_ORDER = (
    _F.CREDENTIAL,
    _F.PERMISSION,
    _F.QUOTA,
    _F.MISCONFIGURED,
    _F.CONNECTOR_BUG,
    _F.CONNECTOR_BUG_UNSENT,
    _F.CAPABILITY,
    _F.POLICY,
    _F.CALLER,
    _F.REFUSED,
    _F.TOO_LARGE,
    _F.NOT_FOUND,
    _F.MODEL_QUOTA,
    _F.THROTTLE,
    _F.CONNECT,
    _F.TIMEOUT,
    _F.DISCONNECT,
    _F.SERVER,
    _F.PROTOCOL,
    _F.TRANSIENT,
    _F.CANCELLED,
)
"""Order in which failures explain a final error: first those that the reader can repair, then those that end on their own.

Among failures of one class, the first attempt explains it.
"""

CONTEXT_LENGTH_CODE = "context_length_exceeded"
OVERLOADED = (503, 529)
_EXCEPTION = re.compile(r"^: (?:\w+(?:Error|Timeout|Exception): )?(?:\[Errno -?\d+\] )?")


@frozen
class Facts:
    """Parts of a headline.

    Attributes:
        provider: Key of the provider.
        model: The model.
        facts: Status and code in parentheses with a space before them, or empty.
        text: Message of the vendor with a colon before it, or empty.
        source: Where the key was read, ``None`` when unknown.
        address: Address of the request, ``None`` when unknown.
        took: Duration of the attempt as text.
        again: Time until the next attempt may succeed as text, empty when unknown.
        code: The vendor's code.
        status: HTTP status.
    """

    provider: str
    model: str
    facts: str
    text: str
    source: str | None
    address: str | None
    took: str
    again: str
    code: str | None
    status: int | None

    @property
    def key(self) -> str:
        """The key, named by its source."""
        return f"the key in {self.source}" if self.source else "the key"

    @property
    def later(self) -> str:
        """Start of an advice to retry."""
        return f"Retry in {self.again}" if self.again else "Retry later"


def explaining_attempt(attempts: Iterable[Attempt]) -> Attempt | None:
    """Return the attempt that explains a final error by :data:`EXPLANATION_ORDER`, ``None`` when none failed."""
    failed = [attempt for attempt in attempts if attempt.failure]
    return min(failed, key=lambda attempt: (_rank(attempt), attempt.number), default=None)


def _rank(attempt: Attempt) -> int:
    failure = FailureClass(str(attempt.failure))
    return EXPLANATION_ORDER.index(failure) if failure in EXPLANATION_ORDER else len(EXPLANATION_ORDER)


def headline(attempt: Attempt, source: str | None = None, again: str = "") -> str:
    """Return one line with the failure and an advice.

    Args:
        attempt: The failed attempt.
        source: Where the account's key was read.
        again: Time until a further request may succeed, for example ``26 s``. Empty when unknown.
    """
    failure = FailureClass(str(attempt.failure))
    message = (attempt.message or "").rstrip(" .:")
    facts = " ".join(str(fact) for fact in (attempt.status, attempt.code) if fact)
    line = _LINES.get(failure, _other)
    return line(
        Facts(
            attempt.provider_id,
            attempt.model_id,
            f" ({facts})" if facts else "",
            f": {message}" if message else "",
            source,
            attempt.address,
            human_duration((attempt.ms or 0.0) / 1000),
            again,
            attempt.code,
            attempt.status,
        )
    )


def key_advice(source: str | None, provider: str) -> str:
    """Return an advice to replace a key that a provider rejected."""
    if source is None:
        return f"Set a valid api_key for the provider {provider!r}."
    if source.isidentifier():
        return f"Set a valid key: export {source}=…"
    if source.startswith(("api_keys[", "providers[")):
        return f"Pass a valid key in {source}."
    return f"Correct the key at {source}."


def _credential(at: Facts) -> str:
    return f"{at.provider} rejected {at.key}{at.facts}{at.text}. {key_advice(at.source, at.provider)}"


def _permission(at: Facts) -> str:
    advice = f"Give the account of {at.key} access to it, or leave {at.model} out of the pool."
    return f"{at.provider} denied access to {at.model}{at.facts}{at.text}. {advice}"


def _quota(at: Facts) -> str:
    wait = f"wait {at.again}, " if at.again else ""
    advice = f"Add credit to the account of {at.key}, {wait}or add another provider."
    return f"{at.provider} has no quota left{at.facts}{at.text}. {advice}"


def _model_quota(at: Facts) -> str:
    return f"{at.provider} has no quota left for {at.model}{at.facts}{at.text}. {at.later}, or add another model to the pool."


def _misconfigured(at: Facts) -> str:
    return f"{at.provider} redirected to another address{at.facts}{at.text}. Correct base_url of the provider {at.provider!r}."


def _connector(at: Facts) -> str:
    return f"the connector of {at.provider} failed{at.text}."


def _capability(at: Facts) -> str:
    if at.code == CONTEXT_LENGTH_CODE:
        advice = "Shorten the messages, or add a model with a larger context window."
        return f"the request is too long for {at.provider}/{at.model}{at.facts}{at.text}. {advice}"
    advice = "Leave out what is not supported, or add a model that supports it."
    return f"{at.provider}/{at.model} does not support the request{at.facts}{at.text}. {advice}"


def _policy(at: Facts) -> str:
    return f"{at.provider} refused the request by its content policy{at.facts}{at.text}. Change the content of the request."


def _refused(at: Facts) -> str:
    return f"{at.provider} refused the request{at.facts}{at.text}. Correct the request."


def _not_found(at: Facts) -> str:
    advice = f"Correct the model's name, or leave {at.model} out of the pool."
    return f"{at.provider} does not have the model {at.model}{at.facts}{at.text}. {advice}"


def _throttle(at: Facts) -> str:
    what = "is overloaded" if at.status in OVERLOADED else f"limited the rate of requests to {at.model}"
    return f"{at.provider} {what}{at.facts}{at.text}. {at.later}, or add another provider."


def _connect(at: Facts) -> str:
    where = f" at {at.address}" if at.address else ""
    advice = "Check the network, the proxy (HTTPS_PROXY) and base_url."
    return f"cannot connect to {at.provider}{where}{_EXCEPTION.sub(': ', at.text)}. {advice}"


def _timeout(at: Facts) -> str:
    advice = "Retry, raise the timeout, or add another provider."
    return f"{at.provider}/{at.model} timed out after {at.took}{at.text}. {advice}"


def _disconnect(at: Facts) -> str:
    return f"{at.provider} closed the connection before the answer{at.text}. Retry; the vendor may charge for the attempt."


def _server(at: Facts) -> str:
    return f"{at.provider} failed{at.facts}{at.text}. {at.later}, or add another provider."


def _protocol(at: Facts) -> str:
    text = at.text.replace(": the provider answered, but ", ": ")
    return f"{at.provider}/{at.model} returned an invalid response{at.facts}{text}. Retry, or add another provider."


def _transient(at: Facts) -> str:
    return f"{at.provider} refused the request for the moment{at.facts}{at.text}. {at.later}."


def _other(at: Facts) -> str:
    return f"{at.provider}/{at.model} failed{at.facts}{at.text}. Retry, or add another provider."


_LINES: dict[FailureClass, Callable[[Facts], str]] = {
    _F.CREDENTIAL: _credential,
    _F.PERMISSION: _permission,
    _F.QUOTA: _quota,
    _F.MODEL_QUOTA: _model_quota,
    _F.MISCONFIGURED: _misconfigured,
    _F.CONNECTOR_BUG: _connector,
    _F.CONNECTOR_BUG_UNSENT: _connector,
    _F.CAPABILITY: _capability,
    _F.POLICY: _policy,
    _F.CALLER: _refused,
    _F.REFUSED: _refused,
    _F.NOT_FOUND: _not_found,
    _F.THROTTLE: _throttle,
    _F.CONNECT: _connect,
    _F.TIMEOUT: _timeout,
    _F.DISCONNECT: _disconnect,
    _F.SERVER: _server,
    _F.PROTOCOL: _protocol,
    _F.TRANSIENT: _transient,
}

"""Everything that ModelMesh raises.

::

    ModelMeshError                          message, details, retryable
    ├ ConfigurationError                    the caller's configuration (also ValueError); where: file:line:column
    │ ├ NoProvidersError                    nothing was detected (also RuntimeError)
    │ └ SecretNotFoundError                 a reference that no store can answer (also KeyError)
    ├ ConnectorError                        a plugin; connector_id, distribution
    │ ├ UnknownConnectorError               no installed distribution has the ID (also ConfigurationError)
    │ ├ DuplicateConnectorError             two distributions have it
    │ └ ConnectorLoadError                  it is installed and cannot be used
    ├ RoutingError                          pool_name
    │ ├ NoActiveModelError                  every model of the pool is in standby; retry_after when known
    │ ├ SessionModelUnavailableError        the model of a conversation, which may not move; retry_after when known
    │ ├ CapabilityNotFoundError             no pool serves the name (also KeyError)
    │ └ AllProvidersExhaustedError          every attempt failed; attempts, last_error
    ├ ProviderError                         one vendor's answer; provider_id, model_id, status, code, request_id
    │ ├ AuthenticationError                 401, 403: the account's key, not the caller's
    │ ├ RateLimitError                      429; retry_after when known
    │ │ └ QuotaExceededError                the account or the model is used up
    │ ├ ProviderTimeoutError                a deadline passed; timeout_seconds
    │ ├ ProviderConnectionError             refused, reset, DNS, TLS
    │ ├ BadRequestError                     400, 422: the request itself; body is the vendor's own
    │ ├ ModelNotFoundError                  404: the vendor does not know the model
    │ ├ ProviderServerError                 5xx
    │ ├ BadUpstreamResponseError            an answer that is no answer
    │ ├ StreamInterruptedError              after content; partial_text, partial_tool_calls, usage
    │ ├ ProviderInitError                   the provider could not be made ready
    │ └ BrokenConnectorError                the connector's own mistake (also ConnectorError); place: file:line
    ├ StorageError                          a store of state failed; connector_id, key
    │ ├ StorageConflictError                the entry is not the version that was read
    │ └ StorageLockError                    somebody else held the lock (also TimeoutError)
    └ BudgetExceededError                   limit_type, limit_value, actual_value

The final error of a request also is of the kind its attempts had in common: when every attempt was rate limited,
``except RateLimitError`` catches it.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.failures import Billed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh._engine.foundation.failures import FailureClass

__all__ = [
    "AllProvidersExhaustedError",
    "AuthenticationError",
    "BadRequestError",
    "BadUpstreamResponseError",
    "BrokenConnectorError",
    "BudgetExceededError",
    "CapabilityNotFoundError",
    "ConfigurationError",
    "ConnectorError",
    "ConnectorLoadError",
    "DuplicateConnectorError",
    "ModelMeshError",
    "ModelNotFoundError",
    "NoActiveModelError",
    "NoAvailableModelError",
    "NoProvidersError",
    "ProviderConnectionError",
    "ProviderError",
    "ProviderInitError",
    "ProviderServerError",
    "ProviderTimeoutError",
    "QuotaExceededError",
    "RateLimitError",
    "RoutingError",
    "SecretNotFoundError",
    "SessionModelUnavailableError",
    "StorageConflictError",
    "StorageError",
    "StorageLockError",
    "StreamInterruptedError",
    "UnknownConnectorError",
]


class ModelMeshError(Exception):
    """Root of the tree.

    Attributes:
        message: What happened, where, why, and what to do next.
        details: The same facts as data.
        retryable: Whether the same call may succeed later without a change.
    """

    retryable = False

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = facts.pop("details", None) or {}
        for name, value in facts.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        return self.message  # KeyError, a base of some, would show the repr

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (_named_class(type(self)), self.message, self.__dict__))


# -- configuration --------------------------------------------------------------------------------------------------


class ConfigurationError(ModelMeshError, ValueError):
    """The configuration cannot be used as it stands.

    Attributes:
        where: ``file:line:column`` or the dotted path of the key, when known.
    """

    where: str | None = None


class NoProvidersError(ConfigurationError, RuntimeError):
    """Auto-detection found no provider to use."""


class SecretNotFoundError(ConfigurationError, KeyError):
    """A secret reference that the configured store cannot answer."""


# -- plugins --------------------------------------------------------------------------------------------------------


class ConnectorError(ModelMeshError):
    """Something is wrong with a plugin.

    Attributes:
        connector_id: The ID that was asked for.
        distribution: The installed distribution that provides it, when there is one.
    """

    connector_id: str = ""
    distribution: str | None = None


class UnknownConnectorError(ConnectorError, ConfigurationError):
    """No installed distribution provides the ID."""


class DuplicateConnectorError(ConnectorError):
    """More than one distribution provides the ID; the message names them."""


class ConnectorLoadError(ConnectorError):
    """The connector is installed and cannot be imported or built."""


# -- routing --------------------------------------------------------------------------------------------------------


class RoutingError(ModelMeshError):
    """The mesh could not serve a request.

    Attributes:
        pool_name: The pool that was asked.
    """

    pool_name: str = ""


class NoActiveModelError(RoutingError):
    """Every model of the pool is in standby, or none can do what the request needs."""

    retryable = True


class SessionModelUnavailableError(RoutingError):
    """The model that a conversation is kept on cannot be asked, and the conversation may not move to another.

    Attributes:
        provider_id: The model's provider key.
        model_id: The model.
    """

    retryable = True
    provider_id: str = ""
    model_id: str = ""


class CapabilityNotFoundError(RoutingError, KeyError):
    """No pool serves the capability or model name."""


class AllProvidersExhaustedError(RoutingError):
    """Every attempt failed.

    Attributes:
        attempts: One record for each attempt, in order.
        last_error: What the last attempt ended with.
    """

    attempts: Sequence[Attempt] = ()
    last_error: ProviderError | None = None


# -- providers ------------------------------------------------------------------------------------------------------


class ProviderError(ModelMeshError):
    """A vendor did not answer, or answered that it will not.

    Attributes:
        provider_id: The provider's key in the configuration.
        model_id: The model that was asked.
        failure: The class of failure, which decides what the mesh does next.
        status: HTTP status, when there was one.
        code: The vendor's own error code, when it gave one.
        request_id: The vendor's request ID, for its support desk.
        body: The vendor's error body, decoded, with the account's key blanked.
        billed: Whether the vendor may charge for the attempt: ``yes``, ``no`` or ``unknown``.
        upstream_delay_s: Seconds the vendor asked to wait; ``None`` when it did not say.
        feature: The parameter that the model does not support, when the vendor named one.
        too_long: Whether the request exceeds the model's context window, so that only a larger window can take it.
        should_retry: What the vendor said of asking the same model again; ``None`` when it did not say.
        adapted: What had been dropped or renamed for the vendor, or would have had to be.
        usage: What the attempt took all the same, in OpenAI's words, where the vendor said; else ``None``.
        reason: The vendor's own message, or why a connection failed: one line without keys, at most 300 characters;
            ``None`` when ``message`` says it.
        address: Where the request was sent, without path and credentials, when it could not be delivered.
    """

    provider_id: str = ""
    model_id: str = ""
    failure: FailureClass
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    body: Any = None
    billed: Billed = Billed.NO
    upstream_delay_s: float | None = None
    feature: str | None = None
    too_long: bool = False
    should_retry: bool | None = None
    adapted: Sequence[str] = ()
    usage: Mapping[str, Any] | None = None
    reason: str | None = None
    address: str | None = None
    attempts: Sequence[Attempt] = ()


class AuthenticationError(ProviderError):
    """The vendor refuses the account's key."""


class RateLimitError(ProviderError):
    """The vendor asks to slow down. ``retry_after`` (seconds) is set when the vendor or the circuit knows it."""

    retryable = True


class QuotaExceededError(RateLimitError):
    """The account is used up, or the model; waiting a moment will not help."""

    retryable = False


class ProviderTimeoutError(ProviderError):
    """A deadline passed.

    Attributes:
        timeout_seconds: The limit that was exceeded, in seconds.
    """

    retryable = True
    timeout_seconds: float | None = None


class ProviderConnectionError(ProviderError):
    """No connection, or one that broke before the answer began."""

    retryable = True


class BadRequestError(ProviderError):
    """The request itself is wrong; no other provider is asked."""


class ModelNotFoundError(ProviderError):
    """The vendor does not know the model."""


class ProviderServerError(ProviderError):
    """The vendor failed."""

    retryable = True


class BadUpstreamResponseError(ProviderError):
    """The vendor's answer is not an answer: not JSON, cut short, empty, or an error dressed as success."""

    retryable = True


class StreamInterruptedError(ProviderError):
    """A stream broke after content was handed over. Nothing is ever continued by another model.

    Attributes:
        partial_text: The text that was received before the break.
        partial_tool_calls: Tool calls received so far; their arguments may be cut and must not be executed.
        usage: Token usage if the vendor had already reported it, else ``None``.
    """

    retryable = True
    partial_text: str = ""
    partial_tool_calls: Sequence[Mapping[str, Any]] = ()


class ProviderInitError(ProviderError):
    """The provider could not be made ready, e.g. its list of models could not be read."""


class BrokenConnectorError(ProviderError, ConnectorError):
    """The connector's own mistake ended the attempt; the vendor is not to blame, and neither is the caller.

    Attributes:
        place: ``file:line`` in the connector's code.
    """

    place: str = ""


# -- storage --------------------------------------------------------------------------------------------------------


class StorageError(ModelMeshError):
    """A store of state cannot do what it was asked, or what it holds cannot be read.

    Attributes:
        connector_id: The store's ID.
        key: The key it was asked for, ``None`` when it was about none.
    """

    connector_id: str = ""
    key: str | None = None


class StorageConflictError(StorageError):
    """The entry is not the version that was read; nothing was written."""

    retryable = True


class StorageLockError(StorageError, TimeoutError):
    """Somebody else held the lock for as long as was waited."""

    retryable = True


# -- money ----------------------------------------------------------------------------------------------------------


class BudgetExceededError(ModelMeshError):
    """A spending limit would be broken.

    Attributes:
        limit_type: ``per_request``, ``daily`` or ``monthly``.
        limit_value: The limit, USD.
        actual_value: What it would have come to, USD.
    """

    limit_type: str = ""
    limit_value: float | None = None
    actual_value: float | None = None


# -- errors of two kinds --------------------------------------------------------------------------------------------


def also(base: type[ModelMeshError], kind: type[ModelMeshError]) -> type[ModelMeshError]:
    """Return a class that is both ``base`` and ``kind``, and reads as ``base``; the same one each time."""
    if issubclass(base, kind):
        return base
    known = _both.get((base, kind))
    if known is None:
        known = _both[base, kind] = _made_of(base, kind)
    return known


_both: dict[tuple[type[ModelMeshError], type[ModelMeshError]], type[ModelMeshError]] = {}


def _made_of(base: type[ModelMeshError], kind: type[ModelMeshError]) -> type[ModelMeshError]:
    made_of = (*_named_class(base), *_named_class(kind))
    return type(base.__name__, (base, kind), {"__module__": base.__module__, "__doc__": base.__doc__, "_made_of": made_of})


def _named_class(cls: type[ModelMeshError]) -> tuple[type[ModelMeshError], ...]:
    return cls.__dict__.get("_made_of") or (cls,)


def _rebuild(classes: tuple[type[ModelMeshError], ...], message: str, state: dict[str, Any]) -> ModelMeshError:
    cls = reduce(also, classes)
    error = cls(message)
    error.__dict__.update(state)
    return error


NoAvailableModelError = NoActiveModelError

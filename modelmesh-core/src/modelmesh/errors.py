"""Exceptions of ModelMesh.

::

    ModelMeshError                          message, details, retryable
    ├ ConfigurationError                    an invalid configuration (also ValueError): where
    │ ├ NoProvidersError                    auto-detection found no provider (also RuntimeError)
    │ └ SecretNotFoundError                 a secret reference without a value (also KeyError)
    ├ ConnectorError                        an error of a plugin: connector_id, distribution
    │ ├ UnknownConnectorError               no installed distribution provides the ID (also ConfigurationError)
    │ ├ DuplicateConnectorError             two distributions provide the ID
    │ └ ConnectorLoadError                  an installed connector cannot be loaded
    ├ RoutingError                          a request without a response: pool_name
    │ ├ NoActiveModelError                  every model of the pool is in standby: retry_after when known
    │ ├ SessionModelUnavailableError        a conversation's model is unavailable: retry_after when known
    │ ├ CapabilityNotFoundError             no pool serves the name (also KeyError)
    │ ├ ModelNotAllowedError                the caller's token does not permit the pool or the account
    │ └ AllProvidersExhaustedError          every attempt failed: attempts, last_error
    ├ ProviderError                         one failed attempt: provider_id, model_id, status, code, request_id
    │ ├ AuthenticationError                 401, 403: the vendor rejects the account's key
    │ ├ RateLimitError                      429: retry_after when known
    │ │ └ QuotaExceededError                the quota of the account or model is exhausted
    │ ├ ProviderTimeoutError                a deadline passed: timeout_seconds
    │ ├ ProviderConnectionError             refused, reset, DNS, TLS
    │ ├ BadRequestError                     400, 422: an invalid request: body
    │ ├ ModelNotFoundError                  404: the vendor does not offer the model
    │ ├ ProviderServerError                 5xx
    │ ├ BadUpstreamResponseError            an invalid response
    │ │ └ ResponseTooLargeError             the request asks for more than one response may hold
    │ ├ StreamInterruptedError              a break after content: partial_text, partial_tool_calls, usage
    │ ├ ProviderInitError                   the provider could not be initialized
    │ └ BrokenConnectorError                a bug in the connector (also ConnectorError): place
    ├ StorageError                          a failed state store: connector_id, key
    │ ├ StoreUnavailableError               counts cannot be shared, and a budget requires it: retry_after
    │ ├ StorageConflictError                another process changed the entry
    │ └ StorageLockError                    another process holds the lock (also TimeoutError)
    ├ BudgetExceededError                   a spending limit: limit_type, limit_value, actual_value, caller
    └ CallerRateLimitError                  requests or tokens a minute of the caller: caller, limit, retry_after

The final error of a request is also of the type that its attempts have in common. If every attempt was rate limited,
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
    "CallerRateLimitError",
    "CapabilityNotFoundError",
    "ConfigurationError",
    "ConnectorError",
    "ConnectorLoadError",
    "DuplicateConnectorError",
    "ModelMeshError",
    "ModelNotAllowedError",
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
    "ResponseTooLargeError",
    "RoutingError",
    "SecretNotFoundError",
    "SessionModelUnavailableError",
    "StorageConflictError",
    "StorageError",
    "StorageLockError",
    "StoreUnavailableError",
    "StreamInterruptedError",
    "UnknownConnectorError",
]


class ModelMeshError(Exception):
    """Base class of all errors.

    Attributes:
        message: What failed, where, why, and what to do.
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
        return self.message  # KeyError, a base of some classes, would return the repr

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (_named_class(type(self)), self.message, self.__dict__))


# -- configuration --------------------------------------------------------------------------------------------------


class ConfigurationError(ModelMeshError, ValueError):
    """The configuration is invalid.

    Attributes:
        where: ``file:line:column`` or the dotted path of the key, when known.
    """

    where: str | None = None


class NoProvidersError(ConfigurationError, RuntimeError):
    """Auto-detection found no provider."""


class SecretNotFoundError(ConfigurationError, KeyError):
    """The configured store has no value for a secret reference."""


# -- plugins --------------------------------------------------------------------------------------------------------


class ConnectorError(ModelMeshError):
    """An error of a plugin.

    Attributes:
        connector_id: The requested ID.
        distribution: The installed distribution that provides it, if any.
    """

    connector_id: str = ""
    distribution: str | None = None


class UnknownConnectorError(ConnectorError, ConfigurationError):
    """No installed distribution provides the ID."""


class DuplicateConnectorError(ConnectorError):
    """More than one distribution provides the ID. The message names them."""


class ConnectorLoadError(ConnectorError):
    """An installed connector cannot be imported or created."""


# -- routing --------------------------------------------------------------------------------------------------------


class RoutingError(ModelMeshError):
    """The mesh could not serve a request.

    Attributes:
        pool_name: Name of the requested pool.
    """

    pool_name: str = ""


class NoActiveModelError(RoutingError):
    """Every model of the pool is in standby, or none meets the requirements of the request."""

    retryable = True


class SessionModelUnavailableError(RoutingError):
    """The model of a conversation is unavailable, and the conversation may not move to another model.

    Attributes:
        provider_id: The model's provider key.
        model_id: The model.
    """

    retryable = True
    provider_id: str = ""
    model_id: str = ""


class CapabilityNotFoundError(RoutingError, KeyError):
    """No pool serves the capability or model name."""


class ModelNotAllowedError(RoutingError):
    """The token of the caller does not permit the pool, the model or the operation.

    Attributes:
        caller: Name of the caller.
    """

    caller: str = ""


class AllProvidersExhaustedError(RoutingError):
    """Every attempt failed.

    Attributes:
        attempts: Records of the attempts, in order.
        last_error: Error of the last attempt.
    """

    attempts: Sequence[Attempt] = ()
    last_error: ProviderError | None = None


# -- providers ------------------------------------------------------------------------------------------------------


class ProviderError(ModelMeshError):
    """An attempt at one provider failed.

    Attributes:
        provider_id: The provider's key in the configuration.
        model_id: The model.
        failure: The failure class, which determines the next step of the mesh.
        status: HTTP status, if any.
        code: The vendor's error code, if any.
        request_id: The vendor's request ID, for its support desk.
        body: The vendor's decoded error body, with the account's key redacted.
        billed: Whether the vendor may charge for the attempt: ``yes``, ``no`` or ``unknown``.
        upstream_delay_s: Delay in seconds that the vendor stated, else ``None``.
        feature: Name of the parameter that the model does not support, if the vendor named one.
        too_long: Whether the request exceeds the model's context window, so that only a larger window is sufficient.
        should_retry: Whether the vendor permits a retry at the same model, ``None`` when unknown.
        adapted: Parameters that were dropped, renamed or converted for the vendor, or would have to be.
        usage: Token usage of the attempt in OpenAI's format, if the vendor reported it.
        reason: The vendor's message, or the cause of a connection failure: one line without keys, at most 300
            characters. ``None`` when ``message`` contains it.
        address: Destination of a request that could not be delivered, without path and credentials.
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
    """The vendor rejects the account's key."""


class RateLimitError(ProviderError):
    """Too many requests. ``retry_after`` (seconds) is set when the vendor or the circuit breaker states it."""

    retryable = True


class QuotaExceededError(RateLimitError):
    """The quota of the account or of the model is exhausted. A short wait does not help."""

    retryable = False


class ProviderTimeoutError(ProviderError):
    """A deadline passed.

    Attributes:
        timeout_seconds: The limit that was exceeded, in seconds.
    """

    retryable = True
    timeout_seconds: float | None = None


class ProviderConnectionError(ProviderError):
    """No connection, or a connection that broke before the response began."""

    retryable = True


class BadRequestError(ProviderError):
    """The request itself is invalid. It does not fail over to other providers."""


class ModelNotFoundError(ProviderError):
    """The vendor does not offer the model."""


class ProviderServerError(ProviderError):
    """The vendor's server failed."""

    retryable = True


class BadUpstreamResponseError(ProviderError):
    """The vendor's response is invalid: not JSON, truncated, empty, or an error with a success status."""

    retryable = True


class ResponseTooLargeError(BadUpstreamResponseError):
    """The response is larger than the limit of its operation, because the request asks for so much. A retry has the same size."""

    retryable = False


class StreamInterruptedError(ProviderError):
    """A stream broke after the caller received content. No other model continues it.

    Attributes:
        partial_text: Text received before the break.
        partial_tool_calls: Tool calls received before the break. Their arguments may be truncated and must not be executed.
        usage: Token usage, if the vendor had reported it.
    """

    retryable = True
    partial_text: str = ""
    partial_tool_calls: Sequence[Mapping[str, Any]] = ()


class ProviderInitError(ProviderError):
    """The provider could not be initialized, e.g. its list of models could not be read."""


class BrokenConnectorError(ProviderError, ConnectorError):
    """A bug in the connector ended the attempt, not the vendor or the caller.

    Attributes:
        place: ``file:line`` in the connector's code.
    """

    place: str = ""


# -- storage --------------------------------------------------------------------------------------------------------


class StorageError(ModelMeshError):
    """An operation of a state store failed, or its content cannot be read.

    Attributes:
        connector_id: ID of the store's connector.
        key: Key of the entry, ``None`` when the operation has none.
    """

    connector_id: str = ""
    key: str | None = None


class StoreUnavailableError(StorageError):
    """The store that shares counts does not reply, and the configuration refuses requests that a budget limits meanwhile.

    ``retry_after`` (seconds) is set.
    """

    retryable = True


class StorageConflictError(StorageError):
    """The entry changed after it was read. Nothing was written."""

    retryable = True


class StorageLockError(StorageError, TimeoutError):
    """Another process held the lock during the whole wait."""

    retryable = True


# -- money ----------------------------------------------------------------------------------------------------------


class BudgetExceededError(ModelMeshError):
    """A request would exceed a spending limit.

    Attributes:
        limit_type: ``per_request``, ``daily``, ``monthly`` or ``total``.
        limit_value: The limit, USD.
        actual_value: Total with this request, USD.
        caller: The token or team that the limit belongs to, empty for any other limit. With one, ``retry_after`` (seconds) is
            set unless the budget never resets.
    """

    limit_type: str = ""
    limit_value: float | None = None
    actual_value: float | None = None
    caller: str = ""


class CallerRateLimitError(ModelMeshError):
    """The caller has used its requests or tokens of a minute. ``retry_after`` is set, in seconds.

    Attributes:
        caller: The token or team that the limit belongs to.
        limit: The limit, e.g. ``60 requests a minute``.
    """

    retryable = True
    caller: str = ""
    limit: str = ""


# -- errors of two types --------------------------------------------------------------------------------------------


def combined_error_class(base: type[ModelMeshError], kind: type[ModelMeshError]) -> type[ModelMeshError]:
    """Return a class that derives from both and has the name of ``base``. Each pair has one class."""
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
    cls = reduce(combined_error_class, classes)
    error = cls(message)
    error.__dict__.update(state)
    return error


NoAvailableModelError = NoActiveModelError

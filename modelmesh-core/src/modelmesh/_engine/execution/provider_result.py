"""Validation of what a provider's ``send``/``asend`` returns or raises.

A connector that breaks its contract gets a :class:`BrokenConnectorError` with its source location. The flow treats that error as
a failure of the attempt, so another candidate can serve the request.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.plugins import attribution
from modelmesh.contracts.provider import Answer
from modelmesh.errors import BrokenConnectorError, ProviderError

_log = logging.getLogger("modelmesh.connectors")
_logged: set[tuple[str, str]] = set()
_STREAM = ("headers", "adapted", "commit")


def to_provider_error(provider: Any, error: Exception) -> ProviderError:
    """Return the failure of an attempt: the connector's own error, or a contract violation for every other exception."""
    if isinstance(error, ProviderError):
        if isinstance(getattr(error, "failure", None), FailureClass):
            return without_frames(_log_once(error) if isinstance(error, BrokenConnectorError) else error)
        rule = (
            f"raised an error without a class of failure ({attribution.summarize(error, provider)}). State the class: "
            "ProviderError(message, failure=FailureClass.SERVER), or modelmesh_cdk.provider.provider_errors.failure(…)."
        )
        return _log_once(
            attribution.connector_bug(provider, rule, attribution.locate_exception(error, provider), cause=type(error).__name__)
        )
    return _log_once(attribution.unexpected_exception(provider, error))


def require_answer(provider: Any, method: str, reply: Any) -> Answer | ProviderError:
    """Return the reply if it is an :class:`Answer`, else the error of the connector that returned something else."""
    if isinstance(reply, Answer):
        return reply
    right = "modelmesh.contracts.Answer(body), or an open stream when call.stream"
    rule = f"returned {_kind(reply)} from {method}(). It must return {right}."
    return _log_once(attribution.connector_bug(provider, rule, attribution.locate_method(provider, method)))


def stream_error(provider: Any, method: str, reply: Any) -> ProviderError | None:
    """Return the error of a reply to a streaming call that lacks a member of a stream, ``None`` if it lacks none."""
    required = (*_STREAM, "close", "__iter__") if method == "send" else (*_STREAM, "aclose", "__aiter__")
    lacking = [name for name in required if not hasattr(reply, name)]
    if not lacking:
        return None
    rule = (
        f"returned {_kind(reply)} from {method}() for a call that streams; it lacks {', '.join(lacking)}. A stream must have "
        f"{', '.join(required)}: see modelmesh.contracts.EventStream."
    )
    return _log_once(attribution.connector_bug(provider, rule, attribution.locate_method(provider, method)))


def without_frames(error: ProviderError) -> ProviderError:
    """Remove the traceback of an error: the locals of its frames hold headers with API keys."""
    error.__traceback__ = error.__context__ = None
    return error


def _kind(value: Any) -> str:
    if inspect.iscoroutine(value):
        value.close()  # it is never awaited
        return "a coroutine"
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _log_once(error: BrokenConnectorError) -> BrokenConnectorError:
    """Log a contract violation once for each place. Failover to another model would hide it otherwise."""
    key = (error.connector_id, error.place)
    if key not in _logged:
        _logged.add(key)
        _log.warning("%s", error.message)
    return error

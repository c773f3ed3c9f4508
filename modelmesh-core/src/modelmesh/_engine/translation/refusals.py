"""Errors of requests that cannot be translated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh.errors import BadRequestError


def listed(given: Mapping[str, Any], name: str) -> Sequence[Any]:
    """Return a parameter that is a list, an empty one without the parameter.

    Raises:
        BadRequestError: The parameter is not a list.
    """
    value = given.get(name)
    if isinstance(value, list | tuple):
        return value
    if value is None:
        return ()
    raise refused(name, f"is {type(value).__name__}, not a list", f"Give {name}=[…]")


def refused(what: str, why: str, instead: str) -> BadRequestError:
    """Return the error of a request that was not sent.

    Args:
        what: Parameter or part of the request.
        why: Reason, which completes "X …".
        instead: What the caller can do, a sentence without a full stop.
    """
    message = f"{what} {why}. Nothing was sent. {instead}."
    return BadRequestError(message, failure=FailureClass.CALLER, status=400, details={"param": what})

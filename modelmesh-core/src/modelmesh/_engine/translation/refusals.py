"""Errors of requests that cannot be translated."""

from __future__ import annotations

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh.errors import BadRequestError


def refused(what: str, why: str, instead: str) -> BadRequestError:
    """Return the error of a request that was not sent.

    Args:
        what: Parameter or part of the request.
        why: Reason, which completes "X …".
        instead: What the caller can do, a sentence without a full stop.
    """
    message = f"{what} {why}. Nothing was sent. {instead}."
    return BadRequestError(message, failure=FailureClass.CALLER, status=400, details={"param": what})

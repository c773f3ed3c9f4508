"""Failures of an exchange over HTTP/1.1, with the texts of the transport over httpx2."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.interfaces import Deadline, TransportError, TransportTimeoutError


class InvalidResponseError(Exception):
    """The bytes of the server are no complete HTTP/1.1 response."""


def not_sent(reason: str) -> TransportError:
    """Return the error of a request of which the server received nothing."""
    return TransportError(FailureClass.CONNECT, reason)


def before_headers(error: Exception, deadline: Deadline) -> TransportError:
    """Return the error of an exchange that ended before the headers of a response.

    Args:
        error: A :class:`TransportError`, which is returned unchanged, a ``TimeoutError``, another ``OSError`` or
            :class:`InvalidResponseError`.
        deadline: Deadline of the exchange.
    """
    if isinstance(error, TransportError):
        return error
    if isinstance(error, TimeoutError):
        return TransportTimeoutError(
            "headers", deadline.phase if deadline.passed else deadline.gap, "no headers came within the limit"
        )
    return TransportError(FailureClass.DISCONNECT, _describe(error))


def in_body(error: Exception, deadline: Deadline) -> TransportError:
    """Return the error of an exchange that ended in the body of its response. The arguments are as above."""
    if isinstance(error, TransportError):
        return error
    if isinstance(error, TimeoutError):
        if deadline.passed:
            return TransportTimeoutError(*deadline.limit, "the answer was not there within the limit")
        return TransportTimeoutError("gap", deadline.gap, f"no byte came for {deadline.gap:g} s")
    return TransportError(FailureClass.PROTOCOL, f"the connection broke in the middle of the answer ({_describe(error)})")


def _describe(error: Exception) -> str:
    kind = "RemoteProtocolError" if isinstance(error, InvalidResponseError) else "ReadError"
    return f"{kind}: {error}" if str(error) else kind

"""Requests, responses and errors of an HTTP library as those of a transport. httpcore2, httpx2 and httpx have equal names."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.interfaces import Deadline, TransportError, TransportTimeoutError


class LibraryErrors:
    """Errors of one library.

    Attributes:
        of_exchange: Errors of an exchange, with those of its socket.
    """

    def __init__(self, module: ModuleType, *of_exchange: type[Exception]) -> None:
        """Read the names of an imported module."""
        library: Any = module
        self.of_exchange: tuple[type[Exception], ...] = (*of_exchange, OSError)
        self._not_sent = (
            library.ConnectError,
            library.ConnectTimeout,
            library.PoolTimeout,
            library.ProxyError,
            library.UnsupportedProtocol,
            getattr(library, "InvalidURL", library.ConnectError),  # httpcore2 parses no text
        )
        self._timeout: type[Exception] = library.TimeoutException
        self._local_protocol_error: type[Exception] = library.LocalProtocolError

    def before_headers(self, error: Exception, deadline: Deadline) -> TransportError:
        """Return the error of an exchange without response headers."""
        if isinstance(error, self._not_sent):
            return TransportError(FailureClass.CONNECT, _describe_error(error))
        if isinstance(error, self._timeout):
            return TransportTimeoutError(
                "headers", deadline.phase if deadline.passed else deadline.gap, "no headers came within the limit"
            )
        if isinstance(error, self._local_protocol_error):
            # The library quotes the illegal value, which may be a key.
            return TransportError(FailureClass.CONNECT, re.sub(r" b(?=['\"]).*", "", _describe_error(error), flags=re.DOTALL))
        return TransportError(FailureClass.DISCONNECT, _describe_error(error))

    def in_body(self, error: Exception, deadline: Deadline) -> TransportError:
        """Return the error of a body that was interrupted."""
        if isinstance(error, self._timeout):
            if deadline.passed:
                return TransportTimeoutError(*deadline.limit, "the answer was not there within the limit")
            return TransportTimeoutError("gap", deadline.gap, f"no byte came for {deadline.gap:g} s")
        return TransportError(
            FailureClass.PROTOCOL, f"the connection broke in the middle of the answer ({_describe_error(error)})"
        )


def _describe_error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def closed_transport() -> TransportError:
    """Return the error of a request over a closed transport."""
    return TransportError(FailureClass.CONNECT, "the transport is closed")


def request_extensions(deadline: Deadline) -> dict[str, Any]:
    """Return the extensions of a request: its timeouts."""
    gap = deadline.gap
    return {"timeout": {"connect": gap, "read": gap, "write": gap, "pool": gap}}


def request_headers(headers: Sequence[tuple[str, str]], host: bytes, method: str, size: int) -> list[tuple[bytes, bytes]]:
    """Return the headers of a request as bytes, with the host and the length of the body.

    Raises:
        TransportError: A header has characters that no header can contain.
    """
    found = [(b"Host", host)]
    try:
        found.extend((name.encode("ascii"), value.encode("latin-1")) for name, value in headers)
    except UnicodeEncodeError:
        raise TransportError(FailureClass.CONNECT, "LocalProtocolError: Illegal header") from None
    if size or method == "POST":
        found.append((b"Content-Length", b"%d" % size))
    return found


def response_headers(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Return the headers of a response, names in lower case. Values of a repeated header are joined."""
    found: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def interrupt(extensions: Mapping[str, Any]) -> None:
    """End the read of a response in another thread. Closing the socket would not wake that thread.

    Args:
        extensions: Extensions of the response.
    """
    import socket  # noqa: PLC0415 - create() loads this module, and opens no socket

    connection: Any = extensions.get("network_stream")
    below = connection.get_extra_info("socket") if connection is not None else None
    if below is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(below, socket.SHUT_RDWR)  # SSLSocket.shutdown would drop the TLS state

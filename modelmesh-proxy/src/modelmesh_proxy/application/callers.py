"""Identification of the caller of a request."""

from __future__ import annotations

from typing import Protocol

from modelmesh.contracts.caller import Caller

__all__ = ["Authenticator", "Caller"]


class Authenticator(Protocol):
    """Identifies the callers of requests."""

    def authenticate(self, credential: str | None, peer: str | None) -> Caller | None:
        """Return the caller of a request, ``None`` without a valid credential.

        Args:
            credential: The token of the request, ``None`` without one.
            peer: Address of the peer, ``None`` when unknown.
        """
        ...

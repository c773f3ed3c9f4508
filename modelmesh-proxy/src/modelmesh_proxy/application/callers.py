"""Identification of the caller of a request."""

from __future__ import annotations

from hmac import compare_digest
from typing import Protocol

from modelmesh.contracts.caller import Caller
from modelmesh_proxy.tokens.token_text import digest_of

__all__ = ["Authenticator", "Caller", "FlagToken"]


class Authenticator(Protocol):
    """Identifies the callers of requests by their tokens."""

    @property
    def has_tokens(self) -> bool:
        """Whether any token exists. Without one, the guard accepts every caller."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether every token is known. Otherwise an unknown one may be valid."""
        ...

    def authenticate(self, credential: str | None, peer: str | None) -> Caller | None:
        """Return the caller of a request, ``None`` without a valid credential.

        Args:
            credential: The token of the request, ``None`` without one.
            peer: Address of the peer, ``None`` when unknown.
        """
        ...


class FlagToken:
    """The token of ``--token``, which permits everything. Compared as a digest, in constant time."""

    def __init__(self, token: str | None) -> None:
        """Initialize.

        Args:
            token: The token, ``None`` without one.
        """
        self._digest = None if token is None else digest_of(token)
        self._caller = Caller("--token", is_admin=True)

    @property
    def has_tokens(self) -> bool:
        """Whether there is a token."""
        return self._digest is not None

    @property
    def is_complete(self) -> bool:
        """Always true."""
        return True

    def authenticate(self, credential: str | None, peer: str | None) -> Caller | None:
        """Return the administrator for the token, ``None`` for any other credential."""
        _ = peer
        if self._digest is None or credential is None:
            return None
        return self._caller if compare_digest(digest_of(credential), self._digest) else None

"""The caller of a request, as the guard identified it."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen


@frozen
class Caller:
    """The application that sent a request.

    Attributes:
        name: Name of its token, ``""`` while no token exists.
        is_admin: Whether it may administer the proxy.
        pools: Pools that it may use, ``None`` for all.
        team: Team of its token, ``None`` without one.
    """

    name: str = ""
    is_admin: bool = False
    pools: frozenset[str] | None = None
    team: str | None = None


class Authenticator(Protocol):
    """Identifies the callers of requests."""

    def authenticate(self, credential: str | None, peer: str | None) -> Caller | None:
        """Return the caller of a request, ``None`` without a valid credential.

        Args:
            credential: The token of the request, ``None`` without one.
            peer: Address of the peer, ``None`` when unknown.
        """
        ...

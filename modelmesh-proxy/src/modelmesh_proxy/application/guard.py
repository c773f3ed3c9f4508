"""The guard: the one place that decides whether a request may pass.

It decides on the raw path, before any decoding and before a route is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from modelmesh._engine.gateway.messages import HttpError
from modelmesh.contracts.caller import Caller
from modelmesh_proxy.application.access import Access
from modelmesh_proxy.application.credentials import credential_of
from modelmesh_proxy.application.failed_attempts import FailedAttempts
from modelmesh_proxy.application.loopback import is_local_caller
from modelmesh_proxy.application.refused import with_headers

if TYPE_CHECKING:
    from modelmesh_proxy.application.callers import Authenticator
    from modelmesh_proxy.application.exchange import Exchange

UNAUTHORIZED = "Invalid token. Send a valid token of this proxy as the API key, e.g. in the header Authorization: Bearer TOKEN."

UNGUESSABLE = 32
"""Characters of a credential that is compared also during a block.

Behind a reverse proxy, all callers have one address. A peer that sends invalid tokens must not keep the others out. A token of
this length, such as every one that ModelMesh makes, is not found by trying.
"""

ANY_CALLER = Caller()
_LOCAL_ADMIN = Caller(is_admin=True)


class Guard:
    """Admits the callers of one application."""

    def __init__(self, authenticators: Sequence[Authenticator], failed: FailedAttempts, *, enabled: bool | None = None) -> None:
        """Initialize.

        Args:
            authenticators: Sources of tokens, tried in order.
            failed: Failed authentications of each peer.
            enabled: Whether requests need a token. ``None`` means: as soon as any token exists.
        """
        self._authenticators = tuple(authenticators)
        self._enabled = enabled
        self._failed = failed

    def requires_tokens(self) -> bool:
        """Return whether a request needs a token."""
        if self._enabled is not None:
            return self._enabled
        for one in self._authenticators:  # noqa: SIM110 - the hot path: a generator costs as much as all the rest
            if one.has_tokens:
                return True
        return False

    def admit(self, exchange: Exchange, access: Access, *, needs_token: bool) -> Caller:
        """Return the caller of a request.

        Args:
            exchange: The request.
            access: The access rule of its raw path.
            needs_token: What :meth:`requires_tokens` returned.

        Raises:
            HttpError: It may not pass.
        """
        if access is Access.OPEN:
            return ANY_CALLER
        if needs_token:
            caller = self._identify(exchange)
            if not caller.is_admin and (access is not Access.CALLER or caller.reads_metrics_only):
                _check_rights(caller, access)
            return caller
        if access is Access.CALLER:
            return ANY_CALLER
        if not is_local_caller(exchange):
            raise _unauthorized()
        return _LOCAL_ADMIN

    def _identify(self, exchange: Exchange) -> Caller:
        credential = credential_of(exchange)
        if credential is None:
            raise _unauthorized()
        now, peer = monotonic(), exchange.peer
        wait = self._failed.blocked_for(peer, credential, now)
        if wait > 0 and len(credential) < UNGUESSABLE:
            raise _blocked(wait)
        for authenticator in self._authenticators:
            caller = authenticator.authenticate(credential, peer)
            if caller is not None:
                self._failed.record_success(credential)
                return caller
        if len(credential) >= UNGUESSABLE and not all(one.is_complete for one in self._authenticators):
            raise _unknown()
        self._failed.record_failure(peer, now)
        raise _unauthorized() if wait <= 0 else _blocked(wait)


def _blocked(wait: float) -> HttpError:
    """Return the error of a peer that sent too many invalid tokens."""
    error = HttpError(429, "Too many invalid tokens came from this address. Try again later.", code="too_many_failures")
    return with_headers(error, retry_after=str(ceil(wait)))


def _check_rights(caller: Caller, access: Access) -> None:
    """Check a path that not every token permits.

    Raises:
        HttpError: The token does not permit it.
    """
    if access is Access.METRICS and caller.reads_metrics_only:
        return
    if caller.reads_metrics_only:
        message = "This token reads /metrics and nothing else. Send the token of an application or of an administrator."
    elif access is Access.METRICS:
        message = "This path needs a token for metrics or an administrator's token."
    else:
        message = "This path needs an administrator's token."
    raise HttpError(403, message, code="permission_denied")


def _unknown() -> HttpError:
    """Return the error of a token that may be valid. Applications give up after a 401."""
    message = "The token cannot be checked: the storage of the tokens does not reply. Retry later."
    return with_headers(HttpError(503, message, code="store_unavailable"), retry_after="2")


def _unauthorized() -> HttpError:
    """Return the error of a missing and of an invalid token, which reveals nothing about the token."""
    return with_headers(HttpError(401, UNAUTHORIZED, code="invalid_api_key"), www_authenticate="Bearer")

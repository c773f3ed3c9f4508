"""Access rules: who may send a request to which path.

The guard decides on the raw path, before any decoding and before any route is looked up. A path without a rule needs an
administrator, so a new route is never open by accident.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class Access(StrEnum):
    """Who may send a request."""

    OPEN = "open"
    """Everybody, without a token."""
    CALLER = "caller"
    """The bearer of any valid token. Everybody while no token exists."""
    ADMIN = "admin"
    """The bearer of an administrator's token. Loopback peers while no token exists."""


@frozen
class AccessRule:
    """Access to a path, or to every path below it.

    Attributes:
        path: Raw path. A path that ends with ``/`` stands for every path that begins with it.
        access: Who may send a request.
    """

    path: str
    access: Access


RULES = (
    AccessRule("/health", Access.OPEN),
    AccessRule("/ready", Access.OPEN),
    AccessRule("/v1/", Access.CALLER),
    AccessRule("/v1beta/", Access.CALLER),
    AccessRule("/openapi.json", Access.CALLER),
    AccessRule("/metrics", Access.ADMIN),
    AccessRule("/admin/", Access.ADMIN),
    AccessRule("/ui", Access.ADMIN),
    AccessRule("/ui/", Access.ADMIN),
    AccessRule("/", Access.CALLER),
)
"""Rules, the most specific path first where two apply."""

_EXACT = {rule.path: rule.access for rule in RULES}
_BELOW = tuple((rule.path, rule.access) for rule in RULES if rule.path.endswith("/") and rule.path != "/")


def access_of(raw_path: str) -> Access:
    """Return who may send a request to a raw path."""
    access = _EXACT.get(raw_path)
    if access is not None:
        return access
    for prefix, below in _BELOW:
        if raw_path.startswith(prefix):
            return below
    return Access.ADMIN

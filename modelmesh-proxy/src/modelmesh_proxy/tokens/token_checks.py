"""Validity of what an administrator states for a token or team."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import asdict

from modelmesh.errors import ModelMeshError
from modelmesh_proxy.tokens.records import TokenLimits

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
"""A valid name. It stands in logs, labels of metrics and keys of stores."""

BOTH_RIGHTS = "a token has either the right 'admin', which includes the metrics, or 'metrics' and no other right."


class TokenError(ModelMeshError):
    """A token or team cannot be created, changed or found.

    Attributes:
        code: ``invalid``, ``exists`` or ``not_found``.
    """

    code: str = "invalid"


def check_name(name: str, kind: str) -> None:
    """Check the name of a token or team.

    Raises:
        TokenError: It is invalid.
    """
    if not NAME.fullmatch(name):
        message = (
            f"{name[:80]!r} cannot be the name of a {kind}: a name has 1 to 64 letters, digits and any of ._@-, and begins with "
            "a letter or a digit."
        )
        raise TokenError(message)


def check_limits_and_rights(limits: TokenLimits, pools: Sequence[str] | None, expires_in: float | None) -> None:
    """Check the limits of a token or team, its pools and the seconds until it expires.

    Raises:
        TokenError: One of them is invalid.
    """
    for name, value in asdict(limits).items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**33):
            message = f"{name} is {value!r}. It must be a number from 0 to 8 billion."
            raise TokenError(message)
    if pools is not None and not pools:
        message = "a token without a pool can send no request. Name its pools, or leave them out to allow all."
        raise TokenError(message)
    if expires_in is not None and not expires_in > 0:
        message = f"a token cannot expire in {expires_in} seconds. Give a duration such as 30d."
        raise TokenError(message)

"""Validity of what an administrator states for a token or team."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import asdict

from modelmesh.errors import ModelMeshError
from modelmesh_proxy.tokens.records import TokenLimits

MOST = 2**33
"""Amount that every limit is below."""

LONGEST_LIFE_S = 100 * 365 * 86_400
"""Longest time until a token expires. Later dates have no calendar."""

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


def is_amount(value: Any) -> bool:
    """Return whether a value can be the amount of a limit."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MOST


def check_limits_and_rights(limits: TokenLimits, pools: Sequence[str] | None, expires_in: float | None) -> None:
    """Check the limits of a token or team, its pools and the seconds until it expires.

    Raises:
        TokenError: One of them is invalid.
    """
    for name, value in asdict(limits).items():
        if value is not None and not is_amount(value):
            message = f"{name} is {value!r}. It must be a number from 0 to 8 billion."
            raise TokenError(message)
    if pools is not None and not pools:
        message = "a token without a pool can send no request. Name its pools, or leave them out to allow all."
        raise TokenError(message)
    if expires_in is not None and not 0 < expires_in <= LONGEST_LIFE_S:
        message = f"a token cannot expire in {expires_in} seconds. Give a duration such as 30d, of at most 100 years."
        raise TokenError(message)

"""Tokens and teams as their administration shows them: records with what is left of their limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import asdict, field, frozen

from modelmesh_proxy.tokens.records import TeamRecord, TokenRecord

Amounts = Callable[[TokenRecord | TeamRecord], Sequence[Mapping[str, Any]]]
"""Returns the used and remaining amounts of a token or team, as rows of :func:`.forecast`."""


@frozen
class TokenInfo:
    """A token or team with what is left of its limits.

    Attributes:
        record: The record.
        amounts: Used and remaining amounts of its limits, empty where the store has none.
    """

    record: TokenRecord | TeamRecord
    amounts: Sequence[Mapping[str, Any]] = ()

    def as_dict(self, now: float | None = None) -> dict[str, Any]:
        """Return the facts as plain data, without digests."""
        facts = asdict(self.record)
        for name in ("digest", "earlier_digest", "earlier_until"):
            facts.pop(name, None)
        if isinstance(self.record, TokenRecord):
            facts["status"] = self.record.status(time.time() if now is None else now)
        facts["amounts"] = [dict(row) for row in self.amounts]
        return facts


@frozen
class NewToken:
    """A token that was created or rotated.

    Attributes:
        info: The token.
        text: Its text, which is not stored.
    """

    info: TokenInfo
    text: str = field(repr=False)

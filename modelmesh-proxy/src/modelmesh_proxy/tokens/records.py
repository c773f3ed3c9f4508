"""Records of tokens and teams, and their stored form. No record contains the text of a token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from attrs import asdict, evolve, field, fields_dict, frozen

from modelmesh._engine.limits.caller_limits import CallerLimits


@frozen
class TokenLimits:
    """Limits of a token or a team. ``None`` is no limit.

    Attributes:
        budget_daily: Dollars in a day (UTC).
        budget_monthly: Dollars in a month (UTC).
        budget_total: Dollars in all.
        rpm: Requests in any 60 seconds.
        tpm: Tokens of prompts and answers in any 60 seconds.
    """

    budget_daily: float | None = None
    budget_monthly: float | None = None
    budget_total: float | None = None
    rpm: int | None = None
    tpm: int | None = None

    def of_caller(self, key: str, label: str) -> CallerLimits:
        """Return the limits for the engine.

        Args:
            key: Key of the counters.
            label: Name in messages.
        """
        return CallerLimits(key, label, self.budget_daily, self.budget_monthly, self.budget_total, self.rpm, self.tpm)


@frozen(kw_only=True)
class TeamRecord:
    """A team: limits over all of its tokens.

    Attributes:
        name: Its name.
        limits: Its limits.
        created_at: Unix seconds.
    """

    name: str
    limits: TokenLimits = TokenLimits()
    created_at: float = 0.0

    @property
    def key(self) -> str:
        """Key of its counters."""
        return f"team:{self.name}"

    def to_bytes(self) -> bytes:
        """Encode the record as JSON."""
        return _encoded(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode a record. Fields of later versions are ignored."""
        return cls(**_decoded(cls, data))


@frozen(kw_only=True)
class TokenRecord:
    """A token of an application.

    Attributes:
        name: Its name, which is unique.
        id: Its ID, which is part of its text. A token that was created again under the same name has another.
        digest: SHA-256 digest of its text, in hexadecimal form. Empty for a revoked token.
        earlier_digest: Digest of the text before the latest rotation, while that is still valid.
        earlier_until: Unix seconds at which the earlier text expires.
        pools: Pools that it may use, ``None`` for all.
        limits: Its limits.
        team: Its team.
        admin: Whether it may administer the proxy.
        metrics: Whether it may read ``/metrics`` and nothing else.
        metadata: Notes of the administrator.
        created_at: Unix seconds.
        rotated_at: Unix seconds of the latest rotation.
        expires_at: Unix seconds from which it is no longer valid.
        revoked_at: Unix seconds of its revocation.
        is_static: Whether it is part of the configuration, so that no command changes it.
    """

    name: str
    id: str
    digest: str = field(repr=False)
    earlier_digest: str = field(default="", repr=False)
    earlier_until: float = 0.0
    pools: tuple[str, ...] | None = None
    limits: TokenLimits = TokenLimits()
    team: str | None = None
    admin: bool = False
    metrics: bool = False
    metadata: Mapping[str, str] = field(factory=dict)
    created_at: float = 0.0
    rotated_at: float | None = None
    expires_at: float | None = None
    revoked_at: float | None = None
    is_static: bool = False

    @property
    def key(self) -> str:
        """Key of its counters."""
        return f"token:{self.id}"

    @property
    def caller_limits(self) -> CallerLimits:
        """Its limits, for the engine."""
        return self.limits.of_caller(self.key, f"the token {self.name!r}")

    def status(self, now: float) -> str:
        """Return ``active``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    def revoked(self, now: float) -> TokenRecord:
        """Return the record of the revoked token."""
        return evolve(self, digest="", earlier_digest="", earlier_until=0.0, revoked_at=now)

    def rotated(self, digest: str, now: float, grace_s: float) -> TokenRecord:
        """Return the record with another text. The earlier text stays valid for ``grace_s`` seconds."""
        earlier = (self.digest, now + grace_s) if grace_s > 0 else ("", 0.0)
        return evolve(self, digest=digest, rotated_at=now, earlier_digest=earlier[0], earlier_until=earlier[1])

    def to_bytes(self) -> bytes:
        """Encode the record as JSON."""
        return _encoded(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode a record. Fields of later versions are ignored."""
        values = _decoded(cls, data)
        if values.get("pools") is not None:
            values["pools"] = tuple(values["pools"])
        return cls(**values)


def _encoded(record: TokenRecord | TeamRecord) -> bytes:
    return json.dumps(asdict(record), ensure_ascii=False, separators=(",", ":")).encode()


def _decoded(cls: type, data: bytes) -> dict[str, Any]:
    values = {name: value for name, value in json.loads(data).items() if name in fields_dict(cls)}
    known = fields_dict(TokenLimits)
    values["limits"] = TokenLimits(**{name: value for name, value in (values.get("limits") or {}).items() if name in known})
    return values

"""Administration of tokens and teams: the functions behind ``modelmesh tokens`` and the administration interface.

Every function blocks while it uses the store. The text of a new token is returned once and stored nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve

from modelmesh_proxy.tokens.records import TeamRecord, TokenLimits, TokenRecord
from modelmesh_proxy.tokens.token_checks import BOTH_RIGHTS, TokenError, check_limits_and_rights, check_name
from modelmesh_proxy.tokens.token_info import Amounts, NewToken, TokenInfo
from modelmesh_proxy.tokens.token_store import TokenStore
from modelmesh_proxy.tokens.token_text import digest_of, new_id, new_text


class TokenRegistry:
    """The tokens and teams of one store."""

    def __init__(self, store: TokenStore, amounts: Amounts | None = None, *, now: Callable[[], float] = time.time) -> None:
        """Set the store.

        Args:
            store: The store.
            amounts: Source of used and remaining amounts.
            now: Returns Unix seconds.
        """
        self._store, self._amounts, self._now = store, amounts, now

    # -- tokens -----------------------------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        *,
        pools: Sequence[str] | None = None,
        limits: TokenLimits | None = None,
        expires_in: float | None = None,
        team: str | None = None,
        metadata: Mapping[str, str] | None = None,
        admin: bool = False,
        metrics: bool = False,
    ) -> NewToken:
        """Create a token. A revoked one with the same name is replaced.

        Args:
            name: Its name, which no other token has.
            pools: Pools that it may use, ``None`` for all.
            limits: Its limits.
            expires_in: Seconds until it expires, ``None`` for never.
            team: Its team, which exists.
            metadata: Notes.
            admin: Whether it may administer the proxy.
            metrics: Whether it may read the metrics and nothing else.

        Raises:
            TokenError: The name is taken or invalid, a limit is invalid, or there is no such team.
            StorageError: The store failed.
        """
        check_name(name, "token")
        limits = limits or TokenLimits()
        check_limits_and_rights(limits, pools, expires_in)
        if admin and metrics:
            raise TokenError(BOTH_RIGHTS)
        if team is not None:
            self._existing_team(team)
        now, token_id = self._now(), new_id()
        text = new_text(token_id)
        record = TokenRecord(
            name=name,
            id=token_id,
            digest=digest_of(text).hex(),
            pools=None if pools is None else tuple(dict.fromkeys(pools)),
            limits=limits,
            team=team,
            admin=admin,
            metrics=metrics,
            metadata=dict(metadata or {}),
            created_at=now,
            expires_at=None if expires_in is None else now + expires_in,
        )

        def put(before: TokenRecord | None) -> TokenRecord:
            if before is not None and before.revoked_at is None and before.id != record.id:
                message = f"the token {name!r} exists already. Choose another name, rotate it, or revoke it first."
                raise TokenError(message, code="exists")
            return record

        return NewToken(self._info(self._store.change_token(name, put)), text)

    def list_tokens(self, *, revoked: bool = False) -> list[TokenInfo]:
        """Return the tokens, sorted by name, revoked ones only with ``revoked``."""
        return [self._info(one) for one in self._store.tokens() if revoked or one.revoked_at is None]

    def show(self, name: str) -> TokenInfo:
        """Return a token.

        Raises:
            TokenError: There is no such token.
        """
        return self._info(self._existing(name, self._store.token(name)))

    def revoke(self, name: str) -> TokenInfo:
        """Revoke a token. Every proxy refuses it within a second.

        Raises:
            TokenError: There is no such token.
        """
        return self._info(self._store.change_token(name, lambda before: self._active(name, before).revoked(self._now())))

    def rotate(self, name: str, *, grace_s: float = 0.0) -> NewToken:
        """Give a token another text. Its limits, rights and counts stay.

        Args:
            name: Its name.
            grace_s: Seconds for which the earlier text stays valid.

        Raises:
            TokenError: There is no such token.
        """
        text = ""

        def change(before: TokenRecord | None) -> TokenRecord:
            nonlocal text
            record = self._active(name, before)
            text = new_text(record.id)
            return record.rotated(digest_of(text).hex(), self._now(), grace_s)

        return NewToken(self._info(self._store.change_token(name, change)), text)

    def update(self, name: str, *, limits: Mapping[str, Any] | None = None, **changes: Any) -> TokenInfo:
        """Change limits and rights of a token. Its text and its counts stay.

        Args:
            name: Its name.
            limits: New values by name of a field of :class:`.TokenLimits`. ``None`` removes a limit.
            **changes: New values of ``pools``, ``team``, ``metadata`` and ``admin``, and ``expires_in`` in seconds.

        Raises:
            TokenError: There is no such token or team, or a value is invalid.
        """
        if "expires_in" in changes:
            seconds = changes.pop("expires_in")
            check_limits_and_rights(TokenLimits(), None, seconds)
            changes["expires_at"] = None if seconds is None else self._now() + seconds
        if changes.get("team") is not None:
            self._existing_team(changes["team"])
        if changes.get("pools") is not None:
            changes["pools"] = tuple(dict.fromkeys(changes["pools"]))

        def change(before: TokenRecord | None) -> TokenRecord:
            record = self._active(name, before)
            after = evolve(record, limits=evolve(record.limits, **(limits or {})), **changes)
            check_limits_and_rights(after.limits, after.pools, None)
            return after

        return self._info(self._store.change_token(name, change))

    # -- teams ------------------------------------------------------------------------------------------------------

    def list_teams(self) -> list[TokenInfo]:
        """Return the teams, sorted by name."""
        return [self._info(one) for one in self._store.teams()]

    def set_team(self, name: str, limits: Mapping[str, Any]) -> TokenInfo:
        """Create a team, or change its limits.

        Args:
            name: Its name.
            limits: New values by name of a field of :class:`.TokenLimits`. ``None`` removes a limit.

        Raises:
            TokenError: The name or a limit is invalid.
        """
        check_name(name, "team")

        def change(before: TeamRecord | None) -> TeamRecord:
            record = before or TeamRecord(name=name, created_at=self._now())
            after = evolve(record, limits=evolve(record.limits, **limits))
            check_limits_and_rights(after.limits, None, None)
            return after

        return self._info(self._store.change_team(name, change))

    def remove_team(self, name: str) -> None:
        """Remove a team without tokens.

        Raises:
            TokenError: There is no such team, or a token belongs to it.
        """
        self._existing_team(name)
        members = [one.name for one in self._store.tokens() if one.team == name and one.revoked_at is None]
        if members:
            message = f"the team {name!r} has the tokens {', '.join(members)}. Move or revoke them first."
            raise TokenError(message, code="exists")
        self._store.delete_team(name)

    # -- checks -----------------------------------------------------------------------------------------------------

    def _info(self, record: TokenRecord | TeamRecord) -> TokenInfo:
        return TokenInfo(record, () if self._amounts is None else self._amounts(record))

    def _existing(self, name: str, record: TokenRecord | None) -> TokenRecord:
        if record is None:
            from modelmesh._engine.foundation.suggestions import did_you_mean  # noqa: PLC0415 - only for the message

            names = [one.name for one in self._store.tokens() if one.revoked_at is None]
            message = f"there is no token {name!r}.{did_you_mean(name, names)} List them: modelmesh tokens list."
            raise TokenError(message, code="not_found")
        return record

    def _active(self, name: str, record: TokenRecord | None) -> TokenRecord:
        record = self._existing(name, record)
        if record.revoked_at is not None:
            message = f"the token {name!r} is revoked. Create it again: modelmesh tokens create {name}."
            raise TokenError(message, code="not_found")
        return record

    def _existing_team(self, name: str) -> None:
        if self._store.team(name) is None:
            message = f"there is no team {name!r}. Create it: modelmesh tokens team {name} --budget-monthly 50."
            raise TokenError(message, code="not_found")

"""Callers by the digests of their tokens."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from modelmesh._engine.mesh.callers import caller_limits, limit_callers
from modelmesh.contracts.caller import Caller
from modelmesh_proxy.tokens.records import TeamRecord, TokenRecord
from modelmesh_proxy.tokens.token_text import digest_of

if TYPE_CHECKING:
    from modelmesh import ModelMesh

_SHORT = 8
"""Bytes of a digest that find its token. The whole digest is compared in constant time."""


@frozen
class _Entry:
    digest: bytes
    caller: Caller
    valid_until: float | None


class TokenIndex:
    """The valid tokens of a mesh. It is replaced as a whole, so that threads read it without a lock."""

    def __init__(self, mesh: ModelMesh, tokens: Sequence[TokenRecord], teams: Sequence[TeamRecord]) -> None:
        """Set the limits of the mesh, and index the tokens with their rights and counters.

        Args:
            mesh: The mesh.
            tokens: Every token. Revoked ones are left out.
            teams: Every team.
        """
        active = [one for one in tokens if one.revoked_at is None]
        limits = [one.caller_limits for one in active]
        limits += [team.limits.of_caller(team.key, f"the team {team.name!r}") for team in teams]
        limit_callers(mesh, limits)
        keys_of_teams = {team.name: team.key for team in teams}
        self._entries: dict[bytes, tuple[_Entry, ...]] = {}
        for record in active:
            keys = [record.key] + ([keys_of_teams[record.team]] if record.team in keys_of_teams else [])
            pools = None if record.pools is None else frozenset(record.pools)
            caller = Caller(record.name, record.admin, pools, record.team, caller_limits(mesh, *keys), record.metrics)
            self._add(_Entry(bytes.fromhex(record.digest), caller, record.expires_at))
            if record.earlier_digest:
                until = min(record.earlier_until, record.expires_at or record.earlier_until)
                self._add(_Entry(bytes.fromhex(record.earlier_digest), caller, until))

    def _add(self, entry: _Entry) -> None:
        short = entry.digest[:_SHORT]
        self._entries[short] = (*self._entries.get(short, ()), entry)

    def find(self, credential: str, now: Callable[[], float]) -> Caller | None:
        """Return the caller of a token, ``None`` for an unknown or expired one.

        Args:
            credential: The token.
            now: Returns Unix seconds. Called for tokens that expire only.
        """
        digest = digest_of(credential)
        for entry in self._entries.get(digest[:_SHORT], ()):
            if hmac.compare_digest(entry.digest, digest) and (entry.valid_until is None or now() < entry.valid_until):
                return entry.caller
        return None

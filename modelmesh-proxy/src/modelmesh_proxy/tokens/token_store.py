"""Tokens and teams in a storage connector.

Each has one key with its name, so that a name is unique and two commands that change different tokens never collide. Two that
change the same one compare and set, where the store can. Every change ends with a new value under :data:`REVISION`. A proxy reads
that one entry once in a while, and the others only after a change.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Final, TypeVar

from modelmesh.contracts.storage import ConditionalSave, Storage, StorageEntry
from modelmesh.errors import StorageConflictError, StorageError
from modelmesh_proxy.tokens.records import TeamRecord, TokenRecord

TOKENS: Final = "modelmesh/tokens/"
TEAMS: Final = "modelmesh/teams/"
REVISION: Final = "modelmesh/tokens-revision"

TRIES = 20
"""Attempts at a change that other commands interrupt."""

_log = logging.getLogger("modelmesh.proxy.tokens")


class InvalidRecordError(StorageError):
    """A stored entry is not a record."""


Record = TypeVar("Record", TokenRecord, TeamRecord)


class TokenStore:
    """Reads and writes the records of tokens and teams. Every method blocks."""

    def __init__(self, storage: Storage) -> None:
        """Set the store.

        Args:
            storage: The storage connector of the configuration.
        """
        self.storage = storage
        self._conditional = storage if isinstance(storage, ConditionalSave) else None

    def revision(self) -> bytes:
        """Return a value that differs after every change."""
        entry = self.storage.load(REVISION)
        return b"" if entry is None else entry.data

    def tokens(self) -> list[TokenRecord]:
        """Return every token, sorted by name."""
        return self._each(TOKENS, TokenRecord)

    def teams(self) -> list[TeamRecord]:
        """Return every team, sorted by name."""
        return self._each(TEAMS, TeamRecord)

    def token(self, name: str) -> TokenRecord | None:
        """Return a token, ``None`` when there is none."""
        return self._read(TOKENS + name, TokenRecord)[0]

    def team(self, name: str) -> TeamRecord | None:
        """Return a team, ``None`` when there is none."""
        return self._read(TEAMS + name, TeamRecord)[0]

    def change_token(self, name: str, change: Callable[[TokenRecord | None], TokenRecord]) -> TokenRecord:
        """Change a token, and return its new record.

        Args:
            name: Its name.
            change: Returns the new record for the stored one, which is ``None`` when there is none. It may be called again when
                another process changed the token meanwhile.
        """
        return self._change(TOKENS + name, TokenRecord, change)

    def change_team(self, name: str, change: Callable[[TeamRecord | None], TeamRecord]) -> TeamRecord:
        """Change a team as :meth:`change_token` changes a token."""
        return self._change(TEAMS + name, TeamRecord, change)

    def delete_team(self, name: str) -> bool:
        """Delete a team, and return whether it existed."""
        existed = self.storage.delete(TEAMS + name)
        self._announce()
        return existed

    def _each(self, prefix: str, cls: type[Record]) -> list[Record]:
        """Return every valid record. A damaged one must not keep the changes of the others from a proxy."""
        found = []
        for key in self.storage.list(prefix):
            try:
                record = self._read(key, cls)[0]
            except InvalidRecordError as error:
                _log.error("%s", error)
                continue
            if record is not None:
                found.append(record)
        return found

    def _read(self, key: str, cls: type[Record]) -> tuple[Record | None, str | None]:
        entry = self.storage.load(key)
        if entry is None:
            return None, None
        try:
            return cls.from_bytes(entry.data), entry.version
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            message = (
                f"the entry {key!r} in {self.storage.id} is not a record of a token or team ({type(error).__name__}). "
                "Delete the entry, and create the token again."
            )
            raise InvalidRecordError(message, connector_id=self.storage.id, key=key) from None

    def _change(self, key: str, cls: type[Record], change: Callable[[Record | None], Record]) -> Record:
        for left in reversed(range(TRIES)):
            before, version = self._read(key, cls)
            after = change(before)
            entry = StorageEntry(key, after.to_bytes())
            if self._conditional is None:
                self.storage.save(key, entry)
                break
            try:
                self._conditional.save_if(key, entry, version)
            except StorageConflictError:
                if not left:
                    raise
            else:
                break
        self._announce()
        return after

    def _announce(self) -> None:
        self.storage.save(REVISION, StorageEntry(REVISION, secrets.token_hex(16).encode()))

"""Storage of entries, locks and counters as rows of three tables."""

from __future__ import annotations

import os
import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from attrs import field, frozen

from modelmesh.contracts import LockHandle, Secret, lock_timeout_error, validated_key
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import BaseStorageConfig, SharedStorage
from modelmesh_cdk.storage import current_owner, has_exited
from modelmesh_storage_sqlite.database import Database
from modelmesh_storage_sqlite.network import network_filesystem

T = TypeVar("T")


def _path(value: Any) -> Path:
    # A path that contains a reference such as ${env:…} arrives as a Secret, as every setting with a reference does.
    given = Path(value.reveal() if isinstance(value, Secret) else value).expanduser()
    return Path(os.path.realpath(given))


@frozen(kw_only=True)
class SqliteConfig(BaseStorageConfig):
    """Settings of the store.

    Attributes:
        path: The database. ``~`` is the home folder. Missing folders are created.
        table: Name of the table of entries, and prefix of the tables of counters and locks.
        durable: Whether each change is on the disk when a call returns. Otherwise a power failure loses the latest changes, and
            the end of a process none.
    """

    path: Path = field(default=Path("mesh-state.db"), converter=_path)
    table: str = "modelmesh_state"
    durable: bool = True

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Create the settings from a mapping. ``db_path`` and ``table_name`` are aliases.

        Raises:
            ConfigurationError: The path or the name of the table is invalid.
        """
        given = dict(settings)
        for other, name in (("db_path", "path"), ("table_name", "table")):
            if other in given:
                given.setdefault(name, given.pop(other))
        config = super().of(given)
        if str(config.path.name) == ":memory:" or "mode=memory" in str(config.path):
            message = (
                "storage.path is ':memory:', which ends with the process and is not shared. "
                "Set it to the path of a file, or use connector: modelmesh.memory.v1"
            )
            raise ConfigurationError(message, where="storage.path")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,59}", str(config.table)):
            message = f"storage.table is {config.table!r}: the name of a table consists of letters, digits and underscores"
            raise ConfigurationError(message, where="storage.table")
        return config


class SqliteStorage(SharedStorage):
    """A database that threads and processes of one machine share.

    Each change is one transaction that takes the write lock at its start. It is on the disk when the call returns.
    """

    id: ClassVar[str] = "modelmesh.sqlite.v1"
    options: ClassVar[Collection[str]] = ("db_path", "table_name")
    config_class: ClassVar[type[BaseStorageConfig]] = SqliteConfig
    hint: ClassVar[str] = "Check the folder's owner and free space (ls -ld, df -h), or set storage.path to another folder"

    def __init__(self, config: Mapping[str, Any] | BaseStorageConfig | None = None) -> None:
        super().__init__(config)
        path, table = self.config.path, self.config.table
        kind = network_filesystem(path)
        if kind is not None:
            message = (
                f"storage.path {str(path)!r} is on a network file system ({kind}), where SQLite loses data when several "
                "processes write. Set it to a path on a local disk, or use a network store, e.g. redis.redis.v1"
            )
            raise ConfigurationError(message, where="storage.path")
        self._table = table
        counted = "key TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK (typeof(value) = 'integer'), expires_at REAL"
        locked = "key TEXT PRIMARY KEY, lock_id TEXT NOT NULL, expires_at REAL NOT NULL, holder TEXT NOT NULL"
        schema = (
            f"CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY, entry BLOB NOT NULL)",
            f"CREATE TABLE IF NOT EXISTS {table}_counters ({counted}) WITHOUT ROWID",
            f"CREATE TABLE IF NOT EXISTS {table}_locks ({locked}) WITHOUT ROWID",
        )
        self._database = Database(path, schema, self._damaged, durable=bool(self.config.durable))

    def close(self) -> None:
        """Close all connections. A later call opens a new one."""
        self._database.close()

    # -- entries ----------------------------------------------------------------------------------------------------

    def _read(self, key: str) -> bytes | None:
        return self._database.run(lambda db: self._row(db, key))

    def _write(self, key: str, blob: bytes) -> None:
        self._database.run(lambda db: self._put(db, key, blob), write=True)

    def _swap(self, key: str, blob: bytes, tag: Any) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            if self._row(db, key) != tag:
                return False
            self._put(db, key, blob)
            return True

        return self._database.run(work, write=True)

    def _remove(self, key: str) -> bool:
        statement = f"DELETE FROM {self._table} WHERE key = ?"  # noqa: S608 - the table's name was checked
        return self._database.run(lambda db: db.execute(statement, (key,)).rowcount > 0, write=True)

    def _keys(self, prefix: str) -> Iterable[str]:
        statement = f"SELECT key FROM {self._table}"  # noqa: S608 - as above
        return self._database.run(lambda db: [str(row[0]) for row in db.execute(statement)])

    def _row(self, db: sqlite3.Connection, key: str) -> bytes | None:
        statement = f"SELECT entry FROM {self._table} WHERE key = ?"  # noqa: S608 - as above
        row = db.execute(statement, (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def _put(self, db: sqlite3.Connection, key: str, blob: bytes) -> None:
        db.execute(f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?)", (key, blob))  # noqa: S608 - as above

    # -- counters ---------------------------------------------------------------------------------------------------

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        """Add to a counter atomically and return the sum.

        Raises:
            StorageError: The database failed, or the sum exceeds 64 bits.
        """
        return self.increment_many({key: (amount, expires_s)})[key]

    def increment_many(self, additions: Mapping[str, tuple[int, float | None]]) -> dict[str, int]:
        """Add to several counters in one transaction.

        Raises:
            StorageError: The database failed, or a sum exceeds 64 bits. No addition counts.
        """
        for key in additions:
            validated_key(key)
        if not additions:
            return {}
        writes = any(amount for amount, _ in additions.values())
        return self._run(next(iter(additions)), "counted", lambda db: self._add(db, additions, writes=writes), write=writes)

    def _add(self, db: sqlite3.Connection, additions: Mapping[str, tuple[int, float | None]], *, writes: bool) -> dict[str, int]:
        now, sums = time.time(), {}
        if writes:
            db.execute(f"DELETE FROM {self._table}_counters WHERE expires_at <= ?", (now,))  # noqa: S608 - as above
        for key, (amount, expires_s) in additions.items():
            value = self._value(db, key, now)
            sums[key] = (value or 0) + amount
            if value is None and amount:
                until = None if expires_s is None else now + expires_s
                db.execute(f"INSERT INTO {self._table}_counters VALUES (?, ?, ?)", (key, amount, until))  # noqa: S608
            elif amount:
                db.execute(f"UPDATE {self._table}_counters SET value = ? WHERE key = ?", (sums[key], key))  # noqa: S608
        return sums

    def _value(self, db: sqlite3.Connection, key: str, now: float) -> int | None:
        statement = f"SELECT value FROM {self._table}_counters WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)"  # noqa: S608
        row = db.execute(statement, (key, now)).fetchone()
        return None if row is None else int(row[0])

    # -- locks ------------------------------------------------------------------------------------------------------

    def acquire(self, key: str, timeout: float | None = None, *, expires_s: float | None = None) -> LockHandle:
        """Acquire a lock, waiting if necessary.

        Raises:
            StorageLockError: Another process held the lock until the timeout.
            StorageError: The database failed.
        """
        validated_key(key)
        patience = self.config.lock_timeout if timeout is None else timeout
        lasting = self.config.lock_timeout if expires_s is None else expires_s
        until = time.monotonic() + patience

        def take(db: sqlite3.Connection) -> LockHandle | float:
            now = time.time()
            free_in = self._locked_for(db, key, now)
            if free_in > 0:
                return free_in
            handle = LockHandle(key, uuid.uuid4().hex, now, now + lasting)
            row = (key, handle.lock_id, handle.expires_at, current_owner())
            db.execute(f"INSERT OR REPLACE INTO {self._table}_locks VALUES (?, ?, ?, ?)", row)  # noqa: S608 - as above
            return handle

        while True:
            taken = self._run(key, "locked", take, write=True)
            if isinstance(taken, LockHandle):
                return taken
            left = until - time.monotonic()
            if left <= 0:
                raise lock_timeout_error(self.id, key, patience)
            time.sleep(min(left, taken, self.config.retry_interval))

    def release(self, lock: LockHandle) -> bool:
        """Release a lock. Return ``False`` when it had expired.

        Raises:
            StorageError: The database failed.
        """
        statement = f"DELETE FROM {self._table}_locks WHERE key = ? AND lock_id = ? AND expires_at > ?"  # noqa: S608 - as above
        found = (lock.key, lock.lock_id, time.time())
        return bool(self._run(lock.key, "unlocked", lambda db: db.execute(statement, found).rowcount, write=True))

    def is_locked(self, key: str) -> bool:
        """Return whether a key is locked now.

        Raises:
            StorageError: The database failed.
        """
        validated_key(key)
        return bool(self._run(key, "read", lambda db: self._locked_for(db, key, time.time()) > 0, write=False))

    def _locked_for(self, db: sqlite3.Connection, key: str, now: float) -> float:
        statement = f"SELECT expires_at, holder FROM {self._table}_locks WHERE key = ?"  # noqa: S608 - as above
        row = db.execute(statement, (key,)).fetchone()
        return 0.0 if row is None or has_exited(row[1]) else float(row[0]) - now

    # -- failures ---------------------------------------------------------------------------------------------------

    def _run(self, key: str, doing: str, work: Callable[[sqlite3.Connection], T], *, write: bool) -> T:
        result: T = self._guarded(key, doing, lambda: self._database.run(work, write=write))
        return result

    def _why(self, error: Exception) -> str:
        if isinstance(error, sqlite3.Error):  # SQLite's message names tables and files, never their content
            return f"{getattr(error, 'sqlite_errorname', type(error).__name__)}: {error} ({self.config.path})"
        return super()._why(error)

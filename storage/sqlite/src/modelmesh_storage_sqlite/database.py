"""Database file with one connection for each thread, safe across forks and replaced when damaged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock, local
from typing import TypeVar
from weakref import WeakSet

from modelmesh_cdk import file_lock

BUSY_S = 5.0
"""How long to wait for another writer."""

T = TypeVar("T")

_OPENED: WeakSet[Database] = WeakSet()
_OPENING = Lock()


class Database:
    """Runs functions in transactions, from any number of threads and processes."""

    def __init__(self, path: Path, schema: Iterable[str], on_damage: Callable[[str, str], None], *, durable: bool = True) -> None:
        """Prepare the database. Nothing is opened yet.

        Args:
            path: The file.
            schema: Statements that create missing tables.
            on_damage: Receives the reason and the outcome when the file is damaged.
            durable: Whether a change is on the disk when :meth:`run` returns.
        """
        self.path = path
        self._schema, self._on_damage = tuple(schema), on_damage
        self._synchronous = "FULL" if durable else "OFF"
        self._lock_file = path.with_name(f"{path.name}.lock")
        self._reset()
        with _OPENING:
            _OPENED.add(self)

    def run(self, work: Callable[[sqlite3.Connection], T], *, write: bool = False) -> T:
        """Call a function with a connection. If the database is damaged, replace it and call the function again.

        Args:
            work: The function.
            write: Whether the function needs a write transaction.

        Raises:
            sqlite3.Error: The function failed. Its changes are rolled back.
            OSError: The file cannot be created.
        """
        try:
            return self._once(work, write=write)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._quarantine(error)
            return self._once(work, write=write)

    def close(self) -> None:
        """Close the connections of all threads. The next call opens a new one."""
        with self._lock:
            for connection in list(self._connections):
                with connection.lock:
                    connection.close()

    # -- connections ------------------------------------------------------------------------------------------------

    def _once(self, work: Callable[[sqlite3.Connection], T], *, write: bool) -> T:
        own = self._own_connection()
        with own.lock:
            connection = own.open(self._connect)
            try:
                if not write:
                    return work(connection)
                # SQLite waits for the write lock by polling, and under load some writers starve: queue for our own lock first.
                with file_lock(self._lock_file):
                    return _in_transaction(connection, work)
            except sqlite3.DatabaseError as error:
                if _is_damage(error):
                    own.close()
                raise

    def _own_connection(self) -> _ThreadConnection:
        own: _ThreadConnection | None = getattr(self._thread_local, "connection", None)
        if own is None:
            own = self._thread_local.connection = _ThreadConnection(self.path)
            with self._lock:
                self._connections.add(own)
        return own

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file_lock(self._lock_file):  # no busy timeout applies here: two processes that switch to WAL at once fail
            # Only a new file: closing any descriptor of an open database would drop the locks of its other connections
            # (sqlite.org/howtocorrupt.html, section 2.2, read 2026-11-30), and another process would delete the journal in use.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            try:
                for statement in ("PRAGMA journal_mode=WAL", f"PRAGMA synchronous={self._synchronous}", *self._schema):
                    connection.execute(statement)
            except BaseException:
                connection.close()
                raise
        return connection

    # -- damage -----------------------------------------------------------------------------------------------------

    def _quarantine(self, error: sqlite3.DatabaseError) -> None:
        with file_lock(self._lock_file):
            if self._is_sound():  # another process has replaced the database
                return
            names = (self.path.with_name(f"{self.path.name}.corrupt-{n}") for n in range(1, 10**9))
            aside = next(one for one in names if not one.exists())
            for ending in ("-wal", "-shm", ""):  # the journal first: SQLite would apply a leftover to the new file
                with contextlib.suppress(FileNotFoundError):
                    self.path.with_name(self.path.name + ending).replace(aside.with_name(aside.name + ending))
        self._on_damage(f"{self.path} is damaged: {error}", f"it was moved to {aside.name}, and a new database was created")

    def _is_sound(self) -> bool:
        if not self.path.exists():
            return True
        with contextlib.closing(sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)) as connection:
            try:
                return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                return False

    # -- forks ------------------------------------------------------------------------------------------------------

    def _reset(self) -> None:
        self._lock = Lock()
        self._thread_local = local()
        self._connections: WeakSet[_ThreadConnection] = WeakSet()

    def before_fork(self) -> list[Lock]:
        """Close all connections and return the locks that keep them closed."""
        self._lock.acquire()
        held = [self._lock]
        for connection in list(self._connections):
            connection.lock.acquire()
            connection.close()
            held.append(connection.lock)
        return held

    def after_fork(self) -> None:
        """Forget the connections of the parent process."""
        self._reset()


def _in_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise
    return result


class _ThreadConnection:
    """Connection of one thread."""

    def __init__(self, path: Path) -> None:
        self.lock = Lock()
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def open(self, connect: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
        """Return the connection. Open a new one if there is none, or if the file was replaced."""
        if self._connection is not None and self._file != _identity(self._path):
            self.close()
        if self._connection is None:
            self._connection = connect()
            self._file = _identity(self._path)
        return self._connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __del__(self) -> None:  # the thread has ended
        self.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_dev, facts.st_ino


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


# A connection must not be open in two processes (sqlite.org/howtocorrupt.html, section 2.6, read 2026-11-21): the child would
# assume locks that it does not hold. So all connections are closed while a process forks.

_HELD: list[Lock] = []


def _before_fork() -> None:
    _OPENING.acquire()
    for database in list(_OPENED):
        _HELD.extend(database.before_fork())


def _in_parent() -> None:
    for lock in _HELD:
        lock.release()
    _HELD.clear()
    _OPENING.release()


def _in_child() -> None:
    global _OPENING  # noqa: PLW0603 - the parent's lock stays held in the child
    _OPENING = Lock()
    _HELD.clear()
    for database in list(_OPENED):
        database.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)

"""A database file: a connection for each thread, through forks, and a new file when the old one is damaged."""

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
"""How long another writer is waited for."""

T = TypeVar("T")

_OPENED: WeakSet[Database] = WeakSet()
_OPENING = Lock()


class Database:
    """Runs work in transactions. Any number of threads and processes may."""

    def __init__(self, path: Path, schema: Iterable[str], told: Callable[[str, str], None]) -> None:
        """Take the place; nothing is opened yet.

        Args:
            path: The file.
            schema: Statements that make the tables where there are none.
            told: Told why a file is damaged and what became of it.
        """
        self.path = path
        self._schema, self._told = tuple(schema), told
        self._alone = path.with_name(f"{path.name}.lock")
        self._forget()
        with _OPENING:
            _OPENED.add(self)

    def run(self, work: Callable[[sqlite3.Connection], T], *, write: bool = False) -> T:
        """Do some work, which may be done a second time when the database proves to be damaged.

        Raises:
            sqlite3.Error: It failed; nothing of it is left.
            OSError: The file cannot be made.
        """
        try:
            return self._once(work, write=write)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._set_aside(error)
            return self._once(work, write=write)

    def close(self) -> None:
        """Close the connections of all threads; the next work opens another."""
        with self._lock:
            for link in list(self._links):
                with link.lock:
                    link.close()

    # -- connections ------------------------------------------------------------------------------------------------

    def _once(self, work: Callable[[sqlite3.Connection], T], *, write: bool) -> T:
        link = self._link()
        with link.lock:
            connection = link.open(self._connect)
            try:
                if not write:
                    return work(connection)
                # SQLite's own waiting is by asking again and again, and under load some never come to it: queue up first.
                with file_lock(self._alone):
                    return _in_transaction(connection, work)
            except sqlite3.DatabaseError as error:
                if _is_damage(error):
                    link.close()
                raise

    def _link(self) -> _Link:
        link: _Link | None = getattr(self._of_thread, "link", None)
        if link is None:
            link = self._of_thread.link = _Link(self.path)
            with self._lock:
                self._links.add(link)
        return link

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file_lock(self._alone):  # WAL cannot be waited for: two that switch to it at once fail
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            try:
                for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *self._schema):
                    connection.execute(statement)
            except BaseException:
                connection.close()
                raise
        return connection

    # -- damage -----------------------------------------------------------------------------------------------------

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        with file_lock(self._alone):
            if self._is_sound():  # somebody else was quicker
                return
            names = (self.path.with_name(f"{self.path.name}.corrupt-{n}") for n in range(1, 10**9))
            aside = next(one for one in names if not one.exists())
            for ending in ("-wal", "-shm", ""):  # the journal first: left behind, it would be taken for the new file's
                with contextlib.suppress(FileNotFoundError):
                    self.path.with_name(self.path.name + ending).replace(aside.with_name(aside.name + ending))
        self._told(f"{self.path} is damaged: {error}", f"it is kept as {aside.name}, and a new database is begun")

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

    def _forget(self) -> None:
        self._lock = Lock()
        self._of_thread = local()
        self._links: WeakSet[_Link] = WeakSet()

    def before_fork(self) -> list[Lock]:
        """Close everything and keep it closed; return the locks that do."""
        self._lock.acquire()
        held = [self._lock]
        for link in list(self._links):
            link.lock.acquire()
            link.close()
            held.append(link.lock)
        return held

    def after_fork(self) -> None:
        """Begin anew in a child process."""
        self._forget()


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


class _Link:
    """One thread's connection."""

    def __init__(self, path: Path) -> None:
        self.lock = Lock()
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def open(self, connect: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
        """Return the connection; a new one when there is none, or when there is another file by now."""
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

    def __del__(self) -> None:  # its thread has ended
        self.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_dev, facts.st_ino


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


# A connection must not be open in two processes (sqlite.org/howtocorrupt.html, section 2.6, read 2026-11-21): the child's
# would believe in locks that it does not hold. So there is none while a process forks.

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
    global _OPENING  # noqa: PLW0603 - a lock that was held stays held
    _OPENING = Lock()
    _HELD.clear()
    for database in list(_OPENED):
        database.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)

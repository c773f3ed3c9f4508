"""Database of the SQLite store: durability, repair, and use by threads, processes and forks."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from modelmesh_storage_sqlite import SqliteStorage, network
from modelmesh_storage_sqlite.network import network_filesystem

from modelmesh.contracts import Secret
from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import ConfigurationError, StorageError


def make(path: Any, **more: Any) -> SqliteStorage:
    store = SqliteStorage({"path": str(path), **more})
    store.damage = []  # type: ignore[attr-defined]
    store.on_damage = lambda reason, outcome: store.damage.append((reason, outcome))  # type: ignore[attr-defined]
    return store


def save(store: SqliteStorage, value: str, key: str = "a") -> None:
    store.save(key, StorageEntry(key, value.encode()))


def text(store: SqliteStorage, key: str = "a") -> str | None:
    found = store.load(key)
    return found.data.decode() if found else None


# -- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pragma", [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 5000)])
def test_connections_use_wal_full_sync_and_busy_timeout(pragma: tuple[str, Any], tmp_path: Path) -> None:
    store = make(tmp_path / "state.db")
    for _ in range(2):
        assert store._database.run(lambda db: db.execute(f"PRAGMA {pragma[0]}").fetchone()) == (pragma[1],)
        store.close()


def test_tables_contain_readable_rows(tmp_path: Path) -> None:
    store = make(tmp_path / "state.db", table_name="mesh")
    save(store, "some text")
    store.increment("count", 3)
    store.acquire("lock", 0)
    store.close()
    with sqlite3.connect(tmp_path / "state.db") as db:
        assert b"some text" in db.execute("SELECT entry FROM mesh WHERE key = 'a'").fetchone()[0]
        assert db.execute("SELECT key, value FROM mesh_counters").fetchall() == [("count", 3)]
        assert db.execute("SELECT key FROM mesh_locks").fetchall() == [("lock",)]
    db.close()


@pytest.mark.parametrize("name", ["path", "db_path"])
@pytest.mark.parametrize("seal", [str, Secret])
def test_path_accepts_home_folder_and_secret(name: str, seal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    store = SqliteStorage({name: seal("~/kept/state.db")})
    save(store, "x")
    store.close()
    assert (tmp_path / "kept" / "state.db").is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = make(tmp_path / "kept" / "state.db")
        save(store, "x")
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "kept").iterdir()}
    assert modes == dict.fromkeys(("state.db", "state.db-wal", "state.db-shm", "state.db.lock"), 0o600)
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
    store.close()


@pytest.mark.parametrize("table", ["", "a-b", "a; DROP TABLE a", "1a", "a" * 61])
def test_invalid_table_name_is_refused(table: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"storage\.table"):
        make(tmp_path / "state.db", table=table)


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:25 / /srv/team rw - nfs4 server:/team rw
31 30 254:1 / /srv/team/local rw - xfs /dev/vdb rw
32 22 0:26 / /srv/with\\040blank rw shared:1 - cifs //server/share rw
short
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/state.db", None),
        ("/srv/team/state.db", "nfs4"),
        ("/srv/team/local/state.db", None),
        ("/srv/teams/state.db", None),
        ("/srv/with blank/state.db", "cifs"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="only Linux lists mounts")
def test_network_filesystem_is_found_in_the_mounts(path: str, kind: str | None) -> None:
    assert network_filesystem(Path(path), MOUNTS) == kind


def test_network_path_is_refused_before_any_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = os.path.realpath(tmp_path)
    (tmp_path / "mounts").write_text(f"30 22 0:25 / {place} rw - nfs server:/team rw\n")
    monkeypatch.setattr(network, "MOUNTS", tmp_path / "mounts")
    with pytest.raises(ConfigurationError, match=r"(?s)network file system \(nfs\).*local disk.*redis"):
        make(tmp_path / "kept" / "state.db")
    assert not (tmp_path / "kept").exists()


# -- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["header", "middle", "cut"])
def test_damaged_database_is_replaced_by_a_new_one(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    for number in (1, 2):
        store = make(file)
        for key in range(50):
            save(store, "x" * 1000, f"key {key}")
        store.close()
        data = file.read_bytes()
        half = len(data) // 2
        changed = {
            "header": b"garbage" * 100 + data[700:],
            "middle": data[:4096] + b"\xff" * half + data[4096 + half :],
            "cut": data[:half],
        }
        file.write_bytes(changed[damage])
        again = make(file)
        save(again, "new")
        assert text(again) == "new"
        assert again.list() == ["a"], "no part of the damaged data is used"
        ((reason, outcome),) = again.damage  # type: ignore[attr-defined]
        assert str(file) in reason
        assert f"corrupt-{number}" in outcome
        assert file.with_name(f"state.db.corrupt-{number}").read_bytes()[:4096] == changed[damage][:4096]
        again.close()
        file.unlink()


def test_open_connection_follows_a_replaced_file(tmp_path: Path) -> None:
    one, other = make(tmp_path / "state.db"), make(tmp_path / "state.db")
    save(one, "first")
    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"state.db{ending}").replace(tmp_path / f"elsewhere.db{ending}")
    save(other, "second")
    assert text(one) == "second"
    assert one.increment("n") + other.increment("n") == 3
    one.close()
    assert text(other) == "second"
    other.close()
    assert text(make(tmp_path / "state.db")) == "second"


def test_storage_error_contains_key_reason_and_command(tmp_path: Path) -> None:
    store = make(tmp_path / "state.db")
    store.increment("n", 2**63 - 1)
    with pytest.raises(StorageError, match=r"(?s)'n'.*modelmesh\.sqlite\.v1.*OverflowError"):
        store.increment("n")
    assert store.increment("n", 0) == 2**63 - 1
    store._database.run(lambda db: db.execute("DROP TABLE modelmesh_state"), write=True)
    with pytest.raises(StorageError, match=r"(?s)no such table.*state\.db.*ls -ld.*storage\.path"):
        store.load("a")
    store.close()


def test_save_fails_when_a_foreign_writer_holds_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelmesh_storage_sqlite.database.BUSY_S", 0.05)
    store = make(tmp_path / "state.db")
    save(store, "x")
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        save(store, "y")
    assert text(store) == "x", "readers are not blocked"
    other.execute("ROLLBACK")
    save(store, "y")
    other.close()
    store.close()


# -- threads, processes, forks --------------------------------------------------------------------------------------


def test_each_living_thread_has_one_connection(tmp_path: Path) -> None:
    store = make(tmp_path / "state.db")
    together = Barrier(4)

    def work(_: int) -> int:
        together.wait(10)
        found = store._database.run(id)
        together.wait(10)
        return found

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(work, range(4)))) == 4
    thread = Thread(target=store.increment, args=("n",))
    thread.start()
    thread.join()
    assert len(store._database._connections) <= 4
    store.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["state.db", "state.db.lock"], "all connections are closed"


COUNT = """
import sys
from modelmesh_storage_sqlite import SqliteStorage

store = SqliteStorage({"path": sys.argv[1]})
print(*[store.increment("many") for _ in range(100)])
"""
LOCK = """
import sys
from modelmesh_storage_sqlite import SqliteStorage

SqliteStorage({"path": sys.argv[1]}).acquire("one", 0)
"""
FORK = """
import os, sys, threading, warnings
from modelmesh_storage_sqlite import SqliteStorage

warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which this test does
store = SqliteStorage({"path": sys.argv[1]})
stop, mine = threading.Event(), []

def count():
    while not stop.is_set():
        mine.append(store.increment("many"))

threads = [threading.Thread(target=count) for _ in range(3)]
for thread in threads:
    thread.start()
children = []
for _ in range(10):
    store.increment("many")
    child = os.fork()
    if not child:
        for _ in range(10):
            store.increment("many")
        os._exit(0)
    children.append(child)
ended = [os.waitpid(child, 0)[1] for child in children]
stop.set()
for thread in threads:
    thread.join()
print(ended == [0] * 10, store.increment("many", 0) - len(mine))
store.close()
"""


def test_increment_is_exact_with_processes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNT, tmp_path / "state.db"]
    counting = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    sums = [int(one) for process in counting for one in process.communicate()[0].split()]
    assert sorted(sums) == list(range(1, 401))


@pytest.mark.skipif(os.name == "nt", reason="Windows does not delete an open file")
def test_journal_in_use_survives_the_end_of_another_process(tmp_path: Path) -> None:
    """A process that closes the database deletes the journal unless the locks of this process still protect it."""
    store = make(tmp_path / "state.db")
    store.increment("many")
    thread = Thread(target=store.increment, args=("many",))  # opens a second connection
    thread.start()
    thread.join()
    journal = tmp_path / "state.db-wal"
    before = journal.stat().st_ino
    subprocess.run([sys.executable, "-c", LOCK, tmp_path / "state.db"], check=True)
    assert journal.stat().st_ino == before
    assert store.increment("many", 0) == 2
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_increment_is_exact_with_forks_under_load(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK, tmp_path / "state.db"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split() == ["True", "110"], done.stdout + done.stderr
    with sqlite3.connect(tmp_path / "state.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


@pytest.mark.skipif(os.name == "nt", reason="on Windows such a lock expires instead")
def test_lock_of_an_exited_process_is_free(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LOCK, tmp_path / "state.db"], check=True)
    store = make(tmp_path / "state.db")
    assert not store.is_locked("one")
    assert store.release(store.acquire("one", 0))
    store.close()

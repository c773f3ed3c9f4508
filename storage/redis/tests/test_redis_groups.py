"""A Redis Cluster, and a master that a Sentinel watches: counts through the loss of the master."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from modelmesh_storage_redis import RedisStorage
from modelmesh_storage_redis.additions import Additions
from modelmesh_storage_redis.addresses import ServerGroup

from modelmesh.contracts import StorageEntry
from modelmesh.errors import ConfigurationError, StorageError

PASSWORD = "s3cret-of-a-test"
SLOTS = 16384


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


class Load:
    """Threads that add 1 to two counters until they are stopped, and count the additions that did not fail."""

    def __init__(self, store: RedisStorage) -> None:
        self.added, self.failed = 0, 0
        self._store, self._stop = store, Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._store.increment_many({"one": (1, None), "two": (2, 600.0)})
            except StorageError:
                self.failed += 1
                time.sleep(0.05)
            else:
                self.added += 1


def check_everything(store: RedisStorage) -> None:
    """Use each part of the store once."""
    store.save("entry", StorageEntry("entry", b"1"))
    version = store.load("entry").version  # type: ignore[union-attr]
    store.save_if("entry", StorageEntry("entry", b"2"), version)
    assert store.exists("entry")
    assert store.list() == ["entry"]
    lock = store.acquire("entry", 1)
    assert store.is_locked("entry")
    assert store.release(lock)
    assert store.increment_many({"a": (1, 60.0), "b": (2, None), "c": (0, None)}) == {"a": 1, "b": 2, "c": 0}
    assert store.delete("entry")


def check_counts(store: RedisStorage, lose_master: Callable[[], None]) -> None:
    """Lose the master under load, and compare the counters with the additions that did not fail."""
    with Load(store) as load:
        wait_until(lambda: load.added > 50)
        lose_master()
        wait_until(lambda: load.failed)
        before = load.added
        wait_until(lambda: load.added > before + 50)
    assert store.increment_many({"one": (0, None), "two": (0, None)}) == {"one": load.added, "two": 2 * load.added}


# -- cluster --------------------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(start: Callable[..., Any], tmp_path: Path) -> list[Any]:
    """Three masters, and a replica of each master of the slots that a test uses."""
    nodes = []
    for number in range(4):
        options = ("--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{number}.conf", "--cluster-node-timeout", "500")
        nodes.append(start(*options, "--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"))
    clients = [node.client() for node in nodes]
    bounds = [0, SLOTS // 3, 2 * SLOTS // 3, SLOTS]
    for number, client in enumerate(clients[:3]):
        client.execute_command("CLUSTER", "ADDSLOTS", *range(bounds[number], bounds[number + 1]))
    for number, client in enumerate(clients):
        client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for node in nodes[1:]:
        clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", node.port)
    wait_until(lambda: all(b"cluster_known_nodes:4" in client.execute_command("CLUSTER", "INFO") for client in clients))
    wait_until(lambda: all(b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO") for client in clients))
    return nodes


def test_cluster_keeps_counts_when_a_replica_takes_over(cluster: list[Any]) -> None:
    addresses = ",".join(f"127.0.0.1:{node.port}" for node in cluster[:2])
    store = RedisStorage({"url": f"redis+cluster://{addresses}", "key_prefix": "mesh:"})
    check_everything(store)
    clients = [node.client() for node in cluster]
    slot = clients[0].execute_command("CLUSTER", "KEYSLOT", "{mesh:}x")
    master = slot // (SLOTS // 3 + 1)
    own = clients[master].execute_command("CLUSTER", "MYID")
    wait_until(lambda: own in clients[3].execute_command("CLUSTER", "NODES"))
    clients[3].execute_command("CLUSTER", "REPLICATE", own)
    wait_until(lambda: clients[3].info("replication")["master_link_status"] == "up")
    check_counts(store, cluster[master].process.kill)
    store.close()


def test_cluster_that_is_away_at_the_start_is_found_later(start: Callable[..., Any]) -> None:
    node = start("--cluster-enabled", "yes")
    node.stop()
    store = RedisStorage({"url": f"redis+cluster://127.0.0.1:{node.port}"})
    for _ in range(2):
        with pytest.raises(StorageError, match="cannot be reached"):
            store.increment("a")
    node.start()
    node.client().execute_command("CLUSTER", "ADDSLOTS", *range(SLOTS))
    wait_until(lambda: b"cluster_state:ok" in node.client().execute_command("CLUSTER", "INFO"))
    assert store.increment("a") == 1
    store.close()


# -- Sentinel -------------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(start: Callable[..., Any], tmp_path: Path) -> Iterator[tuple[Any, Any, Any]]:
    """A master, its replica, and a Sentinel that promotes the replica."""
    master = start("--requirepass", PASSWORD, "--masterauth", PASSWORD)
    replica = start("--requirepass", PASSWORD, "--masterauth", PASSWORD, "--replicaof", "127.0.0.1", str(master.port))
    file = tmp_path / "sentinel.conf"
    file.write_text(
        f"sentinel monitor mymaster 127.0.0.1 {master.port} 1\nsentinel auth-pass mymaster {PASSWORD}\n"
        "sentinel down-after-milliseconds mymaster 300\nsentinel failover-timeout mymaster 2000\n"
    )
    sentinel = start(first=str(file), last="--sentinel")
    client = replica.client(password=PASSWORD)
    wait_until(lambda: client.info("replication")["master_link_status"] == "up")
    wait_until(lambda: sentinel.client().execute_command("SENTINEL", "REPLICAS", "mymaster"))
    return master, replica, sentinel


def test_sentinel_keeps_counts_when_a_replica_takes_over(watched: tuple[Any, Any, Any]) -> None:
    master, _, sentinel = watched
    store = RedisStorage({"url": f"redis+sentinel://:{PASSWORD}@127.0.0.1:1,127.0.0.1:{sentinel.port}/mymaster/0"})
    check_everything(store)
    check_counts(store, master.process.kill)
    store.close()


def test_additions_that_a_new_master_lacks_are_repeated(start: Callable[..., Any]) -> None:
    master = start()
    replica = start("--replicaof", "127.0.0.1", str(master.port))
    old, new = master.client(), replica.client()
    wait_until(lambda: new.info("replication")["master_link_status"] == "up")
    used = [old]
    additions = Additions(lambda: used[0], "journal/", is_replicated=True)
    additions._current_server = lambda: id(used[0])  # type: ignore[method-assign]
    assert additions.add({"a": (1, None)}) == {"a": 1}
    wait_until(lambda: new.get("a") == b"1")
    new.replicaof("NO", "ONE")
    assert additions.add({"a": (2, None)}) == {"a": 3}, "not replicated"
    assert additions.add({"a": (4, None), "b": (1, 60_000)}) == {"a": 7, "b": 1}, "not replicated"
    used[0] = new
    assert additions.add({"a": (8, None)}) == {"a": 9}, "the reply shows that another server answers"
    assert additions.add({"a": (0, None), "b": (0, None)}) == {"a": 15, "b": 1}
    assert new.pttl("b") > 0
    assert additions.add({"a": (16, None)}) == {"a": 31}, "nothing is repeated twice"


# -- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis+cluster://a,b:7001", ServerGroup("redis+cluster", (("a", 6379), ("b", 7001)))),
        ("rediss+cluster://u:p%40@[::1]:1,[::2]/", ServerGroup("rediss+cluster", (("::1", 1), ("::2", 6379)), "", 0, "u", "p@")),
        ("redis+sentinel://a,b:1/main", ServerGroup("redis+sentinel", (("a", 26379), ("b", 1)), "main")),
        ("rediss+sentinel://:p@a/main/3", ServerGroup("rediss+sentinel", (("a", 26379),), "main", 3, None, "p")),
    ],
)
def test_url_of_a_group(url: str, expected: ServerGroup) -> None:
    assert ServerGroup.of(url) == expected
    assert RedisStorage({"url": url}).config.address == str(expected)
    assert "p@" not in repr(expected).replace("p@a", "")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"redis+sentinel://:{PASSWORD}@a", "name of the service"),
        (f"redis+cluster://:{PASSWORD}@a/1", "only database 0"),
        (f"redis+cluster://:{PASSWORD}@a,,b", "a host"),
        (f"redis+cluster://:{PASSWORD}@a:99999", "a host"),
        (f"redis+sentinel://:{PASSWORD}@a/main/x", "number of a database"),
        (f"redis+sentinel://:{PASSWORD}@a/main?x=1", "number of a database"),
    ],
)
def test_incomplete_url_is_rejected_without_its_password(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        RedisStorage({"url": url})
    assert PASSWORD not in str(caught.value)


def test_keys_of_a_cluster_share_a_slot_and_others_keep_their_names() -> None:
    assert RedisStorage({"url": "redis+cluster://a"}).config.prefix == "{modelmesh:}"
    assert RedisStorage({"url": "redis+cluster://a", "key_prefix": "{own}:"}).config.prefix == "{own}:"
    assert RedisStorage({"url": "redis+sentinel://a/main"}).config.prefix == RedisStorage({}).config.prefix == "modelmesh:"

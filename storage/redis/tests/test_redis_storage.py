"""Redis store beyond the contract: lost replies, passwords, forks and commands."""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from modelmesh_storage_redis import RedisStorage, RedisStorageConfig

from modelmesh import ModelMesh
from modelmesh.contracts import Secret
from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import ConfigurationError, StorageError

PASSWORD = "test-password-4711"


@pytest.fixture
def store(start: Callable[..., Any]) -> Iterator[RedisStorage]:
    made = RedisStorage({"port": start().port, "timeout": "10s"})
    yield made
    made.close()


class ReplyDroppingProxy:
    """Proxy in front of a server that drops the server's replies while ``drops`` is set."""

    def __init__(self, port: int) -> None:
        self.drops = False
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.dropped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            threading.Thread(target=self._forward, args=(near, far), daemon=True).start()
            threading.Thread(target=self._forward, args=(far, near, True), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket, answers: bool = False) -> None:
        with one, other:
            try:
                while data := one.recv(65536):
                    if answers and self.drops:
                        self.dropped.set()
                    else:
                        other.sendall(data)
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def proxy(start: Callable[..., Any]) -> Iterator[ReplyDroppingProxy]:
    server = ReplyDroppingProxy(start().port)
    yield server
    server.close()


# -- lost replies --------------------------------------------------------------------------------------------


def test_addition_with_a_lost_reply_does_not_count(proxy: ReplyDroppingProxy) -> None:
    store = RedisStorage({"port": proxy.port, "timeout": "300ms"})
    assert store.increment_many({"a": (1, 60.0), "b": (10, None)}) == {"a": 1, "b": 10}
    proxy.drops = True
    with pytest.raises(StorageError, match=r"did not reply within 0\.3 s"):
        store.increment_many({"a": (5, None), "b": (50, None)})
    assert proxy.dropped.wait(10), "the server applied the addition"
    proxy.drops = False
    assert store.increment_many({"a": (5, None), "b": (50, None)}) == {"a": 6, "b": 60}
    store.close()


def test_late_addition_is_not_accepted(start: Callable[..., Any]) -> None:
    server = start()
    store = RedisStorage({"port": server.port, "timeout": "100ms"})
    assert store.increment("a", 1) == 1
    server.freeze()
    for _ in range(3):
        with pytest.raises(StorageError):
            store.increment("a", 5)
    server.thaw()
    while True:
        try:
            assert store.increment("a", 5) == 6
            break
        except StorageError:  # the machine is busy
            continue
    client = server.client()
    while int(client.info("clients")["connected_clients"]) > 2:  # until the server has read the old connections
        time.sleep(0.01)
    assert store.increment("a", 0) == 6
    client.close()
    store.close()


def test_roll_back_does_not_block_other_additions(store: RedisStorage) -> None:
    journal = store._additions._journal
    assert store.increment("a") == 1
    store._redis.hset(journal, "floor", 7)  # as a roll-back of another thread with a later number does
    assert [store.increment("a") for _ in range(3)] == [2, 3, 4]


def test_journal_stays_small_and_expires(store: RedisStorage) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.increment("a", 1, 60.0), range(200)))
    journal = store._additions._journal
    assert 1 <= store._redis.hlen(journal) <= 8
    assert 0 < store._redis.pttl(journal) <= 86_400_000
    assert store.increment("a", 0) == 200
    assert store._redis.hlen(journal) == 0, "a read confirms too"
    assert 0 < store._redis.pttl("modelmesh:~counter/a") <= 60_000


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_password_is_used_and_never_shown(start: Callable[..., Any]) -> None:
    port = start("--requirepass", PASSWORD).port
    for settings in ({"port": port, "password": Secret(PASSWORD)}, {"url": f"redis://:{PASSWORD}@127.0.0.1:{port}/0"}):
        store = RedisStorage(settings)
        assert store.increment("a", 0) == 0
        assert PASSWORD not in f"{store!r} {store.config!r} {vars(store)!r}"
        store.close()


@pytest.mark.parametrize("given", ["password", "url", "none"])
def test_error_of_a_wrong_password_does_not_contain_it(start: Callable[..., Any], given: str) -> None:
    port = start("--requirepass", "test-another-one").port
    settings = {"password": {"port": port, "password": PASSWORD}, "url": {"url": f"redis://:{PASSWORD}@127.0.0.1:{port}/0"}}
    store = RedisStorage(settings.get(given, {"port": port}))
    with pytest.raises(StorageError) as caught:
        store.save("a", StorageEntry("a", b"x"))
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert "rejects the user or password" in shown
    assert f":{port}/0" in shown
    assert PASSWORD not in shown
    store.close()


def test_error_does_not_repeat_the_servers_message(store: RedisStorage) -> None:
    store._redis.lpush("modelmesh:~counter/list", "x")
    with pytest.raises(StorageError, match=r"replied with an error \(ResponseError") as caught:
        store.increment("list")
    assert "holding the wrong kind" not in str(caught.value)


# -- commands ------------------------------------------------------------------------------------------------------


def test_list_uses_scan_and_not_keys(store: RedisStorage) -> None:
    for number in range(30):
        store.save(f"a{number}", StorageEntry("", b"x"))
    store._redis.set("another:a", b"x")
    store._redis.set(b"modelmesh:\xff", b"x")
    store.increment("a")
    store.acquire("a", 0)
    assert store.list("a1") == sorted(["a1", *(f"a1{n}" for n in range(10))])
    assert len(store.list("a")) == 30
    commands = store._redis.info("commandstats")
    assert "cmdstat_scan" in commands
    assert "cmdstat_keys" not in commands


def test_entries_expire_after_the_ttl(start: Callable[..., Any]) -> None:
    store = RedisStorage({"port": start().port, "ttl": "1h", "key_prefix": "team:"})
    store.save("a", StorageEntry("", b"x"))
    store.save_if("b", StorageEntry("", b"x"), None)
    for key in ("team:a", "team:b"):
        assert 0 < store._redis.pttl(key) <= 3_600_000
    store.close()


def test_tls_connection_verifies_the_certificate() -> None:
    for settings in ({"ssl": True}, {"url": "rediss://localhost:6380/1"}):
        pool = RedisStorageConfig.of({**settings, "ssl_ca_certs": "authority.pem"}).client().connection_pool
        assert issubclass(pool.connection_class, redis.SSLConnection)
        assert pool.connection_kwargs["ssl_cert_reqs"] == "required"
        assert pool.connection_kwargs["ssl_ca_certs"] == "authority.pem"


@pytest.mark.parametrize("url", ["http://localhost:6379", "localhost:6379", f"postgres://:{PASSWORD}@localhost"])
def test_url_of_another_scheme_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="redis://localhost:6379/0") as caught:
        RedisStorage({"url": url})
    assert PASSWORD not in str(caught.value)


def test_client_has_short_timeouts_and_no_retries() -> None:
    options = RedisStorageConfig.of({}).client().connection_pool.connection_kwargs
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (0.5, 0.5)
    assert options["retry"].get_retries() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_child_uses_its_own_connections(store: RedisStorage) -> None:
    assert store.increment("a") == 1
    child = os.fork()
    if not child:
        code = 1
        try:
            store.after_fork()
            code = 0 if sorted(store.increment("a") for _ in range(20)) else 2
        finally:
            os._exit(code)
    for _ in range(20):
        store.increment("a")
    assert os.waitpid(child, 0)[1] == 0
    assert store.increment("a", 0) == 41


# -- in a mesh --------------------------------------------------------------------------------------------------------


def test_mesh_answers_while_redis_is_down() -> None:
    from modelmesh.contracts.models import ModelInfo
    from modelmesh.contracts.provider import Answer

    class Vendor:
        id = "test.vendor.v1"

        def models(self) -> list[ModelInfo]:
            return [ModelInfo("model", capabilities=("generation.text-generation.chat-completion",))]

        def send(self, call: Any, model: str, limits: Any) -> Answer:
            return Answer(
                {"id": "1", "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}
            )

        async def asend(self, call: Any, model: str, limits: Any) -> Answer:
            return self.send(call, model, limits)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        mesh = ModelMesh()
        mesh.initialize(
            {
                "providers": {"vendor": {"instance": Vendor(), "quota": {"requests_per_day": 5}}},
                "pools": {"chat": {"capability": "chat-completion"}},
                "storage": {
                    "connector": "redis.redis.v1",
                    "sync_policy": "immediate",
                    "redis": {"host": "127.0.0.1", "port": probe.getsockname()[1]},
                },
            }
        )
        with mesh:
            assert mesh.client.chat.completions.create(model="chat", messages=[]).choices[0].message.content == "ok"
            assert "cannot be reached" in (mesh.state.get_sync_status().error or "")  # type: ignore[union-attr]

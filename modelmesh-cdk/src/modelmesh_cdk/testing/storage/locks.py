"""Tests of locks."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from modelmesh.contracts.storage import LockHandle, Locking, StorageEntry
from modelmesh.errors import StorageLockError
from modelmesh_cdk.testing.storage.sharing import SHORT_S, TIMEOUT_S
from modelmesh_cdk.testing.storage.subject import Subject, offers


class Locks(Subject):
    """Locks exclude others until their release or expiry."""

    def test_lock_excludes_others(self, store: Any) -> None:
        """A locked key cannot be locked again, and the error names it. Other keys can be locked."""
        offers(store, Locking)
        store.acquire("kit/locked", 0)
        with pytest.raises(StorageLockError, match="kit/locked") as caught:
            store.acquire("kit/locked", 0)
        assert isinstance(caught.value, TimeoutError)
        assert (store.is_locked("kit/locked"), store.is_locked("kit/free")) == (True, False)
        store.acquire("kit/free", 0)

    def test_lock_handle_has_key_id_and_times(self, store: Any) -> None:
        """A handle has the key, its own ID and its times in Unix seconds."""
        offers(store, Locking)
        one, other = store.acquire("kit/one", 0, expires_s=60), store.acquire("kit/other", 0)
        assert isinstance(one, LockHandle)
        assert (one.key, other.key) == ("kit/one", "kit/other")
        assert one.lock_id != other.lock_id
        assert abs(one.acquired_at - time.time()) <= 60  # noqa: PLR2004 - the store's clock may be another machine's
        assert one.expires_at - one.acquired_at == pytest.approx(60, abs=1)

    def test_lock_released_is_free(self, store: Any) -> None:
        """A released lock can be acquired again. A second release returns ``False`` and frees no other lock."""
        offers(store, Locking)
        first = store.acquire("kit/released", 0)
        assert store.release(first) is True
        assert store.is_locked("kit/released") is False
        second = store.acquire("kit/released", 0)
        assert store.release(first) is False
        assert store.is_locked("kit/released") is True
        assert store.release(second) is True

    def test_lock_waiter_gets_released_lock(self, store: Any) -> None:
        """A waiter gets the lock when it is released."""
        offers(store, Locking)
        lock = store.acquire("kit/waited", 0, expires_s=10 * TIMEOUT_S)
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(store.acquire, "kit/waited", TIMEOUT_S)
            time.sleep(SHORT_S)
            assert not waiting.done()
            store.release(lock)
            assert waiting.result().lock_id != lock.lock_id

    def test_lock_expires(self, store: Any) -> None:
        """A lock that is not released is free after its time, and its handle then releases nothing."""
        offers(store, Locking)
        dead = store.acquire("kit/dead", 0, expires_s=SHORT_S)
        heir = store.acquire("kit/dead", TIMEOUT_S, expires_s=10 * TIMEOUT_S)
        assert heir.lock_id != dead.lock_id
        assert store.release(dead) is False
        assert store.is_locked("kit/dead") is True
        with pytest.raises(StorageLockError):
            store.acquire("kit/dead", 0)

    def test_lock_serializes_threads(self, store: Any) -> None:
        """Threads that lock, read, add one, save and release produce the right sum."""
        offers(store, Locking)
        store.save("kit/turns", StorageEntry("", b"0"))

        def work(_: int) -> None:
            for _turn in range(3):
                lock = store.acquire("kit/turns", 6 * TIMEOUT_S, expires_s=6 * TIMEOUT_S)
                read = int(store.load("kit/turns").data)
                time.sleep(0)
                store.save("kit/turns", StorageEntry("", str(read + 1).encode()))
                store.release(lock)

        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(work, range(self.threads)))
        assert int(store.load("kit/turns").data) == 3 * self.threads

    def test_locks_are_not_entries(self, store: Any) -> None:
        """A lock is not listed, does not affect the entry of the same name, and stays when that entry is deleted."""
        offers(store, Locking)
        store.acquire("kit/named", 0)
        assert (store.list(), store.load("kit/named")) == ([], None)
        store.save("kit/named", StorageEntry("", b"x"))
        assert store.load("kit/named").data == b"x"
        store.delete("kit/named")
        assert store.is_locked("kit/named") is True

    def test_lock_excludes_other_instances(self, make: Callable[..., Any]) -> None:
        """In a persistent store, a lock excludes other instances, and another instance may release it."""
        self.require("persists")
        one, other = make(), make()
        offers(one, Locking)
        lock = one.acquire("kit/between", 0)
        assert other.is_locked("kit/between") is True
        with pytest.raises(StorageLockError):
            other.acquire("kit/between", 0)
        assert other.release(lock) is True
        other.acquire("kit/between", 0)
